"""The Pareto front of performance and disparity: a method leaves it only when another is better at both beyond noise."""

from functools import partial

import numpy as np
import polars as pl

from lib.audit.frames import METHOD, frame, optional
from lib.audit.ledger import DISPARITIES, Ledger
from lib.audit.multiplicity import ALPHA
from lib.audit.resampler import holding
from lib.audit.resampling import Array, percentile_interval
from lib.audit.tails import better_p
from lib.cores import in_threads

_F = pl.Float64
SCHEMA = (
    METHOD
    | {"attribute": pl.String, "metric": pl.String}
    | {name: _F for name in ("balanced_accuracy", "balanced_low", "balanced_high", "disparity", "low", "high")}
    | {"on_front": pl.Boolean, "p": _F}
    | {f"by_{name}": pl.String for name in METHOD}
)
RIVALS = 8
"""Most threatening other methods that each is tested against; the adjustment counts all."""


def front(ledger: Ledger) -> pl.DataFrame:
    """Every method's balanced accuracy and gap with 95 % intervals, and whether it is on the front, by attribute and gap.

    `metric` is tpr, fpr or odds (the larger of both gaps). A method is off the front when some other has a higher
    balanced accuracy and a smaller gap, each beyond noise: the larger of the two one-sided p-values of the paired
    differences, times the number of rivals (Bonferroni), is below .05. That p and rival are in `p` and `by_...`. A point
    that merely looks worse stays: the front holds what cannot be ruled out.
    """
    asked = [(attribute, metric) for attribute in ledger.population.groups for metric in DISPARITIES]
    return frame([row for rows in in_threads(partial(_rows, ledger), asked) for row in rows], SCHEMA)


def _rows(ledger: Ledger, asked: tuple[str, str]) -> list[tuple]:
    methods, values, replicates = ledger.of(*asked)
    if not methods:
        return []
    rivals, p = dominating(values * np.array([1, -1]), replicates * np.array([1, -1], dtype=np.float32))
    low, high = holding(values, *percentile_interval(replicates))
    rows = []
    for k, method in enumerate(methods):
        off = p[k] < ALPHA
        numbers = [values[k, 0], low[k, 0], high[k, 0], values[k, 1], low[k, 1], high[k, 1]]
        by = methods[rivals[k]] if off else (None, None, None)
        rows.append((*method, *asked, *optional(numbers), not off, float(p[k]), *by))
    return rows


def dominating(values: Array, replicates: Array) -> tuple[Array, Array]:
    """For each method its surest rival, (M,), and the adjusted p of being better on both axes, (M,); 1 without a rival.

    `values` (M, 2) and `replicates` (B, M, 2), higher is better on both axes.
    """
    count = len(values)
    rivals, p = np.zeros(count, dtype=int), np.ones(count)
    surest = np.full((count, count), np.inf)
    for axis in (0, 1):
        ahead = values[None, :, axis] - values[:, None, axis]  # of j before i
        spread = _spread(replicates[:, :, axis].astype(np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(spread > 1e-9, ahead / spread, np.where(ahead > 1e-9, np.inf, 0))
        surest = np.minimum(surest, distance)
    for i in range(count):
        best = np.argsort(-surest[i], kind="stable")[:RIVALS]
        best = best[surest[i, best] > 1]
        if not len(best):
            continue
        lead = replicates[:, best] - replicates[:, i : i + 1]
        both = np.maximum(*(better_p(lead[..., axis].astype(np.float64)) for axis in (0, 1)))
        rivals[i] = best[int(np.argmin(both))]
        p[i] = min(1.0, float(both.min()) * (count - 1))
    return rivals, p


def _spread(replicates: Array) -> Array:
    """Standard deviation of every paired difference, (M, M), from replicates (B, M)."""
    covariance = np.atleast_2d(np.cov(replicates, rowvar=False))
    variance = np.diag(covariance)
    return np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0))
