"""Thresholds found on scores whose labels are known; an image is called sick when score >= threshold.

`weights` (n,) say how much each image counts, at any scale; None counts every image once.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDING = 1e-9
"""By how much a share may miss its target: sums of weights are exact to a few parts in 1e13."""


def rates_by_threshold(
    scores: Array, labels: NDArray[np.int64], weights: Array | None = None
) -> tuple[Array, Array, Array]:
    """Every threshold that changes a decision, rising, its TPR and its FPR, each (k,).

    Thresholds lie half-way between neighbouring scores, after one that calls all sick and before one that calls none.
    Raises ValueError when a label is absent: its rate is then not defined.
    """
    if len(np.unique(labels)) < 2:
        raise ValueError("a threshold is fitted on sick and healthy images; only one of the two is there.")
    weights = np.ones(len(scores)) if weights is None else weights
    values, positions = np.unique(scores, return_inverse=True)
    middle = (values[:-1] + values[1:]) / 2
    # neighbours so close that their middle rounds down to the lower one are told apart by the upper one
    middle = np.where(middle > values[:-1], middle, values[1:])
    candidates = np.concatenate([values[:1], middle, [np.nextafter(values[-1], np.inf)]])
    rates = []
    for label in (1, 0):
        own = labels == label
        mass = np.bincount(positions[own], weights=weights[own], minlength=len(values))
        missed = np.concatenate([[0], np.cumsum(mass)])
        rates.append((missed[-1] - missed) / missed[-1])
    return candidates, rates[0], rates[1]


def most_useful(candidates: Array, utility: Array) -> float:
    """The threshold of highest utility; among equals, the one nearest to 0.5, then the lower one."""
    best = candidates[utility >= utility.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def balanced(tpr: Array, fpr: Array) -> Array:
    """Balanced accuracy."""
    return (tpr + 1 - fpr) / 2


def best_threshold(scores: Array, labels: NDArray[np.int64], weights: Array | None = None) -> float:
    """The threshold of highest balanced accuracy; among equals, the one nearest to 0.5, then the lower one."""
    candidates, *rates = rates_by_threshold(scores, labels, weights)
    return most_useful(candidates, balanced(*rates))


def share_from(threshold: float, scores: Array, weights: Array | None = None) -> float:
    """The share, 0 to 1, of the scores that are called sick."""
    return float(np.average(scores >= threshold, weights=weights))


def threshold_reaching(target: float, scores: Array, weights: Array | None = None) -> float:
    """The highest threshold at which at least a share `target` (0 to 1) of the scores are called sick.

    It is a score; above all of them when the target is 0.
    """
    falling, reached = _from_above(scores, weights)
    if target <= ROUNDING:
        return float(np.nextafter(falling[0], np.inf))
    return float(falling[min(np.searchsorted(reached, target - ROUNDING), len(falling) - 1)])


def threshold_keeping_under(target: float, scores: Array, weights: Array | None = None) -> float:
    """The lowest threshold at which at most a share `target` (0 to 1) of the scores are called sick.

    It lies just above a score; -inf when the target is 1.
    """
    falling, reached = _from_above(scores, weights)
    allowed = int(np.searchsorted(reached, target + ROUNDING, side="right"))
    return float(np.nextafter(falling[allowed], np.inf)) if allowed < len(falling) else -np.inf


def _from_above(scores: Array, weights: Array | None) -> tuple[Array, Array]:
    """Scores, falling, and the share of the whole down to each, both (n,)."""
    order = np.argsort(scores, kind="stable")[::-1]
    mass = np.cumsum(np.ones(len(scores)) if weights is None else weights[order])
    return scores[order], mass / mass[-1]
