"""One figure for each demand of fairness, by attribute: parity, opportunity, odds, and the group that fares worst."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.estimates import Estimates
from lib.audit.frames import METHOD, optional
from lib.audit.population import Population
from lib.audit.rates import estimable
from lib.audit.resampling import Array, interval_within
from lib.names import METRICS

SCHEMA = METHOD | {
    **{name: pl.String for name in ("attribute", "measure", "group")},
    **{name: pl.Float64 for name in ("value", "low", "high")},
    "groups": pl.Int64,
    "estimable": pl.Boolean,
}


def _lowest(rate: Array) -> Array:
    return rate.min(axis=-1)


def _highest(rate: Array) -> Array:
    return rate.max(axis=-1)


def _spread(rate: Array) -> Array:
    return _highest(rate) - _lowest(rate)


def _ratio(rate: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return _lowest(rate) / _highest(rate)


DEMANDS: dict[str, tuple[tuple[str, ...], Callable[..., Array]]] = {
    "demographic_parity_difference": (("selection_rate",), _spread),
    "demographic_parity_ratio": (("selection_rate",), _ratio),
    "equal_opportunity_difference": (("tpr",), _spread),
    "equalized_odds_difference": (("tpr", "fpr"), lambda tpr, fpr: np.maximum(_spread(tpr), _spread(fpr))),
}
WORST = ("balanced_accuracy", "auc", "tpr", "fpr", "missed")
"""Metrics of which the worst group is told."""


def parity_rows(population: Population, found: Estimates, smallest_cell: int) -> Iterator[tuple]:
    """Rows (attribute, measure, group, value, low, high, groups, estimable) of one method, over its estimable groups.

    demographic_parity_difference = largest - smallest selection rate, and _ratio = smallest / largest (1 = alike);
    equal_opportunity_difference = largest - smallest TPR; equalized_odds_difference = the larger of the spreads of TPR and
    FPR, fairlearn's convention `worst_case` (Hardt, Price & Srebro 2016, arXiv 1610.02413). `worst_<metric>` is the
    metric of the group that fares worst, `group` its name in the sample, everything else has no `group`. Rates are means
    over networks. `groups` counts the groups compared; under two of them nothing is estimable. Spreads cannot be below 0
    and the worst of several is worst by chance too: noise makes both look bad, in resamples once more, so that the
    intervals are read from above. Differences between two groups (`gaps`) have no such bias.
    """
    asked = list(_asked(population, found.values, found.metrics, estimable(population, found.metrics, smallest_cell)))

    def figures(levels: Array) -> Array:
        nothing = np.full(levels.shape[:-2], np.nan)
        read = (
            figure(*(levels[..., kept, m] for m in columns)) if len(kept) > 1 else nothing
            for *_, kept, columns, figure in asked
        )
        return np.stack([*read], axis=-1)

    bounds = interval_within(figures(found.replicates), least=0)
    numbers = np.stack([figures(found.values), *bounds], axis=-1)
    for (attribute, measure, group, kept, *_), own in zip(asked, numbers, strict=True):
        yield attribute, measure, group, *optional(own), len(kept), not np.isnan(own[0])


def _asked(
    population: Population, values: Array, metrics: tuple[str, ...], enough: NDArray[np.bool_]
) -> Iterator[tuple]:
    """Attribute, measure, group that fares worst, cells compared, columns read, and what is made of them."""
    at = {metric: m for m, metric in enumerate(metrics)}
    for attribute in population.groups:
        cells = [g for g, cell in enumerate(population.cells) if cell.attribute == attribute]
        for measure, (needed, figure) in DEMANDS.items():
            columns = [at[metric] for metric in needed]
            yield attribute, measure, None, [g for g in cells if enough[g, columns].all()], columns, figure
        for metric in (metric for metric in WORST if metric in at):
            kept = [g for g in cells if enough[g, at[metric]]]
            worst, first = (_lowest, np.argmin) if METRICS[metric].better > 0 else (_highest, np.argmax)
            name = population.cells[kept[int(first(values[kept, at[metric]]))]].group if len(kept) > 1 else None
            yield attribute, f"worst_{metric}", name, kept, [at[metric]], worst
