"""Figures of networks and the influence of each patient on them: what every interval of the audit is made from.

A figure is a linear combination of cells (the rate of one group under one label, an AUC, a mean). A cell has a value for
each network and, for each network, the influence of each patient: how far the patient pushes the value from that of the
population. Influences of two figures add and subtract as the figures do, which pairs them by patient and by network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.inference.cells import Arm, Array, Cells, paired


@dataclass(frozen=True, eq=False)
class Figures:
    """K figures, `cells @ matrix + offset`; `index` has a row for each (attribute, group or contrast, metric, ...).

    A column `estimable` of the index, where there is one, says which may be told.
    """

    index: pl.DataFrame
    arms: tuple[Arm, ...]
    cells: Cells
    matrix: Array
    offset: Array

    @classmethod
    def of(
        cls, index: pl.DataFrame, weighting: str, values: Array, influence: Array, cells: Cells | None = None
    ) -> "Figures":
        """Figures of S networks that are cells themselves: `values` (S, K), `influence` (S, P, K), each summing to 0 over patients.

        Raises ValueError when the shapes do not fit.
        """
        values, influence = np.atleast_2d(np.asarray(values, float)), np.asarray(influence, np.float32)
        networks, count = values.shape
        if influence.ndim != 3 or influence.shape[::2] != values.shape or index.height != count:
            raise ValueError(
                f"got values {values.shape}, influences {influence.shape} and {index.height} rows of the index; "
                "(networks, figures), (networks, patients, figures) and a row for each figure are needed."
            )
        patients = influence.shape[1]
        known = np.isfinite(values).all(axis=0)
        if cells is None:
            many = np.full(count, float(patients))
            cells = Cells(many, many, many - 1, known)
        else:
            cells = replace(cells, known=cells.known & known)
        values, influence = np.where(known, values, 0), np.where(known, influence, 0)
        arm = Arm(weighting, values, influence, values - values.mean(axis=0), networks - 1)
        return cls(index, (arm,), cells, np.eye(count), np.zeros(count))

    @property
    def estimate(self) -> Array:
        """Mean over networks, (K,); NaN where it is not known."""
        mean = sum(arm.values.mean(axis=0) for arm in self.arms) @ self.matrix + self.offset
        return np.where(self.known, mean, np.nan)

    @property
    def by_network(self) -> Array:
        """The figures of each network, (S, K), of one weighting. Raises ValueError where two weightings are compared."""
        if len(self.arms) != 1:
            raise ValueError("these figures compare weightings; they have no value for a single network.")
        return np.where(self.known, self.arms[0].values @ self.matrix + self.offset, np.nan)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether every cell of a figure has somebody in it, and the index does not forbid it, (K,)."""
        known = ~((np.abs(self.matrix) > 0) & ~self.cells.known[:, None]).any(axis=0)
        return known & self.index["estimable"].to_numpy() if "estimable" in self.index.columns else known

    @property
    def patients(self) -> int:
        return self.arms[0].influence.shape[1]

    def __len__(self) -> int:
        return self.index.height

    def __add__(self, other: "Figures") -> "Figures":
        return self._plus(other, 1)

    def __sub__(self, other: "Figures") -> "Figures":
        return self._plus(other, -1)

    def __mul__(self, number: float) -> "Figures":
        return replace(self, matrix=self.matrix * number, offset=self.offset * number)

    __rmul__ = __mul__

    def _plus(self, other: "Figures", sign: int) -> "Figures":
        if len(self) != len(other):
            raise ValueError(f"{len(self)} and {len(other)} figures cannot be paired.")
        offset = self.offset + sign * other.offset
        if self.matrix.shape == other.matrix.shape and np.array_equal(self.matrix, other.matrix):
            cells = self.cells.joined(other.cells, sign)
            return replace(self, arms=paired(self.arms, other.arms, sign), cells=cells, offset=offset)
        one, two = len(self.matrix), len(other.matrix)
        arms = paired([a.padded(0, two) for a in self.arms], [a.padded(one, 0) for a in other.arms], 1)
        matrix = np.concatenate([self.matrix, sign * other.matrix])
        return replace(self, arms=arms, cells=self.cells.beside(other.cells), matrix=matrix, offset=offset)

    def contrast(self, index: pl.DataFrame, matrix: Array) -> "Figures":
        """L linear combinations of the K figures, with `matrix` (K, L) and an index of L rows."""
        return replace(self, index=index, matrix=self.matrix @ matrix, offset=self.offset @ matrix)

    def take(self, rows: Sequence[int] | NDArray[Any]) -> "Figures":
        """The chosen figures, by position or mask (K,)."""
        rows = np.asarray(rows)
        at = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(int)
        return replace(self, index=self.index[at], matrix=self.matrix[:, at], offset=self.offset[at])

    def where(self, chosen: pl.Expr) -> "Figures":
        """The figures whose row of the index is chosen."""
        return self.take(self.index.select(chosen.fill_null(False)).to_series().to_numpy())

    def with_index(self, **columns: Any) -> "Figures":
        """With constant columns in front of the index."""
        first = [pl.Series(name, [value]).new_from_index(0, len(self)) for name, value in columns.items()]
        rest = [own for own in self.index.get_columns() if own.name not in columns]
        return replace(self, index=pl.DataFrame([*first, *rest]))


def pool(figures: Mapping[str, Figures]) -> dict[str, Figures]:
    """The same figures under every weighting, with the deviations of all their networks pooled.

    Retraining is taken to be as noisy under each weighting: with few networks of each, only all together tell how noisy.
    Raises ValueError for figures that compare weightings.
    """
    arms = {name: own.arms for name, own in figures.items()}
    if any(len(own) != 1 for own in arms.values()):
        raise ValueError("figures of one weighting each are pooled, before any are compared.")
    own = [arm.values - arm.values.mean(axis=0) for (arm,) in arms.values()]
    deviations, degrees = np.concatenate(own), sum(len(rows) - 1 for rows in own)
    return {
        name: replace(figures[name], arms=(replace(arm, deviations=deviations, degrees=degrees),))
        for name, (arm,) in arms.items()
    }
