"""AUC of scores, overall and per group, in the sample and, to first order, in every resample of patients."""

import numpy as np
from numpy.typing import NDArray

from lib.audit.population import Population
from lib.audit.rates import check_rows
from lib.audit.resampling import AndLeftOut, Array, Counts, resampled_sums


def auc(population: Population, scores: Array) -> Array:
    """AUC (S, G) of scores (S, n) in the G cells of the population.

    Chance that a sick image scores above a healthy one of the same cell, ties counted half: 1 = every sick image is
    above every healthy one, .5 = no order. NaN where a cell lacks a label. Raises ValueError for scores that are not
    (S, n) finite numbers. Source: Hanley & McNeil 1982, doi 10.1148/radiology.143.1.7063747.
    """
    scores = check_rows(population, scores, "scores")
    sides = _sides(population)
    return np.stack([_means(placements(row, sides), sides)[1] for row in scores])


def resampled_auc(population: Population, scores: Array, counts: Counts | AndLeftOut) -> Array:
    """AUC in each resample, (B, S, G), for patient counts (B, P), to first order.

    An image's placement is the share of the other side, in its cell of the sample, that it is rightly ordered with; the
    AUC is the mean placement of the sick, and that of the healthy. In a resample: mean placement of the drawn sick + that
    of the drawn healthy - AUC. What is left out, the chance meeting of drawn sick with drawn healthy, is smaller by the
    square root of the number of patients. Sums by patient suffice, so that resamples cost a matrix product, not a
    sorting. NaN where a resample lacks a label. Source: DeLong, DeLong & Clarke-Pearson 1988, doi 10.2307/2531595; for
    patients with several images Obuchowski 1997, doi 10.2307/2533958.
    """
    scores = check_rows(population, scores, "scores")
    sides = _sides(population)
    cells = len(population.cells)
    found = [placements(row, sides) for row in scores]
    table = np.concatenate([np.concatenate(sides, axis=1), *found], axis=1)
    sums = resampled_sums(counts, population.sums_by_patient(table)).reshape(len(counts), 1 + len(scores), 2, cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[:, 1:] / sums[:, :1]
    return means.sum(axis=2) - np.stack([_means(row, sides)[1] for row in found])


Sides = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def _sides(population: Population) -> Sides:
    """Healthy and sick images of each cell, (n, G) each."""
    members = np.stack([cell.images for cell in population.cells], axis=1)
    sick = population.labels[:, None] == 1
    return members & ~sick, members & sick


def placements(scores: Array, sides: Sides) -> Array:
    """Placements (n, 2G) of scores (n,): of the healthy of each cell, then of the sick; 0 for images outside of it."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    ends = np.searchsorted(ordered, ordered, side="right")
    found = []
    for own, other, of_sick in ((sides[0], sides[1], False), (sides[1], sides[0], True)):
        running = np.zeros((len(scores) + 1, own.shape[1]), dtype=np.int32)
        np.cumsum(other[order], axis=0, out=running[1:])
        below = (running[starts] + running[ends]) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            share = below / running[-1]
        placed = np.empty_like(share)
        placed[order] = share if of_sick else 1 - share
        found.append(np.where(own, placed, 0))
    return np.concatenate(found, axis=1)


def _means(placed: Array, sides: Sides) -> tuple[Array, Array]:
    """Mean placement of the healthy and of the sick in each cell, (G,) each: both are the AUC."""
    healthy, sick = (side.sum(axis=0) for side in sides)
    sums = placed.sum(axis=0).reshape(2, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[0] / healthy, sums[1] / sick
