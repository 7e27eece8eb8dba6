"""How many questions share an error rate? The families of hypotheses behind the verdicts, and their size.

Within a family the chance of any wrong `shown` is at most 5 %: step-down max-T over shared resamples. The four
`primary` ones carry the report's claims; `lib.audit.judged` says what each is about. Source: Romano & Wolf 2005, doi 10.1198/016214504000000539.
"""

import polars as pl

from lib.audit.columns import B, I, S
from lib.audit.context import Context
from lib.audit.judged import judged

name = "families"
schema = {"family": S, "unit": S, "hypotheses": I, "primary": B}


def compute(context: Context) -> pl.DataFrame:
    return judged(context).tables["families"]
