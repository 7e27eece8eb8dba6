"""Randomised thresholds that make error rates alike between groups, exactly or within a slack, at the least price.

fairlearn's `ThresholdOptimizer` (0.15) solves the exact cases and is the oracle of the tests, with the same balanced accuracy within
4e-5 on a real cohort. It does not do this work, for it takes no weights (a fit by patient would need each image repeated until all
patients are equal), knows no slack, and takes 0.08 to 0.23 s a fit where this takes 0.002 to 0.008 (1,500 and 5,000 images, three groups):
with six fits for each of the networks, targets and both constraints, 2 minutes of a grid of 20 weightings and 2 networks instead of 5 s.
"""

from collections.abc import Sequence

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
    return relaxed(sample, smallest_cell, tpr=[0.0])[0]


def relaxed(
    sample: Sample, smallest_cell: int, *, tpr: Sequence[float] | None = None, fpr: Sequence[float] | None = None
) -> list[Mixture]:
    """The highest balanced accuracy of everyone while TPRs, and FPRs, differ by at most each of these slacks (0 to 1).

    One rule for each slack, `tpr` and `fpr` in step; None leaves a rate free. Slack 0 is parity, slack 1 asks for nothing.
    Needs the group when predicting. Randomised. For any window [t, t + slack] x [f, f + slack] each group's best point
    under its concave hull has a closed form; the window is found by a grid that is refined four times, since the price is
    concave in (t, f). Source: Cruz & Hardt 2023, arXiv 2306.07261.
    """
    slacks = [np.array(tpr or [1.0] * len(fpr)), np.array(fpr or [1.0] * len(tpr))]
    hulls = _hulls(sample, smallest_cell)
    if not hulls:
        return [Mixture(best_of(sample))] * len(slacks[0])
    shares = {g: (sample.share_of(g, 1), sample.share_of(g, 0)) for g in hulls}
    total = [sum(share[side] for share in shares.values()) for side in (0, 1)]
    weights = {g: (sick / total[0], healthy / total[1]) for g, (sick, healthy) in shares.items()}
    slacks = [slack[:, None] for slack in slacks]
    t, f = _best_windows(hulls, weights, *slacks)
    points = {g: _in_window(hull, weights[g], t, f, *slacks)[:2] for g, hull in hulls.items()}
    return [
        _rule(sample, hulls, {g: (float(x[k, 0]), float(y[k, 0])) for g, (x, y) in points.items()})
        for k in range(len(t))
    ]


def _best_windows(
    hulls: dict[int, Hull], weights: dict[int, tuple[float, float]], tpr: Array, fpr: Array
) -> tuple[Array, Array]:
    """Lower ends (K, 1) of the best window of TPRs and of FPRs, for K slacks, each (K, 1)."""
    ends = [np.where(slack < 1, 1.0, 0.0) for slack in (tpr, fpr)]  # a free rate needs no search
    low, high = [np.zeros_like(end) for end in ends], ends
    for k in range(1 + ROUNDS):
        sides = [np.linspace(0, 1, (FINE if k else COARSE) if end.any() else 1) for end in ends]
        t, f = (
            a + (b - a) * part.ravel()[None, :]
            for a, b, part in zip(low, high, np.meshgrid(*sides, indexing="ij"), strict=True)
        )
        value = np.zeros(t.shape)
        for g, hull in hulls.items():
            own_fpr, own_tpr, possible = _in_window(hull, weights[g], t, f, tpr, fpr)
            value += np.where(possible, weights[g][0] * own_tpr - weights[g][1] * own_fpr, -np.inf)
        top = np.argmax(value, axis=1)[:, None]
        best = [np.take_along_axis(axis, top, axis=1) for axis in (t, f)]
        step = [1.5 * (b - a) / max(1, len(side) - 1) for a, b, side in zip(low, high, sides, strict=True)]
        low, high = (
            [np.clip(b + sign * s, 0, end) for b, s, end in zip(best, step, ends, strict=True)] for sign in (-1, 1)
        )
    return best[0], best[1]


def _in_window(
    hull: Hull, weight: tuple[float, float], t: Array, f: Array, tpr: Array, fpr: Array
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
