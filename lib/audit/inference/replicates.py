"""Figures that are no ratio of sums: by leaving patients out, or by resamples in which something is refitted."""

from collections.abc import Callable

import numpy as np
import polars as pl

from lib.audit.inference.cells import Array, Cells
from lib.audit.inference.figures import Figures
from lib.audit.inference.variance import effective


def ratio(
    index: pl.DataFrame,
    weighting: str,
    numerators: Array,
    denominators: Array,
    *,
    images: Array | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    proportion: bool = False,
    least: int = 2,
) -> Figures:
    """Figures sum over patients of numerators (S, P, K) / sum of denominators (P, K) or (S, P, K).

    Any mean or share, by patient (numerators are means over a patient's images, denominators 1) or by image (sums and numbers of images).
    The influence of a patient is (numerator - figure x denominator) / (sum of denominators), times sqrt(k / (k - 1)) over the k patients present.
    `images` (K,): images behind each, if not the sum of denominators. `bounds`: of a single image's value, which keeps
    cells in which nobody differs from being certain. `proportion`: values are in 0 to 1 and the interval is Wilson's.
    A figure with fewer than `least` patients is not known.
    """
    numerators, denominators = np.asarray(numerators, float), np.asarray(denominators, float)
    denominators = denominators[None] if denominators.ndim == 2 else denominators
    total = denominators.sum(axis=1)  # (S, K) or (1, K)
    mean = denominators.mean(axis=0)  # (P, K)
    size = (mean > 0).sum(axis=0)
    known = (size >= least) & (total > 0).all(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = numerators.sum(axis=1) / total
        influence = (
            (numerators - values[:, None] * denominators) / total[:, None] * np.sqrt(size / np.maximum(size - 1, 1))
        )
    count = total.mean(axis=0) if images is None else np.asarray(images, float)
    cells = Cells(
        size.astype(float),
        count,
        np.maximum(effective(mean) - 1, 1),
        known,
        (0.0, 1.0) if proportion else bounds,
        proportion,
        floor=1.0 if proportion else _floor(bounds),
    )
    values = np.where(known, values, np.nan)
    return Figures.of(index, weighting, values, np.where(known, influence, 0), cells)


def jackknife(
    index: pl.DataFrame,
    weighting: str,
    function: Callable[[Array], Array],
    *,
    patients: int,
    groups: int = 100,
) -> Figures:
    """Figures (S, K) = function(weights (P,)) of patients, by leaving out groups of patients in turn.

    For smooth functions (means, slopes, fitted mixtures), not for thresholds that are chosen. The influence of a group is (mean over
    groups of the figure without it - the figure without it) x sqrt((G - 1) / G), divided among its patients so that squares add up to
    its square. Figures of the same groups are paired; beside figures of single patients, take as many groups as patients.
    Source: Efron & Stein 1981, doi 10.1214/aos/1176345462.
    """
    whole = np.atleast_2d(np.asarray(function(np.ones(patients)), float))
    groups = min(groups, patients)
    of = np.random.default_rng(0).permutation(np.arange(patients) % groups)
    without = np.stack([np.atleast_2d(function((of != g).astype(float))) for g in range(groups)])  # (G, S, K)
    pushed = (without.mean(axis=0) - without) * np.sqrt((groups - 1) / groups)
    share = np.bincount(of, minlength=groups)
    influence = (pushed / np.sqrt(share)[:, None, None])[of].swapaxes(0, 1)
    many = np.full(whole.shape[1], float(patients))
    cells = Cells(many, many, np.full(len(many), groups - 1.0), np.isfinite(without).all(axis=(0, 1)))
    return Figures.of(index, weighting, whole, np.nan_to_num(influence), cells)


def patient_weights(patients: int, replicates: int, seed: int = 0) -> Array:
    """How often each patient is drawn in each resample, (B, P), float32: P drawn with replacement; rows sum to P."""
    if patients < 1 or replicates < 1:
        raise ValueError(f"got {patients} patients and {replicates} replicates; both must be at least 1.")
    generator = np.random.default_rng([seed, patients])
    drawn = generator.integers(0, patients, size=(replicates, patients))
    return np.stack([np.bincount(row, minlength=patients) for row in drawn]).astype(np.float32)


def from_replicates(
    index: pl.DataFrame,
    weighting: str,
    values: Array,
    replicates: Array,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Figures:
    """Figures `values` (S, K) whose noise by patient is only known from B resamples, (B, S, K), in which all was refitted.

    Resamples stand where patients do elsewhere: figures of the same resamples are paired. NaN replicates (a resample lacks a cell) count as the mean; a figure that lacks more than half is not known.
    """
    replicates = np.asarray(replicates, float)
    missing = np.isnan(replicates)
    known = missing.mean(axis=(0, 1)) <= 0.5
    with np.errstate(invalid="ignore"):
        centre = np.where(missing, 0, replicates).sum(axis=0) / np.maximum((~missing).sum(axis=0), 1)
        number = np.maximum((~missing).sum(axis=0) - 1, 1)
    rows = np.where(missing, 0, replicates - centre) / np.sqrt(number)  # (B, S, K)
    many = np.full(replicates.shape[2], float(len(replicates)))
    cells = Cells(many, many, many - 1, known, bounds, resamples=True)
    return Figures.of(index, weighting, values, rows.swapaxes(0, 1), cells)


def _floor(bounds: tuple[float, float]) -> float:
    """Half the range of a single value: how far one from nowhere is from the middle. 0 without a range."""
    return (bounds[1] - bounds[0]) / 2 if np.isfinite(bounds).all() else 0.0
