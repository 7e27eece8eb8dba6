"""Retraining as a source of noise: how far the networks of a weighting lie from each other, and what that does to a mean.

A bootstrap of S networks fails when S is small: with two, it offers three values and its intervals of a change of
weighting cover in 78 % of cases where retraining alone is at work, whatever the (S - 1) / S correction. Here the
deviations are pooled over weightings, which share architecture and training; `lib.audit.components` allows for their number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from lib.audit.resampling import Array, stream

DEGREES = np.array([1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 100, 300, 1000])
"""Degrees of freedom that Student's t is drawn for; others are rounded down to one of these, which is the wide side."""


def deviations(by_seed: Sequence[Array]) -> Array:
    """Each network's metrics less the mean of its weighting, (R, ...), for the R networks of all weightings.

    `by_seed`: for each weighting its metrics (S, ...) in the sample, all under the same post-processing.
    """
    return np.concatenate([values - values.mean(axis=0) for values in by_seed])


def network_draws(networks: Mapping[str, int], replicates: int, seed: int, *, student: bool = True) -> dict[str, Array]:
    """For each weighting, how much of each of the R deviations enters each replicate, (B, R).

    draw[b, r] = g[b, r] / sqrt(S d): g standard normal, of its own for each weighting; S its number of networks; d = sum
    over weightings of S - 1. Then draw @ deviations is the pooled standard deviation / sqrt(S) times a normal, all cells
    and metrics moving together as networks do; with `student`, times Student's t with d degrees of freedom, the pooled
    variance being estimated once for all weightings. Every post-processing of a weighting shares its draws. Assumes that
    retraining is as noisy under each weighting. With d = 0 (one network each) nothing is known about retraining: the
    draws are 0, intervals cover the sampling of patients only, and the report must say so.
    """
    degrees = sum(count - 1 for count in networks.values())
    if degrees == 0:
        return {weighting: np.zeros((replicates, len(networks))) for weighting in networks}
    chi2 = stream(seed, "pooled variance").chisquare(degrees, size=(replicates, 1)) if student else degrees
    draws = {}
    for weighting, count in networks.items():
        normal = [
            stream(seed, "networks", weighting, other).standard_normal((replicates, n)) for other, n in networks.items()
        ]
        draws[weighting] = np.concatenate(normal, axis=1) / np.sqrt(chi2 * count)
    return draws


def two_level(resampled: Array, spread: Array, draws: Array) -> Array:
    """Raw replicates of the mean over networks, (B, ...): patients resampled, networks drawn anew.

    mean over s of resampled (B, S, ...) + draws (B, R) @ deviations (R, ...). The noise of single networks on single
    patients enters twice, through either level; `lib.audit.components` takes one of the two off.
    """
    return resampled.mean(axis=1) + np.tensordot(draws, spread, axes=1)


@dataclass(frozen=True, eq=False)
class Retraining:
    """What the methods of a study share: `degrees` d of the pooled variance, normal `draws[weighting]` (B, R), and
    `student` (B, D), factors that turn a normal replicate into one of Student's t, a column for each of `DEGREES`.
    """

    degrees: int
    draws: Mapping[str, Array]
    student: Array

    @classmethod
    def of(cls, networks: Mapping[str, int], replicates: int, seed: int) -> "Retraining":
        """The noise of so many networks of each weighting."""
        # evenly spread over 0 to 1: heavy tails would otherwise make the bounds jump between seeds
        share = (stream(seed, "student").permutation(replicates)[:, None] + 0.5) / replicates
        student = np.sqrt(DEGREES / (2 * gammaincinv(DEGREES / 2, share)))
        draws = network_draws(networks, replicates, seed, student=False)
        return cls(sum(count - 1 for count in networks.values()), draws, student)

    def widened(self, degrees: Array) -> Array:
        """Factors (B, K) for K figures with so many degrees of freedom (K,)."""
        return self.student[:, np.maximum(np.searchsorted(DEGREES, degrees, side="right") - 1, 0)]
