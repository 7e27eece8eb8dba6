"""AUC of scores, overall and per group, in the sample and in every resample of patients."""

import numpy as np
from numpy.typing import NDArray

from lib.audit.population import Population
from lib.audit.rates import check_rows
from lib.audit.resampling import Array, Counts, chunks


def auc(population: Population, scores: Array) -> Array:
    """AUC (S, G) of scores (S, n) in the G cells of the population.

    Chance that a sick image scores above a healthy one of the same cell, ties counted half: 1 = every sick image is
    above every healthy one, .5 = no order. NaN where a cell lacks a label. Raises ValueError for scores that are not
    (S, n) finite numbers. Source: Hanley & McNeil 1982, doi 10.1148/radiology.143.1.7063747.
    """
    return resampled_auc(population, scores, np.ones((1, population.n_patients), dtype=np.uint16))[0]


def resampled_auc(population: Population, scores: Array, counts: Counts) -> Array:
    """AUC in each resample, (B, S, G), for patient counts (B, P).

    Sum over sick i of w_i (N(<s_i) + N(<=s_i)) / 2, over W_sick W_healthy: w = how often an image was drawn, N = drawn
    healthy images below its score. Images are sorted once; N is a running sum over all replicates at once.
    """
    scores = check_rows(population, scores, "scores")
    sides = [_sides(population, row, cell.images) for row in scores for cell in population.cells]
    out = np.empty((len(counts), len(sides)))
    for rows in chunks(len(counts), population.n_images * 2):
        weights = counts[rows].T.astype(np.float64)  # (P, b): images are gathered as contiguous rows
        for k, (sick, healthy, below, up_to) in enumerate(sides):
            out[rows, k] = _weighted_auc(weights, sick, healthy, below, up_to)
    return out.reshape(len(counts), len(scores), len(population.cells))


Side = NDArray[np.int64]


def _sides(population: Population, scores: Array, images: NDArray[np.bool_]) -> tuple[Side, Side, Side, Side | None]:
    """Patients of the sick and of the healthy (by rising score), and healthy images below / up to each sick score."""
    sick, healthy = (np.flatnonzero(images & (population.labels == label)) for label in (1, 0))
    healthy = healthy[np.argsort(scores[healthy], kind="stable")]
    below = np.searchsorted(scores[healthy], scores[sick], side="left")
    up_to = np.searchsorted(scores[healthy], scores[sick], side="right")
    tied = bool((below != up_to).any())
    return population.patients[sick], population.patients[healthy], below, up_to if tied else None


def _weighted_auc(weights: Array, sick: Side, healthy: Side, below: Side, up_to: Side | None) -> Array:
    running = np.zeros((len(healthy) + 1, weights.shape[1]))
    np.cumsum(weights[healthy], axis=0, out=running[1:])
    drawn = weights[sick]
    wins = np.einsum("ib,ib->b", drawn, running[below])
    if up_to is not None:
        wins = (wins + np.einsum("ib,ib->b", drawn, running[up_to])) / 2
    with np.errstate(invalid="ignore"):
        return wins / (drawn.sum(axis=0) * running[-1])
