"""One figure for each demand of fairness, by attribute: parity, opportunity, odds, and the group that fares worst."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from lib.audit.estimates import Estimates
from lib.audit.frames import METHOD, optional
from lib.audit.population import Population
from lib.audit.rates import estimable
from lib.audit.resampling import Array, percentile_interval
from lib.names import METRICS

SCHEMA = METHOD | {
    **{name: pl.String for name in ("attribute", "measure", "group")},
    **{name: pl.Float64 for name in ("value", "low", "high")},
    "groups": pl.Int64,
    "estimable": pl.Boolean,
}
_Rates = Callable[[str], Array]


def _spread(rate: Array) -> Array:
    return rate.max(axis=-1) - rate.min(axis=-1)


def _ratio(rate: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return rate.min(axis=-1) / rate.max(axis=-1)


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
    at = {metric: m for m, metric in enumerate(found.metrics)}
    enough = estimable(population, found.metrics, smallest_cell)
    for attribute in population.groups:
        cells = [g for g, cell in enumerate(population.cells) if cell.attribute == attribute]
        for measure, (metrics, figure) in DEMANDS.items():
            kept = [g for g in cells if all(enough[g, at[metric]] for metric in metrics)]
            yield _row(attribute, measure, None, kept, found, [at[metric] for metric in metrics], figure)
        for metric in WORST:
            if metric in at:
                kept = [g for g in cells if enough[g, at[metric]]]
                worst = np.min if METRICS[metric].better > 0 else np.max
                values = found.values[kept, at[metric]]
                name = None
                if len(kept) > 1:
                    name = population.cells[kept[int(np.flatnonzero(values == worst(values))[0])]].group
                figure = _last_axis(worst)
                yield _row(attribute, f"worst_{metric}", name, kept, found, [at[metric]], figure)


def _last_axis(extreme: Callable[..., Array]) -> Callable[[Array], Array]:
    return lambda rate: extreme(rate, axis=-1)


def _row(
    attribute: str,
    measure: str,
    group: str | None,
    kept: list[int],
    found: Estimates,
    columns: list[int],
    figure: Callable[..., Array],
) -> tuple:
    if len(kept) < 2:
        return attribute, measure, None, None, None, None, len(kept), False
    value, replicates = (
        figure(*(levels[..., kept, column] for column in columns)) for levels in (found.values, found.replicates)
    )
    numbers = optional([value, *percentile_interval(replicates)])
    return attribute, measure, group, *numbers, len(kept), numbers[0] is not None
