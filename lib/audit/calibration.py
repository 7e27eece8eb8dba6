"""Do scores mean what they say? Calibration by weighting and group, with intervals by patient and network."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.frames import frame, optional
from lib.audit.multiplicity import holm_by_family, verdict
from lib.audit.networks import deviations, two_level
from lib.audit.population import Population
from lib.audit.rates import check_rows, estimable
from lib.audit.recalibration import COLUMNS, recalibrate
from lib.audit.resampling import Array, Counts, percentile_interval, resampled_sums, two_sided_p
from lib.cores import in_threads

BINS = 10
MEASURES = ("brier", "mean_error", "ece", "slope", "intercept")
IDEAL = {"mean_error": (0.0, "overstates", "understates"), "slope": (1.0, "too timid", "too extreme")}
"""Measures with a value that a calibrated model has, and the words for above and below it."""
_KEY = {name: pl.String for name in ("weighting", "attribute", "group")}
_VALUE = {name: pl.Float64 for name in ("value", "low", "high")}
SCHEMA = (
    _KEY
    | {"measure": pl.String}
    | _VALUE
    | {"seed_sd": pl.Float64, "p": pl.Float64, "p_holm": pl.Float64, "verdict": pl.String}
    | {"images": pl.Int64, "patients": pl.Int64, "estimable": pl.Boolean}
)
CURVE_SCHEMA = _KEY | {
    "bin": pl.Int64,
    "score": pl.Float64,
    "observed": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def calibration(
    population: Population,
    scores: Mapping[str, Array],
    counts: Counts,
    draws: Mapping[str, Array],
    *,
    smallest_cell: int = 20,
) -> dict[str, pl.DataFrame]:
    """Tables `calibration` and `calibration_curve` for scores (S, n) by weighting, patient counts (B, P), draws (B, R).

    All are means over networks of a figure of one network, in each cell, over ten bins with as many images each:
    `brier`, mean of (score - label)^2; `mean_error`, mean score - share of sick: above 0 the scores overstate; `slope` and
    `intercept`, see `recalibrate`; `ece`, expected calibration error in its debiased root-mean-square form,
    ece^2 = sum over bins of n_b/n ((mean score - share of sick)^2 - its variance by patient). Without that subtraction
    the error grows as the group gets smaller; with one image a patient and one score a bin it is the estimator of Kumar,
    Liang & Ma 2019, arXiv 1909.10155. Negative estimates of ece^2 are shown as 0. Replicates of ece^2 are moved by their
    mean inflation, for resampling adds the noise once more.

    `mean_error` and `slope` are tested against 0 and 1: bootstrap p, Holm over the groups and both measures of a
    weighting. In `calibration_curve`, `score` and `observed` are means by bin over networks; low and high hold the
    observed share for that score. Bins and sides are held as in the sample.
    """
    enough = estimable(population, ("auc",), smallest_cell)[:, 0]
    checked = [check_rows(population, rows, "scores") for rows in scores.values()]
    parts = dict(zip(scores, in_threads(lambda rows: _sampled(population, rows, enough), checked), strict=True))
    spread = deviations([by_seed for by_seed, _, _ in parts.values()])
    sizes = population.sizes

    def told(weighting: str) -> tuple[list[tuple], list[tuple]]:
        by_seed, scored, cells = parts[weighting]
        resampled = np.stack([_resampled(network, counts, by_seed[s]) for s, network in enumerate(cells)], axis=1)
        replicates = two_level(resampled, spread, draws[weighting])
        values = by_seed.mean(axis=0)
        rows = _rows(weighting, population, values, replicates, _own_spread(by_seed), sizes, enough)
        low, high = percentile_interval(replicates[..., len(MEASURES) :])
        curve = []
        for g, cell in enumerate(population.cells):
            if enough[g]:
                gap, score = -values[g, len(MEASURES) :], scored[g]
                for b in range(BINS):
                    numbers = optional([score[b], score[b] + gap[b], score[b] - high[g, b], score[b] - low[g, b]])
                    if numbers[1] is not None:
                        curve.append((weighting, cell.attribute, cell.group, b, *_clipped(numbers)))
        return rows, curve

    rows, curves = zip(*in_threads(told, scores), strict=True)
    return {"calibration": _judged(sum(rows, [])), "calibration_curve": frame(sum(curves, []), CURVE_SCHEMA)}


def bins_of(scores: Array, bins: int = BINS) -> NDArray[np.int64]:
    """The bin of each score, (n,): edges at the quantiles of the scores, equal scores in one bin."""
    edges = np.quantile(scores, np.linspace(0, 1, bins + 1))
    return np.searchsorted(edges[1:-1], scores)


class _Fit:
    """One network in one cell: sums by patient, (P, 3 + 7 + 2 bins), and the recalibration they belong to."""

    def __init__(self, population: Population, scores: Array, images: NDArray[np.bool_]):
        own, labels = scores[images], population.labels[images]
        self.line = recalibrate(own, labels)
        place = bins_of(own)
        one_hot = np.eye(BINS)[place]
        error = own - labels
        columns = [np.ones((len(own), 1)), (error**2)[:, None], error[:, None], self.line.terms]
        table = np.zeros((population.n_images, 3 + COLUMNS + 2 * BINS))
        table[images] = np.concatenate([*columns, one_hot, one_hot * error[:, None]], axis=1)
        self.by_patient = population.sums_by_patient(table)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.mean_scores = one_hot.T @ own / one_hot.sum(axis=0)

    def read(self, sums: Array) -> Array:
        """Measures and the errors of the bins, (..., 5 + bins), from sums (..., 3 + 7 + 2 bins); ece as its plain square."""
        n, squared, error = np.moveaxis(sums[..., :3], -1, 0)
        images, errors = np.split(sums[..., 3 + COLUMNS :], 2, axis=-1)
        slope, intercept = self.line.moved(sums[..., 3 : 3 + COLUMNS])
        with np.errstate(invalid="ignore", divide="ignore"):
            gaps = errors / images
            ece = np.nansum(images * gaps**2, axis=-1) / n
            measures = np.stack([squared / n, error / n, ece, slope, intercept], axis=-1)
        return np.concatenate([measures, gaps], axis=-1)

    def noise(self) -> float:
        """What sampling patients adds to the plain square of the calibration error."""
        images, errors = np.split(self.by_patient[:, 3 + COLUMNS :], 2, axis=1)
        total = images.sum(axis=0)
        patients = (images > 0).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            rest = errors - images * (errors.sum(axis=0) / total)
            variance = (rest**2).sum(axis=0) / total**2 * patients / (patients - 1)
        return float(np.nansum(np.where(patients > 1, total * variance, 0)) / total.sum())


def _sampled(population: Population, scores: Array, enough: NDArray[np.bool_]) -> tuple[Array, Array, list]:
    """Figures of each network (S, G, 5 + bins), ece as its debiased square; mean scores (G, bins); fits by network."""
    figures = np.full((len(scores), len(population.cells), len(MEASURES) + BINS), np.nan)
    means = np.full((len(scores), len(population.cells), BINS), np.nan)
    fits = []
    for s, row in enumerate(scores):
        fits.append(
            [_Fit(population, row, cell.images) if enough[g] else None for g, cell in enumerate(population.cells)]
        )
        for g, fit in enumerate(fits[-1]):
            if fit is not None:
                figures[s, g] = fit.read(fit.by_patient.sum(axis=0))
                figures[s, g, MEASURES.index("ece")] -= fit.noise()
                means[s, g] = fit.mean_scores
    return figures, means.mean(axis=0), fits


def _resampled(fits: list, counts: Counts, figures: Array) -> Array:
    """Figures of one network in each resample, (B, G, 5 + bins), squares of the error around its debiased value."""
    known = [g for g, fit in enumerate(fits) if fit is not None]
    out = np.full((len(counts), *figures.shape), np.nan)
    if not known:
        return out
    sums = resampled_sums(counts, np.concatenate([fits[g].by_patient for g in known], axis=1))
    for g, own in zip(known, np.split(sums, len(known), axis=1), strict=True):
        out[:, g] = fits[g].read(own)
        square = out[:, g, MEASURES.index("ece")]
        square += figures[g, MEASURES.index("ece")] - np.nanmean(square)
    return out


def _own_spread(by_seed: Array) -> Array:
    figures = by_seed[..., : len(MEASURES)].copy()
    figures[..., 2] = np.sqrt(np.maximum(figures[..., 2], 0))
    return figures.std(axis=0, ddof=1) if len(figures) > 1 else np.full(figures.shape[1:], np.nan)


def _rows(weighting: str, population: Population, values: Array, replicates: Array, sd: Array, sizes, enough) -> list:
    rows = []
    for g, cell in enumerate(population.cells):
        for m, measure in enumerate(MEASURES):
            value, drawn = values[g, m], replicates[:, g, m]
            if measure == "ece":
                value, drawn = np.sqrt(np.maximum(value, 0)), np.sqrt(np.maximum(drawn, 0))
            bounds = percentile_interval(drawn)
            ideal = IDEAL.get(measure)
            p = two_sided_p(drawn - ideal[0]) if ideal else np.nan
            known = bool(enough[g]) and not np.isnan(value)
            numbers = optional([value, *bounds, sd[g, m], p]) if known else [None] * 5
            counted = int(sizes[0][g, 2]), int(sizes[1][g, 2])
            rows.append((weighting, cell.attribute, cell.group, measure, *numbers, *counted, known))
    return rows


def _judged(rows: list[tuple]) -> pl.DataFrame:
    p_holm = holm_by_family([row[0] for row in rows], [row[8] for row in rows])
    done = []
    for row, adjusted in zip(rows, p_holm, strict=True):
        ideal = IDEAL.get(row[3])
        shift = ideal[0] if ideal else 0.0
        low, high = (None if bound is None else bound - shift for bound in row[5:7])
        word = verdict(low, high, adjusted, up=ideal[1], down=ideal[2]) if ideal else None
        done.append((*row[:9], adjusted, word, *row[9:]))
    return frame(done, SCHEMA)


def _clipped(numbers: list[float | None]) -> list[float | None]:
    return [None if number is None else min(1.0, max(0.0, number)) for number in numbers]
