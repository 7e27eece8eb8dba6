"""One pivot for interval, p and equivalence: how far an estimate is from a value, on the scale of Student's t.

Proportions, and what is built from them, use the critical value at which their interval (Wilson's, or put together from several) meets the value.
Everything else is studentised and freed of its skewness by Hall's cubic (1992, doi 10.1111/j.2517-6161.1992.tb01876.x): with g the
skewness of the estimate, x = t + g t^2 / 3 + g^2 t^3 / 27 + g / 6. Where g t < 0 the cubic flattens, and from g t = -3 on, which a skewness of .5
reaches at 95 %, bounds leap to six standard errors. There t is the inverse cubic's expansion instead: with u = g (x - g / 6), g t = u - u^2 / 3 +
5 u^3 / 27 as far as the expansion holds, u = -1, and straight on from there. Of means of 10 to 80 exponential, lognormal and beta values, 95 %
intervals so made are up to a quarter narrower than the cubic's and cover within a point of them, two at ten values. The pivot is monotone in the value, so that
bounds, one-sided and two-sided p agree.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp
from scipy.stats import t as student

from lib.audit.inference.cells import Array
from lib.audit.inference.rare import Rare
from lib.audit.inference.variance import Summary

_EDGE, _SLOPE = -41 / 27, 20 / 9
"""Value and slope at -1 of the expansion of the inverse cubic."""


@dataclass(frozen=True, eq=False)
class Pivot:
    """K figures: `estimate`, standard error `se`, `degrees` of freedom, `skewness` of the estimate, and their summary."""

    of: Summary
    se: Array
    skewness: Array

    @classmethod
    def for_summary(cls, own: Summary) -> "Pivot":
        plain = own.patients + own.networks
        variance = plain if own.parts is not None else plain + own.floor
        with np.errstate(invalid="ignore", divide="ignore"):
            skewness = np.nan_to_num(own.skewness * (own.patients / variance) ** 1.5)
        return cls(own, np.sqrt(variance), skewness)

    def at(self, value: float | Array) -> Array:
        """How far the estimate is above a value, (K,): standard Student's t if the value is the truth."""
        distance = self.of.estimate - value
        if self.of.parts is not None:
            return self.of.parts.critical(np.nan_to_num(distance), self.of.networks)
        g = self._skewness
        with np.errstate(invalid="ignore", divide="ignore"):
            s = g * distance / self.se
            near = np.clip(s, _EDGE, 0)
            root = 0.6 + 2.4 * np.sinh(np.arcsinh((near - 0.52) * 25 / 16) / 3)  # where the expansion is `near`
            return np.where(s < 0, root + (s - near) / _SLOPE, (1 + s / 3) ** 3 - 1) / g + self.skewness / 6

    def above(self, value: float | Array) -> Array:
        """One-sided p, (K,), of the truth being at most `value`."""
        return student.sf(self.at(value), self.of.degrees)

    def below(self, value: float | Array) -> Array:
        """One-sided p, (K,), of the truth being at least `value`."""
        return student.cdf(self.at(value), self.of.degrees)

    def size(self, value: float | Array = 0.0, *, family: bool = False) -> Array:
        """How far the estimate is from a value, (K,), as the normal deviate with the same two-sided p.

        `family`: as its family sees it; nearer, where weightings of few networks are compared (`lib.audit.inference.rare`).
        """
        at = np.abs(self.at(value))
        found = -ndtri_exp(np.minimum(student.logsf(at, self.of.degrees), np.log(0.5)))
        if family and len(few := self._few[found[self._few] > 1]):
            found[few] = np.minimum(found[few], Rare.of(self.of, few).size(at[few]))
        return found

    def bounds(self, normal: float, *, family: bool = False) -> tuple[Array, Array]:
        """Bounds (K,) each, with as much outside as a normal has beyond `normal` on each side."""
        critical = student.isf(np.exp(log_ndtr(-normal)), self.of.degrees) * np.ones(len(self.of))
        if family and len(self._few):
            critical[self._few] = np.maximum(critical[self._few], Rare.of(self.of, self._few).distance(normal))
        if self.of.parts is not None:
            below, above = self.of.parts.distances(critical, self.of.networks)
        else:
            below, above = self.se * self._plain(critical), -self.se * self._plain(-critical)
        ends = self.of.lowest, self.of.highest
        return np.clip(self.of.estimate - below, *ends), np.clip(self.of.estimate + above, *ends)

    @cached_property
    def _few(self) -> NDArray[np.intp]:
        """Positions of comparisons of weightings whose networks differ."""
        return np.flatnonzero((self.of.seen > 0) & (self.of.patients + self.of.networks > 0))

    @property
    def _skewness(self) -> Array:
        """The skewness, or so little that the curve is a straight line, to divide by."""
        return np.where(np.abs(self.skewness) < 1e-4, 1e-4, self.skewness)

    def _plain(self, x: Array) -> Array:
        """The t whose pivot is x."""
        g = self._skewness
        u = g * (x - self.skewness / 6)
        near = np.clip(u, -1, 0)
        expansion = near - near**2 / 3 + 5 * near**3 / 27 + (u - near) * _SLOPE
        return np.where(u < 0, expansion, 3 * (np.cbrt(1 + u) - 1)) / g
