"""Fitted post-processings: they see scores and groups, never labels, and give expected decisions in 0 to 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lib.postprocessing.hull import Mix
from lib.postprocessing.sample import Codes
from lib.postprocessing.thresholds import Array


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


@dataclass(frozen=True)
class Mixture:
    """Draw a threshold anew for each image, with the group's chances; who is of no fitted group has the pooled one."""

    pooled: float
    by_group: Mapping[int, Mix] = field(default_factory=dict)

    def decide(self, scores: Array, groups: Codes) -> Array:
        """Chance of being called sick, (n,): the sum of the chances of thresholds that the score reaches."""
        chance = (scores >= self.pooled).astype(np.float64)
        for group, mix in self.by_group.items():
            chosen = groups == group
            own = scores[chosen]
            chance[chosen] = sum((weight * (own >= threshold) for threshold, weight in mix), np.zeros(len(own)))
        return np.clip(chance, 0, 1)


def decided(rules: list[Rule], scores: Array, groups: Codes, part: Codes) -> Array:
    """Each image's decision, (n,), by the rule fitted without its fold."""
    found = np.empty(len(scores))
    for k, rule in enumerate(rules):
        found[part == k] = rule.decide(scores[part == k], groups[part == k])
    return found
