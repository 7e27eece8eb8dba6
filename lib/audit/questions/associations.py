"""Which columns go together? Cramer's V between every two attributes, and between each and the label, by split.

V = sqrt(chi2 / (n (min(r, c) - 1))) over the images where both are known: 0 = unrelated, 1 = one tells the other. Null
where fewer than two values of either occur. Chance alone pushes V up: `estimate` is corrected for it (Bergsma 2013, doi
10.1016/j.jkss.2012.10.002), with as many independent observations as there are patients. V cannot be below 0, so that it has no
interval: whether two columns go together is told by the shares of one within the other (`shares`).
"""

from itertools import combinations

import numpy as np
import polars as pl
from scipy.stats import contingency

from lib.audit.columns import F, I, S, frame
from lib.audit.context import Context
from lib.audit.questions._shared import splits

name = "associations"
schema = {"split": S, "attribute": S, "other": S, "estimate": F, "images": I}


def compute(context: Context) -> pl.DataFrame:
    rows = []
    for split, people in splits(context):
        columns = {**people.groups, "label": people.labels}
        for (one, a), (two, b) in combinations(columns.items(), 2):
            known = (a >= 0) & (b >= 0)
            value = cramers_v(a[known], b[known], len(np.unique(people.patients[known])))
            rows.append((split, one, two, value, int(known.sum())))
    return frame(rows, schema)


def cramers_v(one: np.ndarray, two: np.ndarray, patients: int) -> float | None:
    """Bias-corrected V of codes (n,) and (n,); None where a column has fewer than two values or there are under two patients."""
    table = contingency.crosstab(one, two).count if len(one) else np.zeros((0, 0))
    if min(table.shape) < 2 or patients < 2:
        return None
    rows, columns = table.shape
    phi = contingency.association(table, method="cramer") ** 2 * (min(rows, columns) - 1)
    corrected = max(0.0, phi - (rows - 1) * (columns - 1) / (patients - 1))
    smaller = min(rows - (rows - 1) ** 2 / (patients - 1), columns - (columns - 1) ** 2 / (patients - 1)) - 1
    return float(min(1.0, np.sqrt(corrected / smaller))) if smaller > 0 else None
