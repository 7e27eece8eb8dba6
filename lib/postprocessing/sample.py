"""The images that a rule is fitted on, how much each counts, and what every method reads from them, computed once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lib.postprocessing.hull import Hull
from lib.postprocessing.thresholds import Array, rates_by_threshold

Codes = NDArray[np.int64]
Weights = Literal["patient", "image"]
"""What counts once when a rule is fitted; see `Sample`."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Images that a rule is fitted on: `scores`, `labels` (1 = sick), `patients` and `groups` (-1 = unknown), all (n,).

    `weights`: "patient" makes every patient count once within a label (within group and label for `of`), a patient's
    images in equal parts, since errors fall on people (informative cluster size: Williamson, Datta & Satten 2003, doi
    10.1111/1541-0420.00005); "image" counts every image once. `times` (n,): how often the image's patient is there, in a
    resample of patients; None is once. Raises ValueError when a score is not a finite number, and for other `weights`.
    """

    scores: Array
    labels: Codes
    patients: Codes
    groups: Codes
    weights: Weights = "patient"
    times: Array | None = None

    def __post_init__(self) -> None:
        if wrong := int((~np.isfinite(self.scores)).sum()):
            raise ValueError(f"{wrong} of {len(self.scores)} scores are not finite numbers.")
        if self.weights not in get_args(Weights):
            raise ValueError(f"weights are {self.weights!r}; allowed are {', '.join(get_args(Weights))}.")

    def resampled(self, counts: Array) -> "Sample":
        """The sample in which patient p is there `counts[p]` times, (P,); 0 leaves the patient out."""
        times = np.asarray(counts, dtype=np.float64)[self.patients]
        return self._chosen(times > 0, times)

    @cached_property
    def by_label(self) -> Array:
        """How much each image counts among those of its label, (n,); they sum to the patients (images) of the label."""
        return self._once(2 * self.patients + self.labels)

    @cached_property
    def by_all(self) -> Array:
        """How much each image counts among all, (n,); they sum to the number of patients (images)."""
        return self._once(self.patients)

    def _once(self, unit: Codes) -> Array:
        times = np.ones(len(self.scores)) if self.times is None else self.times
        return times if self.weights == "image" else times / np.bincount(unit)[unit]

    @cached_property
    def _patients_of_cells(self) -> dict[int, int]:
        """Patients of the scarcer label, for each known group."""
        span = self.groups.max(initial=-1) + 1
        if span == 0:
            return {}
        known = self.groups >= 0
        times = np.zeros((span, 2, int(self.patients.max(initial=-1)) + 1))
        times[self.groups[known], self.labels[known], self.patients[known]] = (
            1 if self.times is None else self.times[known]
        )
        return {int(g): int(times[g].sum(axis=1).min()) for g in np.flatnonzero(times.any(axis=(1, 2)))}

    def fittable(self, smallest_cell: int) -> list[int]:
        """Groups with at least `smallest_cell` sick and as many healthy patients; the others are too small to fit."""
        return [group for group, fewest in self._patients_of_cells.items() if fewest >= max(1, smallest_cell)]

    @cached_property
    def _parts(self) -> dict[int, "Sample"]:
        return {}

    def of(self, group: int) -> "Sample":
        """The images of one group; by patient, every patient counts once in it."""
        if group not in self._parts:
            self._parts[group] = self._chosen(self.groups == group, self.times)
        return self._parts[group]

    def _chosen(self, images: NDArray[np.bool_], times: Array | None) -> "Sample":
        columns = (self.scores, self.labels, self.patients, self.groups)
        return Sample(*(c[images] for c in columns), self.weights, None if times is None else times[images])

    @cached_property
    def curve(self) -> tuple[Array, Array, Array]:
        """Every threshold that changes a decision, rising, and its TPR and FPR, each (k,).

        Raises ValueError when a label is absent.
        """
        return rates_by_threshold(self.scores, self.labels, self.by_label)

    @cached_property
    def hull(self) -> Hull:
        """What randomised thresholds can achieve on these images."""
        return Hull.of(*self.curve)

    @cached_property
    def sick(self) -> tuple[Array, Array]:
        """Scores of the sick and how much each counts."""
        return self._labelled(1)

    @cached_property
    def healthy(self) -> tuple[Array, Array]:
        """Scores of the healthy and how much each counts."""
        return self._labelled(0)

    def _labelled(self, label: int) -> tuple[Array, Array]:
        own = self.labels == label
        return self.scores[own], self.by_label[own]

    def rates_at(self, thresholds: Array | float) -> tuple[Array, Array]:
        """TPR and FPR at thresholds of any shape; both labels must be there."""
        return tuple(1 - below[np.searchsorted(rising, thresholds)] for rising, below in self._below)

    @cached_property
    def _below(self) -> list[tuple[Array, Array]]:
        """For the sick and the healthy, scores rising, (k,), and the share before each and before the end, (k + 1,)."""
        found = []
        for scores, weights in (self.sick, self.healthy):
            order = np.argsort(scores)
            mass = np.concatenate([[0], np.cumsum(weights[order])])
            found.append((scores[order], mass / mass[-1]))
        return found

    def share_of(self, group: int, label: int) -> float:
        """Which part of everyone of a label, 0 to 1, is in a group: its weight in everyone's rate."""
        own = self.labels == label
        return float(self.by_label[own & (self.groups == group)].sum() / self.by_label[own].sum())
