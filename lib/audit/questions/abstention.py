"""What if the least sure decisions were left to a radiologist? Who is referred, and the rates of the rest. By patient, baseline.

A network's `share` (0, 10, 20, 30 %) of lowest |score - 0.5| over everyone, every patient counting once, is referred:
  referred   share of the group's patients' images that is
  tpr, fpr   of the group's images that are not
`contrast` null: levels; else group - reference. Refer evenly and rates improve for all; a group whose scores lie near 0.5 is
referred more often, and what is left may be less fair: Jones et al. 2021, arXiv 2010.14134 (selective classification); Geifman & El-Yaniv
2017, arXiv 1705.08500. Needs no group when deciding. The cut is held as it is in the sample. Means over networks; intervals over
patients.
"""

import numpy as np
import polars as pl

from lib.audit.columns import STANDARD, B, F, I, S, with_figures
from lib.audit.context import Context
from lib.audit.inference import ratio
from lib.audit.questions._curves import Array, Shares, levels_and_gaps, once_each
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "abstention"
KEYS = {"attribute": S, "group": S, "contrast": S, "share": F, "metric": S, "images": I, "patients": I, "estimable": B}
schema = with_figures(KEYS, STANDARD)
needs = ("scores",)
SHARES = (0.0, 0.1, 0.2, 0.3)
METRICS = ("referred", "tpr", "fpr")


def compute(context: Context) -> list[pl.DataFrame]:
    population = context.population
    cells = np.stack([cell.images for cell in population.cells], axis=1)
    sides = [cells, *(cells & (population.labels == label)[:, None] for label in (1, 0))]
    numerators, denominators = [], []
    for scores, decisions in zip(context.scores[BASELINE_WEIGHTING], context.decisions[BASELINE], strict=True):
        parts = []
        for share in SHARES:
            away = referred(scores, population.patients, share)
            asked = [(away, sides[0]), *((decisions, side & ~away[:, None]) for side in sides[1:])]
            parts += [
                Shares.of(population, np.broadcast_to(row[:, None], side.shape) * 1.0, side) for row, side in asked
            ]
        numerators.append(np.concatenate([own.totals for own in parts], axis=1))
        denominators.append(np.concatenate([own.there for own in parts], axis=1))
    fewest = np.min([own.sum(axis=0) for own in denominators], axis=0).astype(int)
    rows = []
    for share in SHARES:
        for metric, side in zip(METRICS, sides, strict=True):
            for g, cell in enumerate(population.cells):
                patients = int(fewest[len(rows)])
                counts = int(side[:, g].sum()), patients, patients >= max(1, context.smallest_cell)
                rows.append((cell.attribute, cell.group, None, share, metric, *counts))
    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    levels = ratio(
        index,
        BASELINE_WEIGHTING,
        np.stack(numerators),
        np.stack(denominators),
        images=index["images"].to_numpy(),
        proportion=True,
    )
    return levels_and_gaps(context, levels, KEYS)


def referred(scores: Array, patients: Array, share: float) -> Array:
    """Whether each image is among the least sure, (n,): as many, in order, as make up at most a share of all patients."""
    sure = np.abs(scores - 0.5)
    order = np.argsort(sure, kind="stable")
    part = once_each(patients, np.ones(len(scores), dtype=bool))
    reached = np.cumsum(part[order]) / part.sum()
    away = np.zeros(len(scores), dtype=bool)
    away[order[reached <= share + 1e-12]] = True
    return away
