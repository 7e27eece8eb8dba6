"""Randomised thresholds that make error rates alike between groups, exactly or within a slack, at the least price."""

import numpy as np

from lib.postprocessing.group_thresholds import best_of
from lib.postprocessing.hull import Hull
from lib.postprocessing.rules import Mixture
from lib.postprocessing.sample import Sample
from lib.postprocessing.thresholds import Array

Points = dict[int, tuple[float, float]]
"""(FPR, TPR) that each group is given."""
COARSE, FINE, ROUNDS = 61, 21, 4
"""Points a side of the first search grid, of the finer ones around its best, and how many of these."""


def equalized_odds(sample: Sample, smallest_cell: int) -> Mixture:
    """Every group has the same TPR and the same FPR, those of highest balanced accuracy. Needs the group.

    All groups meet at one point under every group's ROC hull, so a group whose scores carry no signal pulls all others
    down to chance. Randomised. Source: Hardt et al. 2016, arXiv 1610.02413.
    """
    hulls = _hulls(sample, smallest_cell)
    if not hulls:
        return Mixture(best_of(sample))
    fpr = np.unique(np.concatenate([np.linspace(0, 1, 1001), *(hull.fpr for hull in hulls.values())]))
    tpr = np.min([hull.highest_tpr(fpr) for hull in hulls.values()], axis=0)
    best = int(np.argmax(tpr - fpr))
    return _rule(sample, hulls, dict.fromkeys(hulls, (float(fpr[best]), float(tpr[best]))))


def equal_opportunity(sample: Sample, smallest_cell: int) -> Mixture:
    """Every group has the same TPR, at which everyone's balanced accuracy is highest. Needs the group. Randomised.

    Source: Hardt et al. 2016, arXiv 1610.02413.
    """
    return relaxed(sample, smallest_cell, tpr=0.0)


def relaxed(sample: Sample, smallest_cell: int, *, tpr: float = 1.0, fpr: float = 1.0) -> Mixture:
    """The highest balanced accuracy of everyone while TPRs, and FPRs, differ by at most these slacks (0 to 1).

    Slack 0 is parity, slack 1 asks for nothing. Needs the group when predicting. Randomised. For any window
    [t, t + tpr] x [f, f + fpr] each group's best point under its concave hull has a closed form; the window is found by
    a grid that is refined four times, since the price is concave in (t, f). Source: Cruz & Hardt 2023, arXiv 2306.07261.
    """
    hulls = _hulls(sample, smallest_cell)
    if not hulls:
        return Mixture(best_of(sample))
    shares = {g: (len(sample.of(g).sick), len(sample.of(g).healthy)) for g in hulls}
    total = [sum(share[side] for share in shares.values()) for side in (0, 1)]
    weights = {g: (sick / total[0], healthy / total[1]) for g, (sick, healthy) in shares.items()}
    t, f = _best_window(hulls, weights, tpr, fpr)
    points = {}
    for g, hull in hulls.items():
        own_fpr, own_tpr, _ = _in_window(hull, weights[g], np.array(t), np.array(f), tpr, fpr)
        points[g] = (float(own_fpr), float(own_tpr))
    return _rule(sample, hulls, points)


def _best_window(
    hulls: dict[int, Hull], weights: dict[int, tuple[float, float]], tpr: float, fpr: float
) -> tuple[float, float]:
    low, high = np.zeros(2), np.array([1.0 if slack < 1 else 0.0 for slack in (tpr, fpr)])
    best = np.zeros(2)
    for k in range(1 + ROUNDS):
        sides = [
            np.linspace(a, b, (FINE if k else COARSE)) if b > a else np.array([a])
            for a, b in zip(low, high, strict=True)
        ]
        t, f = (axis.ravel() for axis in np.meshgrid(*sides, indexing="ij"))
        value = np.zeros(len(t))
        for g, hull in hulls.items():
            own_fpr, own_tpr, possible = _in_window(hull, weights[g], t, f, tpr, fpr)
            value += np.where(possible, weights[g][0] * own_tpr - weights[g][1] * own_fpr, -np.inf)
        top = int(np.argmax(value))
        best = np.array([t[top], f[top]])
        step = np.array([side[1] - side[0] if len(side) > 1 else 0.0 for side in sides])
        low, high = np.clip(best - 1.5 * step, 0, 1), np.clip(best + 1.5 * step, 0, 1)
    return float(best[0]), float(best[1])


def _in_window(
    hull: Hull, weight: tuple[float, float], t: Array, f: Array, tpr: float, fpr: float
) -> tuple[Array, Array, Array]:
    """The group's best FPR and TPR in each window, and whether the window can be reached."""
    least = np.maximum(f, hull.lowest_fpr(t))
    most = np.minimum(f + fpr, hull.lowest_fpr(np.minimum(t + tpr, 1)))
    own_fpr = np.maximum(least, np.minimum(hull.best(*weight)[0], most))
    own_tpr = np.minimum(hull.highest_tpr(own_fpr), t + tpr)
    return own_fpr, own_tpr, least <= f + fpr + 1e-12


def _hulls(sample: Sample, smallest_cell: int) -> dict[int, Hull]:
    return {g: sample.of(g).hull for g in sample.fittable(smallest_cell)}


def _rule(sample: Sample, hulls: dict[int, Hull], points: Points) -> Mixture:
    return Mixture(best_of(sample), {g: hull.reach(*points[g]) for g, hull in hulls.items()})
