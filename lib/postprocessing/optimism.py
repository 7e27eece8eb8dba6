"""How much judging a rule on the patients that chose it flatters it."""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from lib.audit.population import Population
from lib.names import MAX_MIN, NO_TARGET, OVERALL
from lib.postprocessing.crossfit import PostProcessed

PointValues = Callable[[Population, np.ndarray], Mapping[tuple[str, str, str], float | None]]
SCHEMA = {name: pl.String for name in ("weighting", "postprocessing", "target", "attribute", "metric", "contrast")} | {
    "naive": pl.Float64,
    "cross_fitted": pl.Float64,
}


def optimism(population: Population, processed: PostProcessed, point_values: PointValues) -> pl.DataFrame:
    """The overall balanced accuracy and the gaps of each method, fitted where judged (naive) and on other patients.

    Gaps are `max - min` of balanced accuracy, TPR and FPR between groups of the target attribute; of every attribute for
    methods without target. Optimism is naive - cross_fitted for balanced accuracy, cross_fitted - naive for gaps: above
    0, the naive figure promises too much. `point_values` is `lib.audit.point_values`; null = not estimable.
    """
    rows = []
    for method, decisions in processed.decisions.items():
        naive = point_values(population, processed.naive[method])
        cross_fitted = point_values(population, decisions)
        attributes = list(population.groups) if method[2] == NO_TARGET else [method[2]]
        figures = [(OVERALL, "balanced_accuracy", "all")]
        figures += [(a, metric, MAX_MIN) for a in attributes for metric in ("balanced_accuracy", "tpr", "fpr")]
        rows += [(*method, *figure, naive[figure], cross_fitted[figure]) for figure in figures]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
