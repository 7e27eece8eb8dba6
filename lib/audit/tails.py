"""p-values of differences so far from 0 that hardly any resample of the bootstrap gets there.

B replicates cannot show a p below 2 / (B + 1), and Holm over m methods asks for .05 / m: over a grid of more than B / 40
methods nothing could ever be told from noise. There the tail is read from a Student t of the replicates' spread and kurtosis.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from lib.audit.resampling import Array, beyond_0, p_of_tail

FEW = 10
"""Replicates on the far side of 0 below which the tail is read from the fitted distribution."""
LEAST = 1000
"""Replicates that a fit needs."""


def tail_p(replicates: Array) -> Array:
    """Two-sided p, (...), of a difference being 0, from its replicates (B, ...); NaN where no replicate exists.

    The bootstrap's own p; where fewer than 10 of at least 1,000 replicates lie beyond 0, 2 P(T > |mean| / sd) if that is
    smaller, T a Student t of the replicates' excess kurtosis k: 4 + 6 / k degrees of freedom, which tend to the normal as
    k does to 0. The mixture of patients (normal) and few networks (heavy tails) is what k stands for.
    """
    tail, count = beyond_0(replicates)
    p, far = p_of_tail(tail, count), (tail < FEW) & (count > 0)
    if len(replicates) < LEAST or not np.any(far):
        return p
    chosen = replicates[:, far] if replicates.ndim > 1 else replicates[:, None]
    p = np.atleast_1d(p).astype(np.float64).copy()
    p[np.atleast_1d(far)] = np.minimum(p[np.atleast_1d(far)], _fitted(chosen))
    return p.reshape(replicates.shape[1:])


def _fitted(replicates: Array) -> Array:
    """2 P(T > |mean| / sd) for each column of replicates (B, K)."""
    mean = np.nanmean(replicates, axis=0)
    centred = replicates - mean
    variance = np.nanmean(centred**2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = np.nanmean(centred**4, axis=0) / variance**2 - 3
        degrees = np.where(kurtosis > 1e-3, 4 + 6 / kurtosis, 1e6)
        distance = np.where(variance > 0, np.abs(mean) / np.sqrt(variance), 0)
    return 2 * student.sf(distance, degrees)


def better_p(differences: Array) -> NDArray[np.float64]:
    """One-sided p, (K,), of differences not being above 0, from replicates (B, K)."""
    two = tail_p(differences)
    return np.where(np.nanmean(differences, axis=0) > 0, two / 2, 1 - two / 2)
