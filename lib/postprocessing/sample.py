"""The images that a rule is fitted on, and what every method reads from them, computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lib.postprocessing.hull import Hull
from lib.postprocessing.thresholds import Array, rates_by_threshold

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """Images that a rule is fitted on: `scores`, `labels` (1 = sick), `patients` and `groups` (-1 = unknown), all (n,).

    Raises ValueError when a score is not a finite number.
    """

    scores: Array
    labels: Codes
    patients: Codes
    groups: Codes

    def __post_init__(self) -> None:
        if wrong := int((~np.isfinite(self.scores)).sum()):
            raise ValueError(f"{wrong} of {len(self.scores)} scores are not finite numbers.")

    @cached_property
    def _patients_of_cells(self) -> dict[int, int]:
        """Patients of the scarcer label, for each known group."""
        span = self.groups.max(initial=-1) + 1
        patients = int(self.patients.max(initial=-1)) + 1
        if span == 0:
            return {}
        known = self.groups >= 0
        seen = np.zeros((span, 2, patients), dtype=bool)
        seen[self.groups[known], self.labels[known], self.patients[known]] = True
        return {int(g): int(seen[g].sum(axis=1).min()) for g in np.flatnonzero(seen.any(axis=(1, 2)))}

    def fittable(self, smallest_cell: int) -> list[int]:
        """Groups with at least `smallest_cell` sick and as many healthy patients; the others are too small to fit."""
        return [group for group, fewest in self._patients_of_cells.items() if fewest >= max(1, smallest_cell)]

    @cached_property
    def _parts(self) -> dict[int, "Sample"]:
        return {}

    def of(self, group: int) -> "Sample":
        """The images of one group."""
        if group not in self._parts:
            chosen = self.groups == group
            columns = (self.scores, self.labels, self.patients, self.groups)
            self._parts[group] = Sample(*(column[chosen] for column in columns))
        return self._parts[group]

    @cached_property
    def curve(self) -> tuple[Array, Array, Array]:
        """Every threshold that changes a decision, rising, and its TPR and FPR, each (k,).

        Raises ValueError when a label is absent.
        """
        return rates_by_threshold(self.scores, self.labels)

    @cached_property
    def hull(self) -> Hull:
        """What randomised thresholds can achieve on these images."""
        return Hull.of(*self.curve)

    @cached_property
    def sick(self) -> Array:
        """Scores of the sick, rising."""
        return np.sort(self.scores[self.labels == 1])

    @cached_property
    def healthy(self) -> Array:
        """Scores of the healthy, rising."""
        return np.sort(self.scores[self.labels == 0])

    def rates_at(self, thresholds: Array) -> tuple[Array, Array]:
        """TPR and FPR at thresholds of any shape; both labels must be there."""
        return tuple(1 - np.searchsorted(own, thresholds) / len(own) for own in (self.sick, self.healthy))
