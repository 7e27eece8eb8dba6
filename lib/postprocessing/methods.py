"""Post-processings: each is fitted on scores, labels and groups, and gives a rule that sees scores and groups only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lib.names import BASELINE_POSTPROCESSING
from lib.postprocessing.thresholds import Array, best_threshold, threshold_reaching

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Images that a rule is fitted on: `scores`, `labels` (1 = sick), `patients` and `groups` (-1 = unknown), all (n,)."""

    scores: Array
    labels: Codes
    patients: Codes
    groups: Codes

    def fittable(self, smallest_cell: int) -> list[int]:
        """Groups with at least `smallest_cell` sick and as many healthy patients; the others are too small to fit."""
        return [
            int(group)
            for group in np.unique(self.groups[self.groups >= 0])
            if all(
                len(np.unique(self.patients[(self.groups == group) & (self.labels == label)])) >= max(1, smallest_cell)
                for label in (0, 1)
            )
        ]

    def of(self, group: int) -> "Sample":
        """The images of one group."""
        chosen = self.groups == group
        return Sample(self.scores[chosen], self.labels[chosen], self.patients[chosen], self.groups[chosen])


class Rule(Protocol):
    """A fitted post-processing."""

    def decide(self, scores: Array, groups: Codes) -> Array:
        """Expected decisions in 0 to 1, (n,), from scores and groups (n,); the true label is never asked for."""


@dataclass(frozen=True)
class Thresholds:
    """Call sick from a threshold up: that of the group where it was fitted, else the pooled one."""

    pooled: float
    by_group: Mapping[int, float] = field(default_factory=dict)

    def decide(self, scores: Array, groups: Codes) -> Array:
        """1 where score >= threshold, else 0, (n,). Unknown, unseen and too small groups use the pooled threshold."""
        thresholds = np.full(len(scores), self.pooled)
        for group, threshold in self.by_group.items():
            thresholds[groups == group] = threshold
        return (scores >= thresholds).astype(np.float64)

    def of(self, group: int) -> float:
        """The threshold that applies to a group."""
        return self.by_group.get(group, self.pooled)


def fixed(sample: Sample, smallest_cell: int) -> Thresholds:
    """Sick from a score of 0.5 up: nothing is fitted. Needs no group when predicting."""
    return Thresholds(0.5)


def pooled_best(sample: Sample, smallest_cell: int) -> Thresholds:
    """One threshold for all, of highest balanced accuracy. Needs no group when predicting."""
    return Thresholds(best_threshold(sample.scores, sample.labels))


def equal_tpr(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group such that every group has about the same TPR. Needs the group when predicting.

    The common target is the TPR of the pooled best threshold; each group gets the highest threshold that reaches it.
    Equal opportunity without randomisation: Hardt et al. 2016, arXiv 1610.02413.
    """
    pooled = best_threshold(sample.scores, sample.labels)
    target = float((sample.scores[sample.labels == 1] >= pooled).mean())
    groups = {group: sample.of(group) for group in sample.fittable(smallest_cell)}
    return Thresholds(pooled, {g: threshold_reaching(target, own.scores[own.labels == 1]) for g, own in groups.items()})


def group_best(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group, of highest balanced accuracy in that group. Needs the group when predicting."""
    groups = {group: sample.of(group) for group in sample.fittable(smallest_cell)}
    return Thresholds(
        best_threshold(sample.scores, sample.labels),
        {group: best_threshold(own.scores, own.labels) for group, own in groups.items()},
    )


@dataclass(frozen=True)
class PostProcessing:
    """A way to turn scores into decisions: `fit(sample, smallest_cell)` gives its rule.

    `needs_group`: the rule asks for the group of each image, so there is one rule for each target attribute.
    """

    name: str
    needs_group: bool
    fit: Callable[[Sample, int], Thresholds]


REGISTRY: dict[str, PostProcessing] = {
    method.name: method
    for method in (
        PostProcessing(BASELINE_POSTPROCESSING, False, fixed),
        PostProcessing("best_threshold", False, pooled_best),
        PostProcessing("equal_tpr", True, equal_tpr),
        PostProcessing("group_best_threshold", True, group_best),
    )
}
"""Every post-processing, by the name that `study.toml` uses."""
