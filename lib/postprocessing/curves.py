"""Relaxation curves: disparity against balanced accuracy as the constraint is loosened, cross-fitted."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lib.audit.frames import frame, optional
from lib.audit.ledger import DISPARITIES, ODDS
from lib.audit.population import Population
from lib.audit.resampler import Resampler, holding
from lib.audit.resampling import percentile_interval
from lib.names import BASELINE_WEIGHTING
from lib.postprocessing.crossfit import decided
from lib.postprocessing.parity import relaxed
from lib.postprocessing.sample import Codes, Sample
from lib.postprocessing.thresholds import Array

SLACKS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 1.0)
"""Largest differences of a rate between groups that are allowed; 1 allows any."""
SCHEMA = {name: pl.String for name in ("weighting", "attribute", "metric")} | {
    name: pl.Float64
    for name in ("slack", "balanced_accuracy", "balanced_low", "balanced_high", "disparity", "low", "high")
}


def relaxation(resampler: Resampler, scores: Mapping[str, Array], folds: Codes) -> pl.DataFrame:
    """Balanced accuracy and gap under every slack, for each weighting, attribute and constraint, judged held out.

    `metric`: the rate that is constrained, tpr, fpr or odds (both), and whose gap between groups is `disparity`. `scores`
    as for `post_process`; `folds` (S, n) of its result. Comparing weightings at equal slack compares what their scores
    allow, not where their thresholds happen to lie: Cruz & Hardt 2023, arXiv 2306.07261. The rule needs the group when
    predicting. Intervals, over patients and networks, for the baseline's weighting; null for the others.
    """
    rows = []
    for attribute in resampler.population.groups:
        for metric in DISPARITIES:
            decisions = {
                w: [
                    _curve(resampler.population, own, folds[s], attribute, metric, resampler.smallest_cell)
                    for s, own in enumerate(values)
                ]
                for w, values in scores.items()
            }
            for k, slack in enumerate(SLACKS):
                at = {w: np.stack([curve[k] for curve in own]) for w, own in decisions.items()}
                by_seed = {w: resampler.rates(attribute, own) for w, own in at.items()}
                for w, own in by_seed.items():
                    value = _read(resampler, attribute, metric, own.mean(axis=0))
                    bounds = np.full((2, 2), np.nan)
                    if w == BASELINE_WEIGHTING:
                        drawn = resampler.with_networks(
                            w, resampler.resampled(attribute, at[w]), list(by_seed.values())
                        )
                        bounds = np.stack(
                            holding(value, *percentile_interval(_read(resampler, attribute, metric, drawn)))
                        )
                    numbers = [value[0], *bounds[:, 0], value[1], *bounds[:, 1]]
                    rows.append((w, attribute, metric, slack, *optional(numbers)))
    return frame(rows, SCHEMA)


def _curve(
    population: Population, scores: Array, part: Codes, attribute: str, metric: str, smallest_cell: int
) -> list[Array]:
    """One network's held-out decisions (n,) under each slack."""
    groups = population.groups[attribute]
    columns = (scores, population.labels, population.patients, groups)
    samples = [Sample(*(c[part != k] for c in columns)) for k in range(part.max() + 1)]
    constrained = dict.fromkeys(("tpr", "fpr") if metric == ODDS else (metric,), SLACKS)
    rules = [relaxed(own, smallest_cell, **constrained) for own in samples]
    return [decided(list(of_slack), scores, groups, part) for of_slack in zip(*rules, strict=True)]


def _read(resampler: Resampler, attribute: str, metric: str, rates: Array) -> Array:
    """Balanced accuracy of everyone and the gap, (..., 2), in rates (..., G, 4)."""
    figures = {
        c.metric if c.name != "all" else "all": figure
        for c, figure in zip(
            resampler.asked(attribute), np.moveaxis(resampler.figures(attribute, rates), -1, 0), strict=True
        )
    }
    gap = np.maximum(figures["tpr"], figures["fpr"]) if metric == ODDS else figures[metric]
    return np.stack([figures["all"], gap], axis=-1)
