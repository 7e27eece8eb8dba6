"""Randomised thresholds that make error rates alike between groups, at the least price.

fairlearn's `ThresholdOptimizer` (0.15) solves the exact cases and is the oracle of the tests, with the same balanced accuracy within
4e-5 on a real cohort. It does not do this work, for it takes no weights (a fit by patient would need each image repeated until all
patients are equal), and takes 0.08 to 0.23 s a fit where this takes 0.002 to 0.008 (1,500 and 5,000 images, three groups):
with six fits for each of the networks, targets and both constraints, 2 minutes of a grid of 20 weightings and 2 networks instead of 5 s.
"""

import numpy as np

from lib.postprocessing.group_thresholds import best_of
from lib.postprocessing.hull import Hull
from lib.postprocessing.rules import Mixture
from lib.postprocessing.sample import Sample

Points = dict[int, tuple[float, float]]
"""(FPR, TPR) that each group is given."""


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

    The lowest FPR under a concave hull is piecewise linear in the TPR, so that the best TPR is that of some hull's corner.
    Source: Hardt et al. 2016, arXiv 1610.02413.
    """
    hulls = _hulls(sample, smallest_cell)
    if not hulls:
        return Mixture(best_of(sample))
    shares = {g: sample.share_of(g, 0) for g in hulls}
    tpr = np.unique(np.concatenate([hull.tpr for hull in hulls.values()]))
    fpr = sum(shares[g] * hull.lowest_fpr(tpr) for g, hull in hulls.items()) / sum(shares.values())
    best = float(tpr[np.argmax(tpr - fpr)])
    return _rule(sample, hulls, {g: (float(hull.lowest_fpr(best)), best) for g, hull in hulls.items()})


def _hulls(sample: Sample, smallest_cell: int) -> dict[int, Hull]:
    return {g: sample.of(g).hull for g in sample.fittable(smallest_cell)}


def _rule(sample: Sample, hulls: dict[int, Hull], points: Points) -> Mixture:
    return Mixture(best_of(sample), {g: hull.reach(*points[g]) for g, hull in hulls.items()})
