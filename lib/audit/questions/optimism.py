"""How much better does a rule look on the patients that chose it? Naive figures beside cross-fitted ones, by patient.

For every fitted rule on the baseline's weighting: balanced accuracy of everyone, and the signed gaps in TPR and FPR of
the target attribute (of every attribute for rules without one). `estimate` is how much the naive figure promises too much: naive -
cross_fitted for balanced accuracy, and for gaps the loss of distance from 0, s (cross_fitted - naive) with s the sign of the cross-fitted
gap: above 0, the naive figure looks better. Paired single intervals, each network with folds of its own. To first order both figures
hang on the patients alike, so that what they differ by is the luck of folds and fits, which networks show by their spread; a single network
does not, and has no interval: those of patients alone covered in 84 to 90 %.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, METHOD, F, S, method_columns
from lib.audit.context import Context
from lib.audit.judged import outcomes
from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, NO_TARGET, OVERALL

name = "optimism"
schema = METHOD | {"attribute": S, "metric": S, "contrast": S, "naive": F, "cross_fitted": F} | DESCRIBED
needs = ("naive",)


def compute(context: Context) -> Iterator[pl.DataFrame]:
    for method in context.naive:
        if method[0] != BASELINE_WEIGHTING or method[1] == BASELINE_POSTPROCESSING:
            continue
        promised, kept = (
            outcomes(context.population, own[method], smallest_cell=context.smallest_cell)
            for own in (context.naive, context.decisions)
        )
        sign = np.where(promised.index["attribute"] == OVERALL, 1.0, -np.sign(kept.estimate))
        index = promised.index.with_columns(naive=promised.estimate, cross_fitted=kept.estimate)
        table = context.describe((promised - kept).contrast(index, np.diag(sign))).table()
        if len(context.scores[BASELINE_WEIGHTING]) == 1:
            table = table.with_columns(low=None, high=None)
        about = pl.col("attribute") == OVERALL
        about |= pl.lit(True) if method[2] == NO_TARGET else pl.col("attribute") == method[2]
        yield table.filter(about).with_columns(**method_columns(method))
