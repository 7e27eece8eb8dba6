"""What does a rule that asks for the group do when the group it is told is wrong? By patient.

A share `wrong` of the patients, drawn by lot, is said to be of another group with all their images; a patient is as
likely to be taken for any of the other groups. Rates are linear in decisions, so the expectation over all such draws is
(1 - q) x the figure with right groups + q x that with wrong ones: exact, without drawing. Groups are counted as they
truly are. Balanced accuracy of everyone and the signed gaps in TPR and FPR of the target attribute, described; `change` is against right groups,
paired.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, METHOD, F, S, method_columns
from lib.audit.context import Context
from lib.audit.judged import outcomes
from lib.names import OVERALL

name = "group_misclassification"
schema = (
    METHOD
    | {"wrong": F, "attribute": S, "metric": S, "contrast": S}
    | DESCRIBED
    | {"change": F, "change_low": F, "change_high": F}
)
needs = ("as_group",)
WRONG = (0.0, 0.05, 0.1, 0.2)
"""Shares of the patients whose group is wrong."""


def compute(context: Context) -> Iterator[pl.DataFrame]:
    for method, said in context.as_group.items():
        groups = context.population.groups[method[2]]
        wrong = mistaken(context.decisions[method], said, groups).clip(0, 1)  # a sum of shares may round above 1
        right, mixed = (
            outcomes(context.population, rows, smallest_cell=context.smallest_cell)
            for rows in (context.decisions[method], wrong)
        )
        about = pl.col("attribute").is_in([OVERALL, method[2]])
        right, mixed = right.where(about), mixed.where(about)
        for share in WRONG:
            change = (mixed - right) * share
            table = context.describe(right + change if share else right, None).table()
            told = context.describe(change, None)
            ends = {"change": told.estimate, "change_low": told.low, "change_high": told.high}
            if not share:  # nothing changes, for sure
                ends = dict.fromkeys(ends, np.where(right.known, 0.0, np.nan))
            yield table.with_columns(wrong=pl.lit(share), **ends, **method_columns(method))


def mistaken(decisions: np.ndarray, as_group: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Expected decisions (S, n) of images of which all are said to be of another group, each other one alike.

    `decisions` (S, n) with the right groups; `as_group` (G, S, n) were every image said to be of each group; `groups`
    (n,), -1 = unknown: these stay unknown.
    """
    own = np.take_along_axis(as_group, np.maximum(groups, 0)[None, None, :], axis=0)[0]
    others = (as_group.sum(axis=0) - own) / max(1, len(as_group) - 1)
    return np.where(groups >= 0, others, decisions)
