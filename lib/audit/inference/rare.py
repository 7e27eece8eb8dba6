"""How rare is an error of a few networks far beyond the single interval? What families of comparisons of weightings hang on.

The critical value of a single interval (`lib.audit.inference.variance`) is right at 5 %. In a family of eighteen figures an error must be one of 300,
and Student's t with those degrees of freedom takes it for three to five times rarer than it is, with three degrees of freedom for networks: by chance
patients seem to explain most of what networks differ by, their variance is put too low, or at 0, and t has then no heavy tail. Here it is
any of those that fit what was seen. With V_N seen between networks on d degrees of freedom, of which patients explain V_C, the variance is
V_P + max(V_N d / chi2_d - V_C, 0), and an error's tail is the mean of Student's t, that of patients, over chi2_d: the Behrens-Fisher
distribution (Fisher 1935, doi 10.1111/j.1469-1809.1935.tb02120.x), whose second variance is a difference. A family takes this tail where it is the
larger one. In 200 (60) cohorts of 375 (1,500) patients from real scores, families of two weightings without effect, 18 figures each, then alarm
in 1, 2.5 and 4 % (2, 5 and 8 %) with two, three and five networks; in 16, 10 and 8 % (15, 8 and 12 %) before. Shrinking the
correlations of networks (Schafer & Strimmer 2005, doi 10.2202/1544-6115.1175) moves critical values by 1 % and mends none of it.
Where one weighting is judged, patients are most of the noise and families keep 5 % without.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtr, stdtr
from scipy.stats import chi2, norm

from lib.audit.inference.cells import Array
from lib.audit.inference.variance import Summary

NODES, RAREST = 32, 1e-8
"""Values of chi2 that stand for all, and how much of its probability lies beyond each end of them."""
STEPS, CLOSE = 30, 1e-9
LOWEST, HIGHEST = -6.0, 14.0
"""Logarithms of the smallest and the largest distance that are looked for."""


@dataclass(frozen=True, eq=False)
class Rare:
    """Tails of K figures: `scale` (K, N) of the standard error with chance `chance` (K, N) each, and `degrees` (K,) of patients.

    Distances are in standard errors as estimated.
    """

    scale: Array
    chance: Array
    degrees: Array

    @classmethod
    def of(cls, own: Summary, rows: Array) -> "Rare":
        """Of the figures at these positions, all of which have networks that differ."""
        patients, seen, explained = (getattr(own, name)[rows] for name in ("patients", "seen", "explained"))
        square, chance = np.zeros((2, len(rows), NODES))
        for degrees in np.unique(own.network_degrees[rows]):
            at = own.network_degrees[rows] == degrees
            square[at], chance[at] = _chi2(float(degrees))
        retraining = np.maximum(seen[:, None] / square - explained[:, None], 0)
        scale = np.sqrt((patients[:, None] + retraining) / (patients + own.networks[rows])[:, None])
        return cls(np.maximum(scale, 1e-9), chance, own.patient_degrees[rows])

    def size(self, distance: Array) -> Array:
        """The normal deviate (K,) that is exceeded as seldom, on both sides, as so many standard errors."""
        return -norm.ppf(np.maximum(self.tail(distance), 1e-300) / 2)

    def tail(self, distance: Array) -> Array:
        """Two-sided probability (K,) of errors beyond so many standard errors."""
        return (2 * self.chance * stdtr(self.degrees[:, None], -distance[:, None] / self.scale)).sum(axis=1)

    def distance(self, normal: float) -> Array:
        """The standard errors (K,) exceeded as seldom as a normal exceeds `normal`: secants in logarithms, within a bracket."""
        wanted = np.log(2 * ndtr(-normal))
        low, high = np.full(len(self.scale), LOWEST), np.full(len(self.scale), HIGHEST)
        before, at = np.zeros(len(low)), np.full(len(low), np.log(normal))
        had = np.log(self.tail(np.exp(before)))
        for _ in range(STEPS):
            has = np.log(np.maximum(self.tail(np.exp(at)), 1e-300))
            low, high = np.where(has > wanted, at, low), np.where(has > wanted, high, at)
            if np.abs(has - wanted).max(initial=0) < CLOSE:
                break
            with np.errstate(divide="ignore", invalid="ignore"):
                step = at + (wanted - has) * (at - before) / (has - had)
            inside = (step > low) & (step < high)
            before, had, at = at, has, np.where(inside, step, (low + high) / 2)
        return np.exp(at)


def _chi2(degrees: float) -> tuple[Array, Array]:
    """chi2 / degrees at N values, even in logarithms, and the chance of each."""
    low, high = chi2.ppf([RAREST, 1 - RAREST], degrees)
    logs = np.linspace(np.log(low), np.log(high), NODES)
    weight = np.exp(degrees / 2 * logs - np.exp(logs) / 2 - gammaln(degrees / 2))
    return np.exp(logs) / degrees, weight / weight.sum()
