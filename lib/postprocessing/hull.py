"""What randomised thresholds can achieve in a group: the points under the upper hull of its ROC curve."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import ConvexHull

from lib.postprocessing.thresholds import Array

Mix = tuple[tuple[float, float], ...]
"""Thresholds and their chances, ((threshold, chance), ...); what is missing to 1 is the chance of calling no one sick."""
EVERYONE = -np.inf
"""The threshold that calls everyone sick."""


@dataclass(frozen=True, eq=False)
class Hull:
    """Corners of the upper convex hull of a ROC curve from (0, 0) to (1, 1): `fpr`, `tpr` rising, `thresholds` falling."""

    fpr: Array
    tpr: Array
    thresholds: Array

    @classmethod
    def of(cls, thresholds: Array, tpr: Array, fpr: Array) -> "Hull":
        """The hull of a ROC curve: thresholds rising, and their rates, each (k,)."""
        # the third corner keeps the hull two-dimensional where the scores carry no signal
        points = np.concatenate([np.stack([fpr, tpr], axis=1), [[1.0, 0.0]]])
        corners = np.array([v for v in ConvexHull(points).vertices if v < len(fpr)])
        corners = corners[np.lexsort((tpr[corners], fpr[corners]))]
        return cls(fpr[corners], tpr[corners], thresholds[corners])

    def highest_tpr(self, fpr: Array) -> Array:
        """The highest TPR that can be had at a FPR."""
        return np.interp(fpr, *self._upwards)

    def lowest_fpr(self, tpr: Array) -> Array:
        """The lowest FPR that can be had at a TPR."""
        return np.interp(tpr, *self._across)

    @cached_property
    def _upwards(self) -> tuple[Array, Array]:
        """FPR and TPR, of corners with the same FPR the highest."""
        keep = np.append(self.fpr[1:] > self.fpr[:-1], True)
        return self.fpr[keep], self.tpr[keep]

    @cached_property
    def _across(self) -> tuple[Array, Array]:
        """TPR and FPR, of corners with the same TPR the leftmost."""
        keep = np.append(True, self.tpr[1:] > self.tpr[:-1])
        return self.tpr[keep], self.fpr[keep]

    def reach(self, fpr: float, tpr: float) -> Mix:
        """Thresholds and chances with this FPR and TPR: on the hull, or between it and tossing a coin that ignores scores.

        Points above the hull, by rounding, are brought down to it.
        """
        top = float(self.highest_tpr(fpr))
        if tpr >= top - 1e-12 or top <= fpr:
            return self._on_edge(fpr, top)
        share = max(0.0, (tpr - fpr) / (top - fpr))
        coin = ((EVERYONE, (1 - share) * fpr),)
        return (*((threshold, share * chance) for threshold, chance in self._on_edge(fpr, top)), *coin)

    def _on_edge(self, fpr: float, tpr: float) -> Mix:
        right = int(np.searchsorted(self.fpr, fpr))
        # on a vertical edge the upper end is meant
        if right + 1 < len(self.fpr) and self.fpr[right + 1] == fpr:
            right += 1
        if right == 0 or self.fpr[right] == fpr:
            return ((float(self.thresholds[right]), 1.0),)
        share = float((fpr - self.fpr[right - 1]) / (self.fpr[right] - self.fpr[right - 1]))
        return (float(self.thresholds[right - 1]), 1 - share), (float(self.thresholds[right]), share)
