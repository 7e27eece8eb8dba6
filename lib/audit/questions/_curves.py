"""Rates by patient for any weights of patients: what questions about thresholds and ROC curves are computed from.

Within a cell and label every patient counts once, times the patient's weight: the weights of a resample, or of a jackknife.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit import metrics
from lib.audit.context import Context
from lib.audit.inference import Figures, Population, ratio
from lib.names import BASELINE_WEIGHTING

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def once_each(patients: NDArray[np.int64], images: Mask) -> Array:
    """1 / number of the patient's images among the chosen ones, (n,); 0 for the others: every patient counts once."""
    count = np.bincount(patients[images], minlength=int(patients.max(initial=0)) + 1)
    return np.where(images, 1 / np.maximum(count[patients], 1), 0.0)


def sides(population: Population) -> Mask:
    """The sick images of each of the G cells, then the healthy ones, (n, 2 G): whom TPR and FPR are about."""
    cells = np.stack([cell.images for cell in population.cells], axis=1)
    return np.concatenate([cells & (population.labels == label)[:, None] for label in (1, 0)], axis=1)


@dataclass(frozen=True, eq=False)
class Shares:
    """Means by patient of K columns of values over images: `totals` (P, K) is the patient's mean, `there` (P, K) 0 or 1."""

    totals: Array
    there: Array

    @classmethod
    def of(cls, population: Population, values: Array, images: Mask) -> "Shares":
        """Of values (n,) or (n, K) over the images (n, K) that each column is about."""
        own = np.stack([once_each(population.patients, column) for column in images.T], axis=1)
        values = values[:, None] if values.ndim == 1 else values
        return cls(population.sums_by_patient(values * own), (population.sums_by_patient(images) > 0) * 1.0)

    @classmethod
    def beside(cls, parts: Sequence["Shares"]) -> "Shares":
        """The columns of all, one after the other."""
        return cls(*(np.concatenate([getattr(own, name) for own in parts], axis=1) for name in ("totals", "there")))

    def at(self, weights: Array) -> Array:
        """The means, (K,), for weights of patients (P,); NaN where nobody is there."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return (weights @ self.totals) / (weights @ self.there)


class Called:
    """TPR, then FPR, of every cell, for any decisions and weights of patients."""

    def __init__(self, population: Population):
        images = sides(population)
        self._patients, self._there = population.patients, (population.sums_by_patient(images) > 0) * 1.0
        self._part = np.stack([once_each(population.patients, side) for side in images.T], axis=1)

    def parts(self, weights: Array) -> Array:
        """What calling an image sick adds to each rate, (n, 2 G), under weights of patients (P,); NaN where nobody is there."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._part / (weights @ self._there) * weights[self._patients, None]


@dataclass(frozen=True, eq=False)
class Curve:
    """The scores of one network on some images, and their ROC curve by patient for any weights of patients."""

    scores: Array
    labels: NDArray[np.int64]
    patients: NDArray[np.int64]

    @classmethod
    def of(cls, population: Population, scores: Array, images: Mask) -> "Curve":
        """Of scores (n,) on the chosen images (n,)."""
        return cls(scores[images], population.labels[images], population.patients[images])

    @cached_property
    def falling(self) -> Array:
        """Every score that occurs, falling, (k,)."""
        return np.unique(self.scores)[::-1]

    @cached_property
    def _sides(self) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64], Array], ...]:
        """Of the healthy, then of the sick: position of each image's score, its patient, and its part of the patient."""
        place = np.searchsorted(-self.falling, -self.scores)
        masks = (self.labels == label for label in (0, 1))
        return tuple((place[own], self.patients[own], once_each(self.patients, own)[own]) for own in masks)

    def rates(self, weights: Array) -> tuple[Array, Array]:
        """FPR and TPR when called sick from each score up, each (k + 1,), from (0, 0) to (1, 1); NaN without a label."""
        found = []
        for place, patients, part in self._sides:
            mass = np.bincount(place, weights=part * weights[patients], minlength=len(self.falling))
            reached = np.concatenate([[0.0], np.cumsum(mass)])
            found.append(reached / reached[-1] if reached[-1] > 0 else np.full(len(reached), np.nan))
        return found[0], found[1]


def counted(
    context: Context, keys: Iterable[tuple], names: Sequence[str], patients: Array, images: Array | None = None
) -> pl.DataFrame:
    """An index of the keys, with what stands behind each: `patients`, `images` where they are given, and `estimable`."""
    counts = {} if images is None else {"images": pl.Series(images, dtype=pl.Int64)}
    counts["patients"] = pl.Series(patients, dtype=pl.Int64)
    enough = pl.col("patients") >= max(1, context.smallest_cell)
    index = pl.DataFrame(list(keys), schema=list(names), orient="row")
    return index.with_columns(**counts).with_columns(estimable=enough)


def means(
    context: Context, keys: Iterable[tuple], names: Sequence[str], shares: Sequence[Shares], images: Array, **known: Any
) -> Figures:
    """The means of each network's shares as figures; `images` (K,) behind each, `known` as of `lib.audit.inference.ratio`."""
    totals, there = (np.stack([getattr(own, name) for own in shares]) for name in ("totals", "there"))
    index = counted(context, keys, names, there.sum(axis=1).min(axis=0), images)
    return ratio(index, BASELINE_WEIGHTING, totals, there, images=images, **known)


def levels_and_gaps(context: Context, levels: Figures) -> list[pl.DataFrame]:
    """Levels, without a verdict, for that one is not 0 is no finding; and their differences."""
    differences = [context.describe(metrics.gaps(levels, context.population)).table()] if context.has("pairs") else []
    return [context.describe(levels).table().drop("p", "verdict"), *differences]
