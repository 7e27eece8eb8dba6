"""What does parity cost when it is asked for loosely? The best thresholds by group under every slack, held out, by patient.

`metric` is the rate that may differ by at most `slack` between groups, tpr, fpr or odds (both): `disparity` is the
largest difference of it that is left on held-out patients (described; it cannot reach 0), `estimate` the balanced accuracy
of everyone with its single interval. Comparing weightings at equal slack compares what their scores allow, not where
their thresholds happen to lie: Cruz & Hardt 2023, arXiv 2306.07261. The rule needs the group when predicting.
"""

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, F, S
from lib.audit.context import Context
from lib.names import BASELINE_WEIGHTING, ERRORS, ODDS, OUTCOMES, OVERALL

name = "relaxation"
schema = {"weighting": S, "attribute": S, "metric": S, "slack": F} | DESCRIBED | {"disparity": F}
needs = ("relaxed",)


def compute(context: Context) -> pl.DataFrame:
    rows = []
    for (weighting, attribute, metric, slack), decisions in context.relaxed.items():
        own = {"weighting": weighting, "smallest_cell": context.smallest_cell, "metrics": OUTCOMES}
        levels = metrics.rates(context.population, decisions, **own)
        of = levels.index.with_columns(value=levels.estimate).filter("estimable")
        spreads = [
            np.ptp(values)
            for rate in (ERRORS if metric == ODDS else (metric,))
            if len(values := of.filter(attribute=attribute, metric=rate)["value"].to_numpy()) > 1
        ]
        told = context.describe(
            levels.where((pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy"))
        )
        numbers = [told.estimate[0], told.low[0], told.high[0], max(spreads, default=np.nan)]
        if weighting != BASELINE_WEIGHTING:
            numbers[1:3] = np.nan, np.nan
        rows.append((weighting, attribute, metric, slack, *numbers))
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.selectors.float().fill_nan(None))
