"""Differences between groups: `group - reference`."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.population import Population

SCHEMA = {
    **{name: pl.String for name in ("attribute", "contrast", "metric", "unit")},
    **{"images": pl.Int64, "patients": pl.Int64, "estimable": pl.Boolean},
}


def gaps(levels: Figures, population: Population) -> Figures:
    """For each attribute and metric of `levels`, the difference of each group and the reference.

    0 means that both groups fare alike, above 0 that the group has more. Estimable where both groups are; `patients` are those of the
    smaller group. An attribute's first group is compared first.
    """
    return levels.contrast(*differences(levels.index, population))


def differences(
    levels: pl.DataFrame, population: Population, metrics: Sequence[str] | None = None
) -> tuple[pl.DataFrame, Array]:
    """Index (L rows) and matrix (K, L) of the gaps in some metrics, by default all, of K levels with such an index."""
    own = levels.select("attribute", "group", "metric", "unit", "images", "patients", "estimable").rows()
    at = {row[:3]: k for k, row in enumerate(own)}
    there = levels["metric"].unique(maintain_order=True).to_list()
    rows, pairs = [], []
    for name, attribute in population.attributes.items():
        for metric in there if metrics is None else [m for m in there if m in metrics]:
            for group in attribute.groups:
                if group == attribute.reference:
                    continue
                pair = at[name, group, metric], at[name, attribute.reference, metric]
                contrast = f"{group} - {attribute.reference}"
                rows.append((name, contrast, metric, *_together(*(own[k][3:] for k in pair))))
                pairs.append(pair)
    matrix = np.zeros((levels.height, len(pairs)))
    for k, (one, two) in enumerate(pairs):
        matrix[one, k], matrix[two, k] = 1, -1
    return pl.DataFrame(rows, schema=SCHEMA, orient="row"), matrix


def _together(one: tuple, two: tuple) -> tuple[str, int, int, bool]:
    """Unit, images of both groups, patients of the smaller one, and whether both are estimable."""
    return one[0], one[1] + two[1], min(one[2], two[2]), one[3] and two[3]
