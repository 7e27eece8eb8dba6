"""Which columns go together? Cramer's V between every two attributes, and between each and the label, by split.

V = sqrt(chi2 / (n (min(r, c) - 1))) over the images where both are known: 0 = unrelated, 1 = one tells the other. Null
where fewer than two values of either occur. Chance alone pushes V up: `estimate` is corrected for it (Bergsma 2013, doi
10.1016/j.jkss.2012.10.002), with as many independent observations as there are patients; it cannot be below 0, so it
has no interval. Whether two columns go together at all is asked of the shares of one within the other: the share of
images of each value within each group, less its share of all, clustered by patient. All shares of a split are one family;
a pair has the smallest adjusted p of its own, and the verdict that belongs to it.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl
from scipy.stats import contingency

from lib.audit.columns import F, I, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Population
from lib.audit.questions._shared import by_image, splits
from lib.names import NOT_ESTIMABLE

name = "associations"
schema = {"split": S, "attribute": S, "other": S, "estimate": F, "p_adjusted": F, "verdict": S, "images": I}


def compute(context: Context) -> Iterator[pl.DataFrame]:
    for split, people in splits(context):
        columns = {**people.groups, "label": people.labels}
        rows, family = [], []
        for (one, a), (two, b) in combinations(columns.items(), 2):
            known = (a >= 0) & (b >= 0)
            value = cramers_v(a[known], b[known], len(np.unique(people.patients[known])))
            rows.append((split, one, two, value, int(known.sum())))
            if value is not None:
                family.append(_apart(people, one, a, two, b))
        told = pl.DataFrame(rows, schema=("split", "attribute", "other", "estimate", "images"), orient="row")
        told = told.join(_surest(context, family), on=["attribute", "other"], how="left", maintain_order="left")
        yield told.with_columns(pl.col("verdict").fill_null(NOT_ESTIMABLE))


def _surest(context: Context, family: list[Figures]) -> pl.DataFrame:
    """By pair, the smallest adjusted p of its shares and the verdict beside it."""
    if not family:
        return pl.DataFrame(schema={"attribute": S, "other": S, "p_adjusted": F, "verdict": S})
    judged = context.infer(family).table().drop_nulls("p_adjusted").sort("p_adjusted", "p", maintain_order=True)
    return judged.group_by("attribute", "other", maintain_order=True).agg(pl.col("p_adjusted", "verdict").first())


def _apart(people: Population, one: str, a: np.ndarray, two: str, b: np.ndarray) -> Figures:
    """The share of each value of `two` within each group of `one`, less its share of all images where both are known."""
    known = (a >= 0) & (b >= 0)
    groups, values = np.unique(a[known]), np.unique(b[known])
    pairs = [(g, v) for g in groups for v in (values[1:] if len(values) == 2 else values)]
    k = len(pairs)
    index = pl.DataFrame({"attribute": [one] * 2 * k, "other": [two] * 2 * k})
    within = [known & (a == g) for g, _ in pairs] + [known] * k
    shares = by_image(people, index, [own & (b == v) for own, (_, v) in zip(within, pairs * 2, strict=True)], within)
    return shares.take(np.arange(k)) - shares.take(np.arange(k, 2 * k))


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
