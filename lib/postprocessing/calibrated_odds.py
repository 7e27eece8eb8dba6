"""Calibrated equalised odds: give up the scores of some, drawn by lot, until the costs of all groups are alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from lib.postprocessing.hull import EVERYONE, Mix
from lib.postprocessing.rules import Mixture
from lib.postprocessing.sample import Sample
from lib.postprocessing.thresholds import Array

CUT = 0.5


@dataclass(frozen=True)
class Replacement:
    """What became of a group: the `share` of scores that are replaced, the `level` (its prevalence) that replaces them,
    its `own` cost, that of the `dearest` group, and the `trivial` one of replacing all.
    """

    share: float
    level: float
    own: float
    dearest: float
    trivial: float

    @property
    def told(self) -> tuple[float, ...]:
        """What the table of a study says of it, in the order of its columns."""
        return self.share, self.level, self.own, self.dearest, self.trivial, float(self.called_sick)

    @property
    def called_sick(self) -> bool:
        """Whether all whose score is replaced are called sick; else all are called healthy."""
        return self.level >= CUT


@dataclass(frozen=True)
class Replaced(Mixture):
    """The rule, and what it does to each group."""

    replaced: Mapping[int, Replacement] = field(default_factory=dict)


def calibrated_odds(sample: Sample, smallest_cell: int, cost: str) -> Replaced:
    """Where a group's cost is below that of the dearest group, a share of it gets its prevalence as score. Needs the group.

    `cost` is "fnr" (mean of 1 - score over the sick), "fpr" (mean score over the healthy) or "weighted" (half of each,
    times the group's share of sick and of healthy). The share is (dearest - own) / (trivial - own), trivial being the
    cost of calling everyone by the prevalence, between 0 and 1. Decisions at 0.5. Randomised. Assumes scores that are
    calibrated in every group, and does not make them so; levels down by construction.
    Source: Pleiss et al. 2017, arXiv 1709.02012; for more than two groups, all are brought to the dearest.

    Why it can widen the gap that it is meant to close: costs are means of scores, decisions are made at 0.5. All replaced
    scores of a group are the same number, so they fall on the same side of 0.5, however small the difference in cost was:
    - where the prevalence is under 0.5, every replaced image is called healthy, and the group's TPR and FPR both fall by
      `share`, which for scores that crowd around 0.5 (own cost near the trivial one) is large: the gap in TPR closes
      and goes on, to the other sign. On scores of a weak classifier of the NIH cohort (AUC .66): cost "fnr", AP .45 and PA .51, AP's
      trivial .59, so 46 % of AP are replaced, and its TPR goes from 64 to 35 %, that of PA stays at 46 %;
    - where it is 0.5 or more, every replaced image is called sick: under cost "fnr" the group whose TPR is higher already is given a
      higher one yet;
    - where the trivial cost is not above the own one (scores that overstate under cost "fpr"), nothing is replaced, and nothing closes.
    """
    groups = sample.fittable(smallest_cell)
    own = {g: _cost(sample.of(g), sample.of(g).scores, cost) for g in groups}
    dearest = max(own.values(), default=0.0)
    replaced = {}
    for g in groups:
        part = sample.of(g)
        prevalence = _prevalence(part)
        trivial = _cost(part, np.full(len(part.scores), prevalence), cost)
        share = (dearest - own[g]) / (trivial - own[g]) if trivial > own[g] else 0.0
        replaced[g] = Replacement(float(np.clip(share, 0, 1)), prevalence, own[g], dearest, trivial)
    return Replaced(CUT, {g: _mix(r) for g, r in replaced.items()}, replaced)


fnr, fpr, weighted = (partial(calibrated_odds, cost=cost) for cost in ("fnr", "fpr", "weighted"))


def _mix(one: Replacement) -> Mix:
    scored = (CUT, 1 - one.share)
    return (scored, (EVERYONE, one.share)) if one.called_sick else (scored,)


def _prevalence(part: Sample) -> float:
    return float(np.average(part.labels, weights=part.by_all))


def _cost(part: Sample, scores: Array, cost: str) -> float:
    missed, alarms = (
        float(np.average(error[part.labels == label], weights=part.by_label[part.labels == label]))
        for label, error in ((1, 1 - scores), (0, scores))
    )
    sick = _prevalence(part)
    return {"fnr": missed, "fpr": alarms, "weighted": (missed * sick + alarms * (1 - sick)) / 2}[cost]
