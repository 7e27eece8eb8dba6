"""Recalibration: in every group, scores are made chances of being sick; then one threshold serves everyone.

Each map rises with the score, so that in the end a group has a threshold of its own on the scores as they were.
"""

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit

from lib.postprocessing.hull import EVERYONE
from lib.postprocessing.rules import Thresholds
from lib.postprocessing.sample import Sample
from lib.postprocessing.thresholds import Array, best_threshold
from lib.recalibration import logistic, logits

Map = tuple[Callable[[Array], Array], Callable[[float], float]]
"""Score to calibrated score, and back: the lowest score whose calibrated score reaches a level."""


def platt(sample: Sample, smallest_cell: int) -> Thresholds:
    """Chance of sick = 1 / (1 + exp(-(a logit(score) + b))) in each group, a >= 0, then one threshold. Needs the group.

    Source: Platt 1999, Probabilistic outputs for support vector machines (with his smoothed targets).
    """
    return _recalibrated(sample, smallest_cell, platt_map)


def temperature(sample: Sample, smallest_cell: int) -> Thresholds:
    """The same with b = 0: logits are divided by one temperature in each group. Needs the group.

    Source: Guo et al. 2017, arXiv 1706.04599.
    """
    return _recalibrated(sample, smallest_cell, lambda part: platt_map(part, intercept=False))


def isotonic(sample: Sample, smallest_cell: int) -> Thresholds:
    """The rising map of least squared error in each group, then one threshold. Needs the group.

    Source: Zadrozny & Elkan 2002, doi 10.1145/775047.775151.
    """
    return _recalibrated(sample, smallest_cell, isotonic_map)


def _recalibrated(sample: Sample, smallest_cell: int, fit: Callable[[Sample], Map]) -> Thresholds:
    """Who is of no fitted group has the map of everyone."""
    forward, back = fit(sample)
    calibrated = forward(sample.scores)
    maps = {g: fit(sample.of(g)) for g in sample.fittable(smallest_cell)}
    for g, (own, _) in maps.items():
        calibrated[sample.groups == g] = own(sample.of(g).scores)
    level = best_threshold(calibrated, sample.labels, sample.by_label)
    return Thresholds(back(level), {g: own_back(level) for g, (_, own_back) in maps.items()})


def platt_map(part: Sample, intercept: bool = True) -> Map:
    x = logits(part.scores)
    sick, healthy = (part.by_all[part.labels == label].sum() for label in (1, 0))
    target = np.where(part.labels == 1, (sick + 1) / (sick + 2), 1 / (healthy + 2))
    columns = np.stack([x, np.ones_like(x)], axis=1) if intercept else x[:, None]
    slope, shift = (*logistic(columns, target, part.by_all), 0.0)[:2]
    if slope <= 0:  # the scores rise with health, or not at all: they say nothing that a rising map could use
        level = np.average(target, weights=part.by_all) if intercept else 0.5
        return lambda scores: np.full(len(scores), level), lambda least: EVERYONE if level >= least else np.inf

    def forward(scores: Array) -> Array:
        return expit(slope * logits(scores) + shift)

    return forward, lambda least: float(expit((logits(np.float64(least)) - shift) / slope))


def isotonic_map(part: Sample) -> Map:
    """Straight lines between the fitted scores, level beyond the outermost, as scikit-learn's `IsotonicRegression`."""
    x, position = np.unique(part.scores, return_inverse=True)
    mass = np.bincount(position, weights=part.by_all)
    shares = np.bincount(position, weights=part.by_all * part.labels) / mass
    y = isotonic_regression(shares, weights=mass).x

    def back(least: float) -> float:
        k = int(np.searchsorted(y, least))
        if k == 0:
            return EVERYONE
        if k == len(y):
            return np.inf
        return float(x[k - 1] + (x[k] - x[k - 1]) * (least - y[k - 1]) / (y[k] - y[k - 1]))

    return lambda scores: np.interp(scores, x, y), back
