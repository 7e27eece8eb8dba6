"""Whose images a picture is the mean of: cells of images, in which every patient counts once, and how few are too few."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST = 50
"""Distinct patients of a picture; a mean over fewer is not published."""

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cell:
    """Images of one group and label: `rows` (n,) says which of the n images belong; `patients` of them are distinct."""

    attribute: str
    group: str
    label: int
    rows: NDArray[np.bool_]
    patients: int

    @property
    def enough(self) -> bool:
        """Whether a mean over these images may be published."""
        return self.patients >= LEAST

    @property
    def images(self) -> int:
        return int(self.rows.sum())


def cells(frame: pl.DataFrame, attributes: Sequence[str]) -> Iterator[Cell]:
    """Every group of every attribute crossed with the label, of a frame with a row per image.

    Columns: `patient`, `label` (1 = sick, 0 = healthy) and a String column per attribute, null = unknown and in no cell.
    """
    patients, labels = frame["patient"].to_numpy(), frame["label"].to_numpy()
    for attribute in attributes:
        groups = frame[attribute]
        for group in groups.drop_nulls().unique().sort():
            for label in (0, 1):
                rows = (groups == group).fill_null(False).to_numpy() & (labels == label)
                yield Cell(attribute, group, label, rows, len(np.unique(patients[rows])))


def patient_weights(patients: NDArray, rows: NDArray[np.bool_]) -> Array:
    """Weights (n,) of a mean over the patients of the mean over each one's images among `rows`; they sum to 1.

    `patients` (n,) says whose each image is. All 0 when no row is chosen.
    """
    weights = np.zeros(len(patients))
    _, codes, counts = np.unique(patients[rows], return_inverse=True, return_counts=True)
    weights[rows] = 1 / (counts[codes] * max(1, len(counts)))
    return weights


def area_means(size: int, side: int) -> Array:
    """The matrix (side, size) that turns a line of `size` pixels into `side` means over equal lengths.

    For images (h, w) of any size: `area_means(h, side) @ image @ area_means(w, side).T`.
    """
    edges = np.arange(side + 1) / side * size
    start, pixel = edges[:-1, None], np.arange(size)[None, :]
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(start, pixel)
    return overlap.clip(0) * side / size


def between(size: int, side: int) -> Array:
    """The matrix (side, size) of linear interpolation between the centres of `size` positions, constant at the ends."""
    place = ((np.arange(side) + 0.5) / side * size - 0.5).clip(0, size - 1)
    return (1 - np.abs(place[:, None] - np.arange(size)[None, :])).clip(0)
