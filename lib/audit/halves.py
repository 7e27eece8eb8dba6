"""Two groups side by side, as sums by patient: their difference in rates, and its variance, for any assignment of groups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.audit.population import Population
from lib.audit.resampling import NEAR, Array, chunks
from lib.cores import computed_once
from lib.names import attribute_named

LABELLED = np.array([[0.5, -0.5], [1.0, 0.0], [0.0, 1.0]])
"""Balanced accuracy, TPR and FPR as combinations of the differences among the sick and among the healthy."""
TOGETHER = np.array([[1.0]])


@dataclass(frozen=True, eq=False)
class Side:
    """Images of one label (or of both), for the P patients who have an image in either group.

    `images` and `called` (P, 2, ...) in the first and the second group: their number, and by method the sum of decisions.
    """

    images: Array
    called: Array

    @computed_once
    def n(self) -> Array:
        """Images of each patient in either group, (P,)."""
        return self.images.sum(axis=1)

    @computed_once
    def s(self) -> Array:
        """Sums of decisions of each patient in either group, (P, M)."""
        return self.called.sum(axis=1)

    @computed_once
    def share(self) -> Array:
        """The part of a patient's images that is in the first group, (P,); 0 without any image."""
        return self.images[:, 0] / np.maximum(self.n, 1)


