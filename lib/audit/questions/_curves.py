"""Rates by patient for any weights of patients: what questions about thresholds and ROC curves are computed from.

Within a cell and label every patient counts once, times the patient's weight: the weights of a resample, or of a jackknife.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.context import Context
from lib.audit.inference import Figures, Population
from lib.names import OVERALL

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def once_each(patients: NDArray[np.int64], images: Mask) -> Array:
    """1 / number of the patient's images among the chosen ones, (n,); 0 for the others: every patient counts once."""
    count = np.bincount(patients[images], minlength=int(patients.max(initial=0)) + 1)
    return np.where(images, 1 / np.maximum(count[patients], 1), 0.0)


@dataclass(frozen=True, eq=False)
class Shares:
    """Means by patient of K columns of values over images: `totals` (P, K) is the patient's mean, `there` (P, K) 0 or 1."""

    totals: Array
    there: Array

    @classmethod
    def of(cls, population: Population, values: Array, images: Mask) -> "Shares":
        """Of values (n, K) over the images (n, K) that each column is about."""
        own = np.stack([once_each(population.patients, column) for column in images.T], axis=1)
        return cls(population.sums_by_patient(values * own), (population.sums_by_patient(images * 1.0) > 0) * 1.0)

    def at(self, weights: Array) -> Array:
        """The means, (K,), for weights of patients (P,); NaN where nobody is there."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return (weights @ self.totals) / (weights @ self.there)


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

    def logits(self, label: int) -> tuple[Array, Array, NDArray[np.int64]]:
        """Logits of the scores of a label, kept from the infinite, each one's part of its patient, and the patient, (m,)."""
        _, patients, part = self._sides[label]
        own = np.clip(self.scores[self.labels == label], EDGE, 1 - EDGE)
        return np.log(own / (1 - own)), part, patients


EDGE = 1e-4
"""Scores are kept this far from 0 and 1, where they have no logit."""


def area(fpr: Array, tpr: Array) -> float:
    """Area under a ROC curve from (0, 0) to (1, 1), ties counting half."""
    return float(((tpr[1:] + tpr[:-1]) * np.diff(fpr)).sum() / 2)


def tpr_at(rate: float, fpr: Array, tpr: Array) -> float:
    """TPR at a FPR, on straight lines between the points of a ROC curve."""
    return float(np.interp(rate, fpr, tpr))


def fpr_at(rate: float, fpr: Array, tpr: Array) -> float:
    """FPR at a TPR, on straight lines between the points of a ROC curve."""
    return float(np.interp(rate, tpr, fpr))


def compared(population: Population) -> Iterator[tuple[str, str, str, Mask, Mask]]:
    """(attribute, group, reference, images of the group, images of the reference), a pair for each other group."""
    for name, codes in population.groups.items():
        attribute = population.attributes[name]
        at = attribute.groups.index(attribute.reference)
        for code, group in enumerate(attribute.groups):
            if code != at:
                yield name, group, attribute.reference, codes == code, codes == at


def gaps_of(population: Population, levels: Figures, keys: Mapping[str, Any]) -> Figures | None:
    """Differences group - reference of levels whose index has `attribute`, `group`, `contrast`, `patients`, `estimable`.

    `keys`: the index's columns. Other columns of it name what is compared; counts are those of the smaller side. None
    where nothing can be compared.
    """
    facts = ("images", "patients", "estimable")
    inner = [column for column in keys if column not in ("attribute", "group", "contrast", *facts)]
    place = {
        tuple(row[c] for c in ("attribute", "group", *inner)): k for k, row in enumerate(levels.index.rows(named=True))
    }
    rows, ends = [], []
    for (attribute, group, *what), k in place.items():
        if attribute == OVERALL or group == (reference := population.attributes[attribute].reference):
            continue
        other = place[attribute, reference, *what]
        both = levels.index[[k, other]]
        counted = {
            fact: both[fact].all() if fact == "estimable" else both[fact].min() for fact in facts if fact in keys
        }
        rows.append(levels.index.row(k, named=True) | {"contrast": f"{group} - {reference}"} | counted)
        ends.append((k, other))
    if not rows:
        return None
    unit = np.eye(levels.index.height)
    matrix = np.stack([unit[k] - unit[other] for k, other in ends], axis=1)
    return levels.contrast(pl.DataFrame(rows, schema=dict(keys)), matrix)


def levels_and_gaps(context: Context, levels: Figures, keys: Mapping[str, Any]) -> list[pl.DataFrame]:
    """Levels, without a verdict, for that one is not 0 is no finding; and their differences."""
    gaps = gaps_of(context.population, levels, keys)
    return [context.describe(levels).table().drop("p", "verdict"), *told(context, gaps)]


def patients_of(population: Population, *masks: Mask) -> int:
    """The fewest patients that any of these sets of images has."""
    return min(population.count_patients(mask) for mask in masks)


def told(context: Context, figures: Figures | None) -> list[pl.DataFrame]:
    """The table of described figures, with single intervals; none of none."""
    return [] if figures is None else [context.describe(figures).table()]
