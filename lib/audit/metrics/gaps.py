"""Differences between groups: `group - reference`."""

import numpy as np
import polars as pl

from lib.audit.columns import COUNTED
from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.population import Population


def gaps(levels: Figures, population: Population) -> Figures:
    """The difference of each group and the reference in whatever `levels` tell of both.

    0 means that both groups fare alike, above 0 that the group has more. Estimable where both groups are; `images` and
    `patients` are those of the smaller one.
    """
    return levels.contrast(*differences(levels.index, population))


def differences(levels: pl.DataFrame, population: Population) -> tuple[pl.DataFrame, Array]:
    """Index (L rows) and matrix (K, L) of the gaps of K levels: an index with `attribute`, `group`, and other columns.

    Columns beside these and the counts name what is compared.
    """
    pairs = [
        (own.name, group, own.reference, contrast)
        for own in population.attributes.values()
        for contrast, group in own.contrasts.items()
    ]
    pairs = pl.DataFrame(
        pairs, dict.fromkeys(("attribute", "group", "_reference", "contrast"), pl.String), orient="row"
    )
    counts = [name for name in COUNTED if name in levels.columns]
    alike = ["attribute", *(name for name in levels.columns if name not in ("attribute", "group", *counts))]
    levels = levels.with_row_index("_at")
    found = levels.join(pairs, on=["attribute", "group"], maintain_order="left").join(
        levels, left_on=[*alike, "_reference"], right_on=[*alike, "group"], maintain_order="left"
    )
    found = found.sort(pl.col("_at").min().over(alike), maintain_order=True)  # groups that are compared in one thing
    matrix = np.zeros((levels.height, found.height))
    matrix[found["_at"], np.arange(found.height)] = 1
    matrix[found["_at_right"], np.arange(found.height)] = -1
    smaller = [pl.min_horizontal(name, f"{name}_right") for name in counts]
    return found.select("attribute", "contrast", *alike[1:], "group", *smaller), matrix
