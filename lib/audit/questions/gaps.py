"""Whom does it treat differently? Differences between each group and the reference, `group - reference`, with their sign.

0: both fare alike. Under the untouched baseline, gaps in TPR and FPR are one family, those in AUC and in other rates are
families of their own, by patient and by image alike; for other methods what is left is described. `detectable`: the gap that
80 % of such cohorts would show (single); `patients_needed`: patients of such a cohort for a gap of the size of the
margin; `disagrees`: by image the sign or the verdict is another one than by patient. `contrast` "max - min" is the largest difference between
any two groups: it describes and is never tested, for it cannot reach 0.
"""

import polars as pl

from lib.audit.columns import METHOD, STANDARD, B, F, S
from lib.audit.context import Context
from lib.audit.judged import judged
from lib.audit.questions._shared import disagreeing, spreads

name = "gaps"
schema = (
    METHOD
    | {"attribute": S, "metric": S, "contrast": S, "unit": S, "family": S}
    | STANDARD
    | {"estimand": S, "detectable": F, "patients_needed": F, "disagrees": B, "estimable": B}
)
reads = ("metrics",)


def compute(context: Context) -> list[pl.DataFrame]:
    told = disagreeing(judged(context).tables["gaps"], "verdict")
    widest = spreads(context.table("metrics"), told["metric"].unique().to_list())
    return [told, widest]
