"""How much better does a rule look on the patients that chose it? Naive figures beside cross-fitted ones, by patient.

For every fitted rule on the baseline's weighting: balanced accuracy of everyone, and the signed gaps in TPR and FPR of
the target attribute (of every attribute for rules without one). `estimate` is how much the naive figure promises too much: naive -
cross_fitted for balanced accuracy, and for gaps the loss of distance from 0, s (cross_fitted - naive) with s the sign of the cross-fitted
gap: above 0, the naive figure looks better. Paired single intervals, each network with folds of its own.
"""

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, METHOD, F, S
from lib.audit.context import Context
from lib.audit.judged import compared
from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, NO_TARGET, OUTCOMES, OVERALL

name = "optimism"
schema = METHOD | {"attribute": S, "metric": S, "contrast": S, "naive": F, "cross_fitted": F} | DESCRIBED
needs = ("naive",)


def compute(context: Context) -> pl.DataFrame:
    tables = []
    for method in context.naive:
        if method[0] != BASELINE_WEIGHTING or method[1] == BASELINE_POSTPROCESSING:
            continue
        promised, kept = (
            compared(
                metrics.rates(
                    context.population, decisions[method], smallest_cell=context.smallest_cell, metrics=OUTCOMES
                ),
                context.population,
            )
            for decisions in (context.naive, context.decisions)
        )
        sign = np.where(promised.index["attribute"] == OVERALL, 1.0, -np.sign(kept.estimate))
        index = promised.index.with_columns(naive=promised.estimate, cross_fitted=kept.estimate)
        table = context.describe((promised - kept).contrast(index, np.diag(sign))).table()
        about = pl.col("attribute") == OVERALL
        about |= pl.lit(True) if method[2] == NO_TARGET else pl.col("attribute") == method[2]
        names = {key: pl.lit(value) for key, value in zip(METHOD, method, strict=True)}
        tables.append(table.filter(about).with_columns(**names))
    if not tables:
        return pl.DataFrame(schema=schema)
    told = pl.concat(tables, how="diagonal_relaxed")
    return told.select(pl.col(key).cast(kind) for key, kind in schema.items()).with_columns(
        pl.col("naive", "cross_fitted").fill_nan(None)
    )
