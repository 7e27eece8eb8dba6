"""What does parity cost when it is asked for loosely? The best thresholds by group under every slack, held out, by patient.

`metric` is the rate that may differ by at most `slack` between groups, tpr, fpr or odds (both): `disparity` is the
largest difference of it that is left on held-out patients (described; it cannot reach 0), `estimate` the balanced accuracy
of everyone with its single interval. Comparing weightings at equal slack compares what their scores allow, not where
their thresholds happen to lie: Cruz & Hardt 2023, arXiv 2306.07261. The rule needs the group when predicting.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, F, S
from lib.audit.context import Context
from lib.audit.inference import Figures
from lib.names import BASELINE_WEIGHTING, ERRORS, ODDS, OUTCOMES, OVERALL

name = "relaxation"
schema = {"weighting": S, "attribute": S, "metric": S, "slack": F} | DESCRIBED | {"disparity": F}
needs = ("relaxed",)


def compute(context: Context) -> pl.DataFrame:
    rows = []
    for (weighting, attribute, metric, slack), decisions in context.relaxed.items():
        own = {"weighting": weighting, "smallest_cell": context.smallest_cell, "metrics": OUTCOMES}
        alone = replace(
            context.population,
            groups={attribute: context.population.groups[attribute]},
            attributes={attribute: context.population.attributes[attribute]},
        )
        levels = metrics.rates(alone, decisions, **own)
        price = levels.where((pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy"))
        bounds = (None, None)
        if weighting == BASELINE_WEIGHTING:
            told = context.describe(price, None)
            bounds = told.low[0], told.high[0]
        rows.append((weighting, attribute, metric, slack, price.estimate[0], *bounds, _disparity(levels, metric)))
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.selectors.float().fill_nan(None))


def _disparity(levels: Figures, metric: str) -> float:
    """The largest difference between groups in the constrained rates; NaN where no two groups are estimable."""
    values = levels.estimate
    spreads = []
    for rate in ERRORS if metric == ODDS else (metric,):
        chosen = levels.index.select(
            (pl.col("attribute") != OVERALL) & (pl.col("metric") == rate) & pl.col("estimable")
        )
        own = values[chosen.to_series().to_numpy()]
        if len(own) > 1:
            spreads.append(float(np.ptp(own)))
    return max(spreads, default=np.nan)
