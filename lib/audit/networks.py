"""Retraining as a source of noise: how far the networks of a weighting lie from each other, and what that does to a mean.

A bootstrap of S networks fails when S is small: with two, it offers three values and its intervals of a change of
weighting cover in 78 % of cases where retraining alone is at work, whatever the (S - 1) / S correction. Here the
deviations are pooled over weightings, which share architecture and training, and Student's t allows for their number.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lib.audit.resampling import Array, stream


def deviations(by_seed: Sequence[Array]) -> Array:
    """Each network's metrics less the mean of its weighting, (R, ...), for the R networks of all weightings.

    `by_seed`: for each weighting its metrics (S, ...) in the sample, all under the same post-processing.
    """
    return np.concatenate([values - values.mean(axis=0) for values in by_seed])


def network_draws(networks: Mapping[str, int], replicates: int, seed: int) -> dict[str, Array]:
    """For each weighting, how much of each of the R deviations enters each replicate, (B, R).

    draw[b, r] = t_b g[b, r] / sqrt(S d): g standard normal, of its own for each weighting; S its number of networks; d =
    sum over weightings of S - 1; t_b = sqrt(d / chi2_d), shared, for the pooled variance is estimated once. Then
    draw @ deviations is the pooled standard deviation / sqrt(S) times Student's t with d degrees of freedom, all cells
    and metrics moving together as networks do. Every post-processing of a weighting shares its draws. Assumes that
    retraining is as noisy under each weighting. With d = 0 (one network each) nothing is known about retraining: the
    draws are 0, intervals cover the sampling of patients only, and the report must say so.
    """
    degrees = sum(count - 1 for count in networks.values())
    if degrees == 0:
        return {weighting: np.zeros((replicates, len(networks))) for weighting in networks}
    chi2 = stream(seed, "pooled variance").chisquare(degrees, size=(replicates, 1))
    draws = {}
    for weighting, count in networks.items():
        normal = [
            stream(seed, "networks", weighting, other).standard_normal((replicates, n)) for other, n in networks.items()
        ]
        draws[weighting] = np.concatenate(normal, axis=1) / np.sqrt(chi2 * count)
    return draws


def two_level(resampled: Array, spread: Array, draws: Array) -> Array:
    """Replicates of the mean over networks, (B, ...): patients resampled, networks drawn anew.

    mean over s of resampled (B, S, ...) + draws (B, R) @ deviations (R, ...). The noise of single networks on single
    patients enters twice, through either level, so that intervals err on the wide side (compare Owen 2007, The pigeonhole
    bootstrap, doi 10.1214/07-AOAS122, where it enters three times).
    """
    return resampled.mean(axis=1) + np.tensordot(draws, spread, axes=1)
