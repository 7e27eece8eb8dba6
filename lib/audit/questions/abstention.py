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

from lib.audit.columns import COUNTED, STANDARD, F, S
from lib.audit.context import Context
from lib.audit.questions._curves import Array, Shares, levels_and_gaps, means, once_each
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "abstention"
KEYS = ("attribute", "group", "share", "metric")
schema = {"attribute": S, "group": S, "contrast": S, "share": F, "metric": S} | STANDARD | COUNTED
needs = ("scores",)
SHARES = (0.0, 0.1, 0.2, 0.3)


def compute(context: Context) -> list[pl.DataFrame]:
    population = context.population
    cells = np.stack([cell.images for cell in population.cells], axis=1)
    asked = {"referred": cells} | {
        metric: cells & (population.labels == label)[:, None] for metric, label in (("tpr", 1), ("fpr", 0))
    }
    shares = []
    for scores, decisions in zip(context.scores[BASELINE_WEIGHTING], context.decisions[BASELINE], strict=True):
        parts = []
        for share in SHARES:
            away = referred(scores, population.patients, share)
            left = {metric: (decisions, images & ~away[:, None]) for metric, images in asked.items()}
            parts += [Shares.of(population, *own) for own in (left | {"referred": (away, cells)}).values()]
        shares.append(Shares.beside(parts))
    keys = [
        (cell.attribute, cell.group, share, metric) for share in SHARES for metric in asked for cell in population.cells
    ]
    images = np.tile(np.concatenate([own.sum(axis=0) for own in asked.values()]), len(SHARES))
    return levels_and_gaps(context, means(context, keys, KEYS, shares, images, proportion=True))


def referred(scores: Array, patients: Array, share: float) -> Array:
    """Whether each image is among the least sure, (n,): as many, in order, as make up at most a share of all patients."""
    sure = np.abs(scores - 0.5)
    order = np.argsort(sure, kind="stable")
    part = once_each(patients, np.ones(len(scores), dtype=bool))
    reached = np.cumsum(part[order]) / part.sum()
    away = np.zeros(len(scores), dtype=bool)
    away[order[reached <= share + 1e-12]] = True
    return away
