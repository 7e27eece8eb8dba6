"""Why is there a gap? The part that any threshold would leave, and the part that is where the threshold falls. By patient.

For group - reference, on the baseline:
  tpr   whole = TPR(group) - TPR(reference)
        discrimination = the same at equal FPR, that of everyone, each group with the threshold that gives it
        operating point = whole - discrimination: one threshold falls on two distributions of scores
  fpr   likewise, with discrimination at equal TPR
  auc   whole: the difference of the areas under both ROC curves
`discrimination` about 0 beside a wide `operating point`: the groups are told apart equally well, and thresholds by group
could bring the gap to 0 at no loss of discrimination; the reverse: none could. Sources: Hardt, Price & Srebro 2016, arXiv
1610.02413; Chouldechova 2017, doi 10.1089/big.2016.0047. Differences of rates; means over networks; intervals over patients.
"""

import numpy as np
import polars as pl

from lib.audit.columns import STANDARD, B, I, S
from lib.audit.context import Context
from lib.audit.questions._curves import told
from lib.audit.questions.equal_rates import METRICS, levels

name = "gap_parts"
schema = {"attribute": S, "contrast": S, "metric": S, "part": S} | STANDARD | {"patients": I, "estimable": B}
needs = ("scores",)
PARTS = {
    ("tpr", "whole"): {"tpr": 1},
    ("tpr", "discrimination"): {"tpr_at_equal_fpr": 1},
    ("tpr", "operating point"): {"tpr": 1, "tpr_at_equal_fpr": -1},
    ("fpr", "whole"): {"fpr": 1},
    ("fpr", "discrimination"): {"fpr_at_equal_tpr": 1},
    ("fpr", "operating point"): {"fpr": 1, "fpr_at_equal_tpr": -1},
    ("auc", "whole"): {"auc": 1},
}
"""Each part as a combination of the metrics of `equal_rates`, of the group less those of the reference."""


def compute(context: Context) -> pl.DataFrame:
    found = levels(context)
    cells = {(a, g): (row, patients, known) for row, a, g, patients, known in _cells(found.index)}
    rows, matrix = [], []
    for attribute in context.population.attributes.values():
        for group in attribute.groups:
            if group == attribute.reference:
                continue
            own, other = cells[attribute.name, group], cells[attribute.name, attribute.reference]
            for (metric, part), combined in PARTS.items():
                line = np.zeros(found.index.height)
                for of, sign in combined.items():
                    line[own[0] + METRICS.index(of)], line[other[0] + METRICS.index(of)] = sign, -sign
                matrix.append(line)
                facts = min(own[1], other[1]), own[2] and other[2]
                rows.append((attribute.name, f"{group} - {attribute.reference}", metric, part, *facts))
    if not rows:
        return pl.DataFrame(schema=schema)
    columns = ("attribute", "contrast", "metric", "part", "patients", "estimable")
    index = pl.DataFrame(rows, schema={column: schema[column] for column in columns}, orient="row")
    return told(context, found.contrast(index, np.stack(matrix, axis=1)), schema)


def _cells(index: pl.DataFrame) -> list[tuple]:
    first = index.with_row_index("row").filter(pl.col("metric") == METRICS[0])
    return first.select("row", "attribute", "group", "patients", "estimable").rows()
