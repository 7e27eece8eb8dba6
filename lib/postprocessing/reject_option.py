"""Reject option: near the threshold, decide by group instead of by score."""

from itertools import product

import numpy as np

from lib.postprocessing.group_thresholds import best_of
from lib.postprocessing.rules import Thresholds
from lib.postprocessing.sample import Sample
from lib.postprocessing.thresholds import Array

BOUND = 0.05
"""The TPR gap that is to be kept within."""
THRESHOLDS, BANDS = 25, 20
"""How many thresholds and half-widths of the band are tried."""


def reject_option(sample: Sample, smallest_cell: int) -> Thresholds:
    """Within a band around one threshold, groups on one side are all called sick, the others all healthy. Needs the group.

    Threshold, half-width of the band and the side of every group (each of the 2^G - 2 ways) are those of highest balanced
    accuracy for everyone among those with a TPR gap of at most 0.05, else those with the smallest gap: the direction is
    found, not assumed. A band is the same as a threshold per group, so it is given as one.
    Source: Kamiran, Karim and Zhang 2012, doi 10.1109/ICDM.2012.45.
    """
    groups = sample.fittable(smallest_cell)
    middle = best_of(sample)
    if len(groups) < 2:
        return Thresholds(middle)
    shares = np.linspace(0.02, 0.98, THRESHOLDS)
    tried = np.quantile(sample.scores, shares, weights=sample.by_all, method="inverted_cdf")
    tried = np.unique(np.append(tried, middle))
    reach = np.maximum(0, np.minimum(tried - sample.scores.min(), sample.scores.max() - tried))
    thresholds, bands = (a.ravel() for a in np.broadcast_arrays(tried[:, None], np.linspace(0, reach, BANDS).T))
    return Thresholds(middle, choose(sample, groups, thresholds, bands))


def choose(sample: Sample, groups: list[int], thresholds: Array, bands: Array) -> dict[int, float]:
    """The threshold of each group under the best of the candidates: threshold and half-width, each (k,)."""
    sides = [s for s in product((-1, 1), repeat=len(groups)) if len(set(s)) > 1]
    # rates of each group on either side, (k,)
    shifted = {(g, s): sample.of(g).rates_at(thresholds + s * bands) for g in groups for s in (-1, 1)}
    share = [[sample.share_of(g, label) for g in groups] for label in (1, 0)]
    gaps, values = [], []
    for side in sides:
        tpr, fpr = (np.stack([shifted[g, s][k] for g, s in zip(groups, side, strict=True)]) for k in (0, 1))
        gaps.append(tpr.max(axis=0) - tpr.min(axis=0))
        values.append(np.average(tpr, axis=0, weights=share[0]) - np.average(fpr, axis=0, weights=share[1]))
    gap, value = np.stack(gaps), np.stack(values)  # (sides, k)
    allowed = gap <= max(BOUND, float(gap.min())) + 1e-12
    best = np.where(allowed, value, -np.inf)
    s, k = np.unravel_index(int(np.argmax(best)), best.shape)
    return {g: float(thresholds[k] + side * bands[k]) for g, side in zip(groups, sides[s], strict=True)}
