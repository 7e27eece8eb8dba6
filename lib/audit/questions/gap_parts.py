"""Why is there a gap? The part that any threshold would leave, and the part that is where the threshold falls. By patient.

For group - reference, on the baseline:
  tpr   whole = TPR(group) - TPR(reference)
        discrimination = the same at equal FPR, that of everyone, each group with the threshold that gives it
        operating point = whole - discrimination: one threshold falls on two distributions of scores
  fpr   likewise, with discrimination at equal TPR
  auc   whole: the difference of the areas under both ROC curves
`discrimination` about 0 beside a wide `operating point`: the groups are told apart equally well, and thresholds by group
could bring the gap to 0 at no loss of discrimination; the reverse: none could. The whole and its interval are those of `gaps`, those of the parts
come from resamples of patients. Sources: Hardt, Price & Srebro 2016, arXiv 1610.02413; Chouldechova 2017, doi 10.1089/big.2016.0047.
Differences of rates; means over networks; intervals over patients.
"""

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import STANDARD, B, I, S
from lib.audit.context import Context
from lib.audit.questions.equal_rates import METRICS, levels, used

name = "gap_parts"
schema = dict.fromkeys(("attribute", "contrast", "metric", "part"), S) | STANDARD | {"patients": I, "estimable": B}
needs = ("scores", "pairs")
WHOLE = "whole"
PARTS = {
    ("tpr", "discrimination"): {"tpr_at_equal_fpr": 1},
    ("tpr", "operating point"): {"tpr": 1, "tpr_at_equal_fpr": -1},
    ("fpr", "discrimination"): {"fpr_at_equal_tpr": 1},
    ("fpr", "operating point"): {"fpr": 1, "fpr_at_equal_tpr": -1},
}
"""Each part as a combination of the metrics of `equal_rates`, of the group less those of the reference; the whole is as in `gaps`."""


def compute(context: Context) -> list[pl.DataFrame]:
    rates = levels(context)
    cells = rates.index.filter(metric=METRICS[0]).drop("metric")
    parts = pl.DataFrame(list(PARTS), schema={"metric": S, "part": S}, orient="row")
    combined = np.array([[signs.get(metric, 0) for signs in PARTS.values()] for metric in METRICS])
    divided = rates.contrast(cells.join(parts, how="cross"), np.kron(np.eye(len(cells)), combined))
    whole = (figures.with_index(part=WHOLE) for figures in used(context))
    return [context.describe(metrics.gaps(figures, context.population)).table() for figures in (*whole, divided)]
