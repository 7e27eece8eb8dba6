"""Intervals of proportions and of what is built from them: Wilson's, put together by the method of variance estimates recovery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures

SECANTS, BISECTIONS, CLOSE = 8, 45, 1e-10
FURTHEST = (-14.0, 7.0)
"""Logarithms of the smallest and the largest critical value that are looked for."""


@dataclass(frozen=True, eq=False)
class Parts:
    """K figures, each a combination of up to M proportions.

    `share` (K, M); `number` (K, M), effective numbers of patients; `coefficient` (K, M), 0 where there are fewer; `correlation`
    (K, M, M) of the estimates, times the signs of the coefficients; `networks` (K,), variance of retraining.
    """

    share: Array
    number: Array
    coefficient: Array
    correlation: Array

    @classmethod
    def of(cls, figures: Figures, mean: Array) -> "Parts":
        """From proportions with influences `mean` (P, C) of the mean over networks.

        The effective number of a proportion is share (1 - share) / variance, at most the number of images; where nobody differs, the
        number of patients. Source: Korn & Graubard 1998, Survey Methodology 24.
        """
        cells, matrix = figures.cells, figures.matrix
        share = np.clip(sum(arm.values.mean(axis=0) for arm in figures.arms), 0, 1)
        variance = (mean**2).sum(axis=0)
        differ = variance > 1e-12
        with np.errstate(invalid="ignore", divide="ignore"):
            number = np.where(differ, share * (1 - share) / variance, cells.size)
        number = np.maximum(np.minimum(number, np.maximum(cells.images, cells.size)), 1e-3)
        deviation = np.sqrt(np.where(differ, variance, 1))
        scaled = np.where(differ, mean, 0) / deviation
        most = max(1, int((matrix != 0).sum(axis=0).max(initial=0)))
        order = np.argsort(-np.abs(matrix), axis=0, kind="stable")[:most].T  # (K, M)
        coefficient = np.take_along_axis(matrix.T, order, axis=1)
        chosen = scaled[:, order]  # (P, K, M)
        correlation = np.einsum("pkm,pkn->kmn", chosen, chosen)
        correlation[:, np.arange(most), np.arange(most)] = 1
        signs = np.sign(coefficient)
        return cls(share[order], number[order], coefficient, correlation * signs[:, :, None] * signs[:, None])

    @classmethod
    def joined(cls, given: Sequence["Parts"]) -> "Parts":
        """One after the other; combinations of fewer proportions are filled up with ones that do not count."""
        most = max(own.share.shape[1] for own in given)
        share, number, coefficient, correlation = [], [], [], []
        for own in given:
            count, size = own.share.shape
            pad = [(0, 0), (0, most - size)]
            share.append(np.pad(own.share, pad))
            number.append(np.pad(own.number, pad, constant_values=1))
            coefficient.append(np.pad(own.coefficient, pad))
            alone = np.broadcast_to(np.eye(most), (count, most, most)).copy()
            alone[:, :size, :size] = own.correlation
            correlation.append(alone)
        return cls(*(np.concatenate(own) for own in (share, number, coefficient, correlation)))

    def take(self, rows: NDArray[np.bool_]) -> "Parts":
        return replace(self, **{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def distances(self, critical: Array, networks: Array) -> tuple[Array, Array]:
        """How far the lower and the upper bound are from the estimate, (K,) each, at critical values (K,).

        Of a single proportion these are Wilson's bounds (1927, doi 10.1080/01621459.1927.10502953), whose distances are combined as
        sqrt(sum_ij c_i c_j r_ij d_i d_j), d_i being the distance on the side that makes the combination smaller (larger).
        Source: Zou, Huang & Zhang 2009, doi 10.1080/10543400902800486, with correlations as in Zou & Donner 2008, doi 10.1002/sim.3095.
        """
        square = critical[:, None] ** 2
        spread = 1 + square / self.number
        centre = (self.share + square / (2 * self.number)) / spread
        half = critical[:, None] * np.sqrt(self.share * (1 - self.share) / self.number + square / (4 * self.number**2))
        below, above = self.share - (centre - half / spread), centre + half / spread - self.share
        positive = self.coefficient > 0
        size = np.abs(self.coefficient)
        found = []
        for towards, away in ((below, above), (above, below)):
            own = np.where(positive, towards, away) * size
            squared = np.einsum("ki,kij,kj->k", own, self.correlation, own) + critical**2 * networks
            found.append(np.sqrt(np.maximum(squared, 0)))
        return found[0], found[1]

    def critical(self, distance: Array, networks: Array) -> Array:
        """The critical value (K,) at which the bound is so far from the estimate: positive distances are below it, negative above.

        Secants in logarithms, where the distance is nearly a line in the critical value; bisection where they do not end.
        """
        target = np.abs(distance)

        def reached(critical: Array) -> Array:
            below, above = self.distances(critical, networks)
            return np.where(distance >= 0, below, above)

        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = np.log(target)
            before, at = np.zeros(len(target)), np.clip(wanted - np.log(reached(np.ones(len(target)))), *FURTHEST)
            had = np.log(reached(np.exp(before)))
            for _ in range(SECANTS):
                has = np.log(reached(np.exp(at)))
                slope = np.where(at == before, 1.0, np.clip((has - had) / (at - before), 0.1, 2))
                before, had, at = at, has, np.clip(at + (wanted - has) / slope, *FURTHEST)
            found = np.exp(at)
            off = ~(np.abs(np.log(reached(found)) - wanted) < CLOSE) & (target > 0)
        if off.any():
            some, aim, above = self.take(off), target[off], distance[off] >= 0
            low, high = np.full(len(aim), FURTHEST[0]), np.full(len(aim), FURTHEST[1])
            for _ in range(BISECTIONS):
                middle = (low + high) / 2
                bounds = some.distances(np.exp(middle), networks[off])
                short = np.where(above, *bounds) < aim
                low, high = np.where(short, middle, low), np.where(short, high, middle)
            found[off] = np.exp(high)
        return np.sign(distance) * np.where(target > 0, found, 0)
