"""Does the model make more of a group than the data do? Directional bias amplification, from attribute to task."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.estimates import Estimates
from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.multiplicity import holm_by_family, verdict
from lib.audit.population import Population
from lib.audit.rates import RATES, estimable
from lib.audit.resampling import Array, Counts, interval_within, percentile_interval, resampled_sums, two_sided_p
from lib.names import AMPLIFICATION, NOT_ESTIMABLE, UNDECIDED, attribute_named

SCHEMA = METHOD | {
    **{name: pl.String for name in ("attribute", "contrast", "quantity")},
    **{name: pl.Float64 for name in ("value", "low", "high", "p", "p_holm")},
    "verdict": pl.String,
    "estimable": pl.Boolean,
}


def prevalence(population: Population, counts: Counts) -> Array:
    """Share of sick images in each cell and resample, (B, G), for patient counts (B, P); NaN where nobody is drawn."""
    members = np.stack([cell.images for cell in population.cells], axis=1)
    table = np.concatenate([members & (population.labels[:, None] == 1), members], axis=1)
    sick, images = np.split(resampled_sums(counts, population.sums_by_patient(table)), 2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sick / images


def directional(shares: Array, called: Array, sides: NDArray[np.int64]) -> Array:
    """Bias amplification A -> T, (...), from the shares of sick and of called sick, (..., G), of the G groups.

    mean over groups of side_a (P(called sick | a) - P(sick | a)), with side_a = 1 where the group is sick more often than
    everyone and -1 elsewhere: above 0 the decisions depend on the group, in the direction of the data, more than the
    labels of the same images do; below 0, less. One task (sick); a second one (healthy) would repeat it.
    Source: Wang & Russakovsky 2021, arXiv 2102.12594.
    """
    return (sides * (called - shares)).mean(axis=-1)


def amplification_rows(
    method: Method, population: Population, found: Estimates, shares: tuple[Array, Array], smallest_cell: int
) -> Iterator[tuple]:
    """Rows of one method, before Holm; `shares` are the prevalences (G,) in the sample and (B, G) in the resamples.

    For each `group - reference`: `data`, the difference of the shares of sick, `model`, that of the shares called sick, and
    `excess` = model - data; these are told, not tested. Under the contrast `all groups`: `amplification`, tested.
    Both are of the same images. The sides are those of the sample and held in the resamples, and no verdict is given
    unless each group's share of sick differs from everyone's beyond noise: a side chosen by chance amplifies by chance.
    """
    m = RATES.index("selection_rate")
    enough = estimable(population, ("selection_rate",), smallest_cell)[:, 0]
    data, drawn = shares
    model, redrawn = found.values[:, m], found.replicates[..., m]
    asked, figures = [], []
    for attribute in population.groups:
        own = attribute_named(attribute)
        at = {cell.group: g for g, cell in enumerate(population.cells) if cell.attribute == attribute}
        for group in own.groups:
            if group != own.reference:
                pair = [at[group], at[own.reference]]
                known = bool(enough[pair].all())
                for quantity, (value, replicates) in {
                    "data": (data[pair], drawn[:, pair]),
                    "model": (model[pair], redrawn[:, pair]),
                    "excess": ((model - data)[pair], (redrawn - drawn)[:, pair]),
                }.items():
                    asked.append((attribute, f"{group} - {own.reference}", quantity, None, known))
                    figures.append((value[0] - value[1], replicates[:, 0] - replicates[:, 1]))
        cells = list(at.values())
        sides = np.where(data[cells] > data[0], 1, -1)
        word = None if _apart(drawn[:, cells] - drawn[:, :1]) else UNDECIDED
        asked.append((attribute, AMPLIFICATION, "amplification", word, bool(enough[cells].all())))
        figures.append(
            (directional(data[cells], model[cells], sides), directional(drawn[:, cells], redrawn[:, cells], sides))
        )
    drawn = np.stack([replicates for _, replicates in figures], axis=1)
    told = np.array([[value for value, _ in figures], *interval_within(drawn), two_sided_p(drawn)])
    for (attribute, contrast, quantity, word, known), numbers in zip(asked, told.T, strict=True):
        tested = quantity == "amplification"
        shown = optional(np.where([True, True, True, tested], numbers, np.nan)) if known else [None] * 4
        yield *method, attribute, contrast, quantity, *shown, word, known


def _apart(replicates: Array) -> bool:
    """Whether the intervals of all columns of replicates (B, K) leave 0 out."""
    low, high = percentile_interval(replicates)
    return bool(((low > 0) | (high < 0)).all())


def amplification(rows: list[tuple]) -> pl.DataFrame:
    """The table of all methods: Holm over the attributes of a method; `verdict` amplifies, dampens or undecided."""
    p_holm = holm_by_family([row[:3] for row in rows], [row[9] for row in rows])
    done = []
    for row, adjusted in zip(rows, p_holm, strict=True):
        word, known = row[10], row[11]
        if row[5] == "amplification":
            word = word if known and word else verdict(row[7], row[8], adjusted, up="amplifies", down="dampens")
        done.append((*row[:10], adjusted, word if known else NOT_ESTIMABLE, known))
    return frame(done, SCHEMA)
