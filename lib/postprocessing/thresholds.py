"""Thresholds found on scores whose labels are known; an image is called sick when score >= threshold."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rates_by_threshold(scores: Array, labels: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Every threshold that changes a decision, rising, its TPR and its FPR, each (k,).

    Thresholds lie half-way between neighbouring scores, after one that calls all sick and before one that calls none.
    Raises ValueError when a label is absent: its rate is then not defined.
    """
    if len(np.unique(labels)) < 2:
        raise ValueError("a threshold is fitted on sick and healthy images; only one of the two is there.")
    values, positions = np.unique(scores, return_inverse=True)
    middle = (values[:-1] + values[1:]) / 2
    # neighbours so close that their middle rounds down to the lower one are told apart by the upper one
    middle = np.where(middle > values[:-1], middle, values[1:])
    candidates = np.concatenate([values[:1], middle, [np.nextafter(values[-1], np.inf)]])
    rates = []
    for label in (1, 0):
        count = np.bincount(positions[labels == label], minlength=len(values))
        missed = np.concatenate([[0], np.cumsum(count)])
        rates.append((count.sum() - missed) / count.sum())
    return candidates, rates[0], rates[1]


def balanced_accuracies(scores: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
    """Every threshold that changes a decision, rising, and its balanced accuracy (TPR + 1 - FPR) / 2, each (k,)."""
    candidates, tpr, fpr = rates_by_threshold(scores, labels)
    return candidates, (tpr + 1 - fpr) / 2


def most_useful(candidates: Array, utility: Array) -> float:
    """The threshold of highest utility; among equals, the one nearest to 0.5, then the lower one."""
    best = candidates[utility >= utility.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def best_threshold(scores: Array, labels: NDArray[np.int64]) -> float:
    """The threshold of highest balanced accuracy; among equals, the one nearest to 0.5, then the lower one."""
    return most_useful(*balanced_accuracies(scores, labels))


def threshold_reaching(target: float, scores: Array) -> float:
    """The highest threshold at which at least a share `target` (0 to 1) of the scores are called sick.

    It is the score of rank ceil(target k) from above among the k; above all of them when the target is 0.
    """
    needed = int(np.ceil(target * len(scores) - 1e-9))
    falling = np.sort(scores)[::-1]
    return float(falling[needed - 1]) if needed > 0 else float(np.nextafter(falling[0], np.inf))


def threshold_keeping_under(target: float, scores: Array) -> float:
    """The lowest threshold at which at most a share `target` (0 to 1) of the scores are called sick.

    It lies just above the score of rank floor(target k) + 1 from above among the k; -inf when the target is 1.
    """
    allowed = int(np.floor(target * len(scores) + 1e-9))
    falling = np.sort(scores)[::-1]
    return float(np.nextafter(falling[allowed], np.inf)) if allowed < len(scores) else -np.inf
