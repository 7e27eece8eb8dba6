"""Calibrated equalised odds: give up the scores of some, drawn by lot, until the costs of all groups are alike."""

from functools import partial

import numpy as np

from lib.postprocessing.hull import EVERYONE, Mix
from lib.postprocessing.rules import Mixture
from lib.postprocessing.sample import Sample
from lib.postprocessing.thresholds import Array

CUT = 0.5


def calibrated_odds(sample: Sample, smallest_cell: int, cost: str) -> Mixture:
    """Where a group's cost is below that of the dearest group, a share of it gets its prevalence as score. Needs the group.

    `cost` is "fnr" (mean of 1 - score over the sick), "fpr" (mean score over the healthy) or "weighted" (half of each,
    times the group's share of sick and of healthy). The share is (dearest - own) / (trivial - own), trivial being the
    cost of calling everyone by the prevalence, between 0 and 1. Decisions at 0.5. Randomised. Assumes scores that are
    calibrated in every group, and does not make them so; levels down by construction.
    Source: Pleiss et al. 2017, arXiv 1709.02012; for more than two groups, all are brought to the dearest.
    """
    groups = sample.fittable(smallest_cell)
    own = {g: _cost(sample.of(g), sample.of(g).scores, cost) for g in groups}
    dearest = max(own.values(), default=0.0)
    fitted = {}
    for g in groups:
        part = sample.of(g)
        prevalence = _prevalence(part)
        trivial = _cost(part, np.full(len(part.scores), prevalence), cost)
        share = (dearest - own[g]) / (trivial - own[g]) if trivial > own[g] else 0.0
        fitted[g] = _mix(float(np.clip(share, 0, 1)), prevalence)
    return Mixture(CUT, fitted)


fnr, fpr, weighted = (partial(calibrated_odds, cost=cost) for cost in ("fnr", "fpr", "weighted"))


def _mix(share: float, prevalence: float) -> Mix:
    scored = (CUT, 1 - share)
    return (scored, (EVERYONE, share)) if prevalence >= CUT else (scored,)


def _prevalence(part: Sample) -> float:
    return float(np.average(part.labels, weights=part.by_all))


def _cost(part: Sample, scores: Array, cost: str) -> float:
    missed, alarms = (
        float(np.average(error[part.labels == label], weights=part.by_label[part.labels == label]))
        for label, error in ((1, 1 - scores), (0, scores))
    )
    sick = _prevalence(part)
    return {"fnr": missed, "fpr": alarms, "weighted": (missed * sick + alarms * (1 - sick)) / 2}[cost]