@dataclass(frozen=True, eq=False)
class Halves:
    """One side (both labels together) or two (sick, healthy), and what is read from their differences, (K, sides)."""

    sides: tuple[Side, ...]
    contrasts: Array
    strata: NDArray[np.int64]

    @property
    def methods(self) -> int:
        """Number of methods, M."""
        return self.sides[0].called.shape[2]

    def observed(self) -> tuple[Array, Array]:
        """The K differences and their variances by patient, each (K, M), with the groups as they are."""
        d, influence = self.influence()
        return d, (influence**2).sum(axis=0)

    def influence(self) -> tuple[Array, Array]:
        """The K differences (K, M), and each patient's part in their noise (P, K, M)."""
        ends, influence = [], []
        for side in self.sides:
            total = side.images.sum(axis=0)  # (2,)
            rate = side.called.sum(axis=0) / total[:, None]  # (2, M)
            parts = (side.called - rate * side.images[..., None]) / total[:, None]  # (P, 2, M)
            ends.append(rate[0] - rate[1])
            influence.append(parts[:, 0] - parts[:, 1])
        influence = np.einsum("ky,ypm->pkm", self.contrasts, np.stack(influence))
        return self.contrasts @ np.stack(ends), influence

    def permuted(self, order: NDArray[np.int32]) -> tuple[Array, Array]:
        """The same, each (b, K, M), where patient j takes the shares of patient order[b, j]: matrix products only."""
        shares = [side.share[order] for side in self.sides]
        read = [_rates(side, share) for side, share in zip(self.sides, shares, strict=True)]
        d = np.stack([rate[0] - rate[1] for rate, _ in read], axis=1)
        y = len(self.sides)
        covariance = np.empty((y, y, *d[:, 0].shape))
        for i in range(y):
            for j in range(i, y):
                covariance[i, j] = covariance[j, i] = self._covariance(i, j, shares, read)
        v = np.einsum("ki,kj,ijbm->bkm", self.contrasts, self.contrasts, covariance)
        return np.einsum("ky,bym->bkm", self.contrasts, d), v

    def _covariance(self, i: int, j: int, shares: list[Array], read: list) -> Array:
        """Sum over patients of the products of their influences on two sides, (b, M)."""
        kept, table, everyone = self._products[i, j]
        first = [shares[k][:, kept].astype(np.float32) for k in (i, j)]
        sums = {
            "a": first[0] @ table,
            "b": first[1] @ table if i != j else None,
            "all": everyone,
        }
        sums["b"] = sums["a"] if sums["b"] is None else sums["b"]
        sums["ab"] = sums["a"] if self._whole else (first[0] * first[1]) @ table
        (t, images), (u, others) = read[i], read[j]
        found = np.empty((len(first[0]), self.methods))
        for rows in chunks(len(found), self.methods, most=NEAR // 4):
            a, b, ab = (sums[name][rows].astype(np.float64) for name in ("a", "b", "ab"))
            # groups (first, first), (first, second), (second, first), (second, second) of the two sides
            quadrants = ab, a - ab, b - ab, sums["all"] - a - b + ab
            total = 0.0
            for quadrant, (g, h) in zip(quadrants, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
                m = self.methods
                nn, ss, ns, *sn = np.split(quadrant, [1, 1 + m, 1 + 2 * m], axis=1)
                sn = sn[0] if i != j else ns
                own, other = t[g][rows], u[h][rows]
                sign = 1 if g == h else -1
                total += sign * (ss - own * ns - other * sn + own * other * nn) / (images[g][rows] * others[h][rows])
            found[rows] = total
        return found

    @computed_once
    def _products(self) -> dict[tuple[int, int], tuple[NDArray[np.int64], NDArray[np.float32], Array]]:
        """For two sides, the patients on both, the products of their sums (a variance needs no double precision, and they
        are the bulk of the work), and these summed.
        """
        found = {}
        for i, one in enumerate(self.sides):
            for j, two in enumerate(self.sides[i:], start=i):
                kept = np.flatnonzero((one.n > 0) & (two.n > 0))
                table = _products(one, two, kept)
                found[i, j] = kept, table.astype(np.float32), table.sum(axis=0)
        return found

    @computed_once
    def _whole(self) -> bool:
        """Whether every patient is in one group only, which saves a product."""
        return (
            all(bool(np.isin(side.share, (0, 1)).all()) for side in self.sides)
            and len({tuple(self.sides[k].share[_both(self.sides)]) for k in range(len(self.sides))}) == 1
        )


def halves(
    population: Population, attribute: str, pair: tuple[str, str], called: Array, *, apart: bool
) -> Halves | None:
    """The sums of two groups for decisions `called` (n, M); None when one of them has no image on a side.

    `apart` keeps the sick and the healthy on sides of their own, and patients in strata by which of them they have.
    """
    groups = attribute_named(attribute).groups
    codes = population.groups[attribute]
    members = np.stack([codes == groups.index(name) for name in pair], axis=1).astype(float)  # (n, 2)
    labels = [population.labels == 1, population.labels == 0] if apart else [np.ones(population.n_images, dtype=bool)]
    tables = []
    for side in labels:
        own = members * side[:, None]
        if not own.any(axis=0).all():
            return None
        table = np.concatenate([own, (own[:, :, None] * called[:, None]).reshape(len(own), -1)], axis=1)
        tables.append(population.sums_by_patient(table))
    kept = np.any([table[:, :2].sum(axis=1) > 0 for table in tables], axis=0)
    sides = tuple(Side(table[kept, :2], table[kept, 2:].reshape(int(kept.sum()), 2, -1)) for table in tables)
    strata = sum((side.n > 0).astype(np.int64) << k for k, side in enumerate(sides))
    return Halves(sides, LABELLED if apart else TOGETHER, strata)


def _both(sides: tuple[Side, ...]) -> NDArray[np.bool_]:
    return np.all([side.n > 0 for side in sides], axis=0)


def _rates(side: Side, share: Array) -> tuple[Array, Array]:
    """Rates (2, b, M) and images (2, b, 1) of the two groups, for shares (b, P) of the first."""
    first = share @ np.column_stack([side.n, side.s])
    both = np.stack([first, np.append(side.n.sum(), side.s.sum(axis=0)) - first])
    with np.errstate(divide="ignore", invalid="ignore"):
        return both[..., 1:] / both[..., :1], both[..., :1]


def _products(one: Side, two: Side, kept: NDArray[np.int64]) -> Array:
    """Columns n n', and by method s s', n s' and, unless the sides are the same, s n', (P, 1 + 3 M)."""
    n, m = one.n[kept, None], two.n[kept, None]
    s, r = one.s[kept], two.s[kept]
    return np.concatenate([n * m, s * r, n * r, *([] if one is two else [s * m])], axis=1)
