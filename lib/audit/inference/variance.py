"""The variance of a figure from its parts, each counted once, with the degrees of freedom that it has.

A network's figure in a sample of patients is theta + A + B + C: A is due to the patients and common to all networks, B to
the network, C to this network on these patients. The mean over S networks has variance V_A + (V_B + V_C) / S. The influences of
the mean give V_A + V_C / S (`patients`); networks differ from each other, on the same patients, by V_N = V_B + V_C; V_C is how much
single networks' influences differ. So V = patients + max(V_N - V_C, 0) / S: no part is counted twice.

Degrees of freedom follow Satterthwaite 1946 (doi 10.2307/3002019). Those of a cell are (sum w)^2 / sum w^2 - 1, w_p being the variance
that a patient of N images brings if two images of a patient correlate at 1/2: N (1 + N) / 2. By patient every w is 1 and
this is Welch's formula; by image a few patients may leave hardly any. Bell & McCaffrey 2002 argue alike for clusters. The part of
networks is as unsure as V_N (V_N + V_B) / 2 d^-1: V_N^2 would be right if V_C were unknown and is too wide where V_B is 0 (98 %),
V_B^2 too narrow where V_B and V_C are alike (91 %); in between, intervals cover in 93 to 97 % from two degrees of freedom on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.inference.cells import Arm, Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.parts import Parts

ALIKE = 0.5
"""Correlation of two images of a patient that the degrees of freedom are worked out for."""


@dataclass(frozen=True, eq=False)
class Summary:
    """What inference needs of K figures: no axis of networks is left.

    `patients`, `networks` (K,): the two parts of the variance; `degrees` (K,); `skewness` (K,) of the estimate; `floor` (K,): what is
    added to the variance so that a cell where nobody differs is not certain; `rows` (P, K): influences; `network_rows[weighting]`
    (R, K): the same for networks. Rows are summed squares: rows' rows + network_rows' network_rows is the covariance. `alone` (K,): variance of
    a retraining that was stated, not seen; `networks_compared`: single networks in it. `parts`: of proportions.
    """

    index: pl.DataFrame
    estimate: Array
    known: NDArray[np.bool_]
    bounds: Array
    patients: Array
    networks: Array
    degrees: Array
    skewness: Array
    floor: Array
    rows: NDArray[np.float32]
    network_rows: dict[str, NDArray[np.float32]]
    parts: Parts | None
    replicated: bool
    alone: Array
    networks_compared: int

    def __len__(self) -> int:
        return self.index.height

    def take(self, rows: NDArray[np.bool_]) -> "Summary":
        """The chosen figures, by mask (K,)."""
        own = {name: getattr(self, name)[rows] for name in COLUMNS}
        parts = None if self.parts is None else self.parts.take(rows)
        network_rows = {name: table[:, rows] for name, table in self.network_rows.items()}
        index, bounds, table = self.index.filter(rows), self.bounds[:, rows], self.rows[:, rows]
        return replace(self, index=index, bounds=bounds, rows=table, network_rows=network_rows, parts=parts, **own)


COLUMNS = ("estimate", "known", "patients", "networks", "degrees", "skewness", "floor", "alone")


def effective(images: Array) -> Array:
    """Effective number of patients, (C,), of cells to which patients bring so many images (P, C); 1 each by patient."""
    weight = images * (1 + np.maximum(images - 1, 0) * ALIKE)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(weight.sum(axis=0) ** 2 / (weight**2).sum(axis=0))


def summary(figures: Figures) -> Summary:
    """Mean over networks, and the parts of its variance."""
    cells, matrix = figures.cells, figures.matrix
    mean = sum(arm.influence.mean(axis=0, dtype=np.float64) for arm in figures.arms)  # (P, C)
    rows = mean @ matrix
    patients = (rows**2).sum(axis=0)
    networks, between, network_rows = np.zeros(len(figures)), np.zeros(len(figures)), {}
    degrees = np.inf
    for arm in figures.arms:
        if arm.degrees > 0:
            added, total, network_rows[arm.weighting] = _between(arm, matrix)
            networks, between, degrees = networks + added, between + total, arm.degrees
    with np.errstate(invalid="ignore", divide="ignore"):
        own = _welch((mean**2).sum(axis=0), matrix, cells.degrees)
        doubt = between * (between + networks) / 2 / degrees
        total = (patients + networks) ** 2 / (patients**2 / own + doubt)
        third = (rows**3).sum(axis=0) * (np.sqrt(len(rows)) if cells.resamples else 1)
        skewness = np.nan_to_num(third / patients**1.5)
    fewest = min(len(arm.values) for arm in figures.arms)
    floor = (matrix**2).T @ (cells.floor / np.maximum(cells.size, 1)) ** 2 / fewest
    parts = Parts.of(figures, mean) if cells.proportion else None
    return Summary(
        figures.index,
        figures.estimate,
        figures.known,
        _bounds(figures),
        patients,
        networks,
        np.where(np.isfinite(total), np.maximum(total, 1), np.maximum(own, 1)),
        skewness,
        floor,
        rows.astype(np.float32),
        network_rows,
        parts,
        cells.resamples,
        np.zeros(len(figures)),
        sum(len(arm.values) == 1 for arm in figures.arms),
    )


def summaries(family: Figures | Summary | Sequence[Figures | Summary]) -> list[Summary]:
    """A family as a list of summaries."""
    given = [family] if isinstance(family, (Figures, Summary)) else list(family)
    return [own if isinstance(own, Summary) else summary(own) for own in given]


def united(family: Sequence[Summary]) -> list[Summary]:
    """Summaries of one kind as a single one, which is worked out at once; those of several kinds as they are."""
    kinds = {(own.parts is None, own.replicated, bool(own.network_rows), own.networks_compared) for own in family}
    if len(family) < 2 or len(kinds) > 1:
        return list(family)
    first = family[0]
    sizes = {name: len(rows) for own in family for name, rows in own.network_rows.items()}
    network_rows = {
        name: np.concatenate(
            [own.network_rows.get(name, np.zeros((size, len(own)), np.float32)) for own in family], axis=1
        )
        for name, size in sizes.items()
    }
    return [
        replace(
            first,
            index=pl.concat([own.index for own in family], how="diagonal"),
            bounds=np.concatenate([own.bounds for own in family], axis=1),
            rows=np.concatenate([own.rows for own in family], axis=1),
            network_rows=network_rows,
            parts=None if first.parts is None else Parts.joined([own.parts for own in family]),
            **{name: np.concatenate([getattr(own, name) for own in family]) for name in COLUMNS},
        )
    ]


def _between(arm: Arm, matrix: Array) -> tuple[Array, Array, NDArray[np.float32]]:
    """V_B / S, V_N / S, each (K,), and rows (R, K) whose squares sum to the former."""
    count = len(arm.values)
    deviations = arm.deviations @ matrix
    total = (deviations**2).sum(axis=0) / arm.degrees
    within = np.zeros(matrix.shape[1])
    if count > 1:
        apart = arm.influence - arm.influence.mean(axis=0)
        within = sum(((own @ matrix) ** 2).sum(axis=0) for own in apart) / (count - 1)
    share = np.maximum(1 - np.divide(within, total, out=np.ones_like(total), where=total > 0), 0)
    rows = deviations * np.sqrt(share / (arm.degrees * count))
    return share * total / count, total / count, rows.astype(np.float32)


def _welch(variance: Array, matrix: Array, degrees: Array) -> Array:
    """Degrees of freedom (K,) of combinations of cells with such variances (C,)."""
    weight = (matrix**2).T * variance
    nobody_differs = weight.sum(axis=1) == 0
    weight[nobody_differs] = (matrix[:, nobody_differs] ** 2).T
    return weight.sum(axis=1) ** 2 / (weight**2 / np.maximum(degrees, 1)).sum(axis=1)


def _bounds(figures: Figures) -> Array:
    """Smallest and largest value that each figure can take, (2, K)."""
    low, high = figures.cells.bounds
    if not np.isfinite([low, high]).all():
        return np.array([[-np.inf], [np.inf]]) * np.ones(len(figures))
    ends = np.stack([figures.matrix * low, figures.matrix * high])
    return np.stack([ends.min(axis=0).sum(axis=0), ends.max(axis=0).sum(axis=0)]) + figures.offset
