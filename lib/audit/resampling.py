"""The bootstrap of patients, each with all its images, and what is read from its replicates.

Field & Welsh 2007, Bootstrapping clustered data, doi 10.1111/j.1467-9868.2007.00593.x.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.uint16]

CHUNK = 2_000_000
"""Numbers drawn at once (16 MB)."""
NEAR = 200_000
"""Numbers worked on at once: few enough to stay near the processor."""


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each name, so that adding a method leaves the draws of the others as they were."""
    words = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def patient_counts(n_patients: int, replicates: int, seed: int, unit: str = "patients") -> Counts:
    """How often each patient is drawn in each replicate, (B, P); every row sums to P.

    Row b is multinomial(P, 1/P): P patients drawn with replacement. One matrix serves every method, which makes
    their differences paired. `unit` names the stream. Raises ValueError unless both sizes are at least 1.
    """
    if n_patients < 1 or replicates < 1:
        raise ValueError(f"got {n_patients} patients and {replicates} replicates; both must be at least 1.")
    generator = stream(seed, unit)
    counts = np.empty((replicates, n_patients), dtype=np.uint16)
    for rows in chunks(replicates, n_patients):
        size = rows.stop - rows.start
        drawn = generator.integers(0, n_patients, size=(size, n_patients)) + n_patients * np.arange(size)[:, None]
        counts[rows] = np.bincount(drawn.ravel(), minlength=size * n_patients).reshape(size, n_patients)
    return counts


def chunks(replicates: int, width: int, least: int = 1, most: int = CHUNK) -> Iterator[slice]:
    """Slices of the replicates such that a slice times `width` numbers stays under `most`, of `least` replicates."""
    step = max(least, most // max(1, width))
    for start in range(0, replicates, step):
        yield slice(start, min(start + step, replicates))


@dataclass(frozen=True, eq=False)
class AndLeftOut:
    """Counts (B, P), and after them P samples, each without one of the P patients: B + P in all."""

    counts: Counts

    def __len__(self) -> int:
        return sum(self.counts.shape)


def resampled_sums(counts: Counts | AndLeftOut, sums: Array) -> Array:
    """Sums over each resample, (B, K), of per-patient sums (P, K): one matrix product for each chunk of replicates."""
    if isinstance(counts, AndLeftOut):
        return np.concatenate([resampled_sums(counts.counts, sums), sums.sum(axis=0) - sums])
    out = np.empty((len(counts), sums.shape[1]))
    # thin products would read the table of sums from memory again and again
    for rows in chunks(len(counts), counts.shape[1], least=128, most=NEAR):
        out[rows] = counts[rows].astype(np.float64) @ sums
    return out


def percentile_interval(replicates: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper percentile bounds, (...), of replicates (B, ...).

    Replicates that do not exist (NaN: a resample without anyone in the cell) are left out; NaN when none exists.
    """
    tails = [(1 - level) / 2, (1 + level) / 2]
    flat = replicates.reshape(len(replicates), -1)
    bounds = np.quantile(flat, tails, axis=0)
    for k in np.flatnonzero(np.isnan(flat).any(axis=0)):
        exist = flat[~np.isnan(flat[:, k]), k]
        bounds[:, k] = np.quantile(exist, tails) if exist.size else np.nan
    low, high = bounds.reshape(2, *replicates.shape[1:])
    return low, high


def interval_within(replicates: Array, least: float = -1.0) -> tuple[Array, Array]:
    """The same bounds cut at `least` and 1, where rates and their differences end and Student's t does not."""
    low, high = np.clip(percentile_interval(replicates), least, 1)
    return low, high


def never_certain(value: Array, low: Array, high: Array, patients: NDArray[np.int64]) -> tuple[Array, Array]:
    """Bounds clipped to 0..1 and, where nobody differs (value 0 or 1), opened as far as so few patients require.

    Resampling k patients who all agree never shows another, so its interval has no width; the exact binomial bound for
    0 or k of k takes its place: 1 - .025^(1/k) at 0, .025^(1/k) at 1. Source: Clopper & Pearson 1934, doi
    10.1093/biomet/26.4.404.
    """
    edge = 0.025 ** (1 / np.maximum(patients, 1))
    low = np.where(value == 1, np.minimum(low, edge), np.clip(low, 0, 1))
    high = np.where(value == 0, np.maximum(high, 1 - edge), np.clip(high, 0, 1))
    return low, high


def two_sided_p(replicates: Array) -> Array:
    """Bootstrap p-value, (...), of a difference being 0, from its replicates (B, ...).

    p = min(1, 2 (min(#{d <= 0}, #{d >= 0}) + 1) / (B + 1)); it is never below 2 / (B + 1). NaN replicates are left out.
    """
    return p_of_tail(*beyond_0(replicates))


def p_of_tail(tail: NDArray[np.int64], exist: NDArray[np.int64]) -> Array:
    """That p-value, (...), from what `beyond_0` counts."""
    return np.where(exist > 0, np.minimum(1.0, 2 * (tail + 1) / (exist + 1)), np.nan)


def beyond_0(replicates: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many replicates (B, ...) lie on the rarer side of 0, and how many exist, (...) each."""
    low, high = np.count_nonzero(replicates <= 0, axis=0), np.count_nonzero(replicates >= 0, axis=0)
    return np.minimum(low, high), len(replicates) - np.count_nonzero(np.isnan(replicates), axis=0)
