"""One figure for each demand of fairness, by attribute, and the group that fares worst: a description, by patient.

demographic_parity_difference = largest - smallest selection rate, and _ratio = smallest / largest (1 = alike);
equal_opportunity_difference = largest - smallest TPR; equalized_odds_difference = the larger of the spreads of TPR and
FPR, fairlearn's convention `worst_case` (Hardt, Price & Srebro 2016, arXiv 1610.02413). `worst_<metric>` is the metric
of the group that fares worst, `group` its name. Over the estimable groups, `groups` of them, at least two. A largest
difference cannot reach 0, so it has no interval and no verdict here: the signed differences of `gaps` have both.
"""

from collections.abc import Iterator
from operator import itemgetter

import polars as pl

from lib.audit.columns import METHOD, B, F, I, S
from lib.audit.context import Context
from lib.names import DEMANDS, METRICS, OVERALL, PATIENT

name = "parity"
schema = METHOD | {"attribute": S, "measure": S, "group": S, "estimate": F, "groups": I, "estimable": B}
reads = ("metrics",)
WORST = ("balanced_accuracy", "auc", "tpr", "fpr", "missed")
"""Metrics of which the worst group is told."""


def compute(context: Context) -> pl.DataFrame:
    levels = context.table("metrics").filter(pl.col("attribute") != OVERALL, unit=PATIENT)
    columns = (*METHOD, "attribute", "metric", "group", "estimate", "estimable")
    found: dict[tuple, dict[str, list]] = {}
    for *key, metric, group, estimate, estimable in levels.select(columns).iter_rows():
        known = found.setdefault(tuple(key), {name: [] for name in METRICS})[metric]
        if estimable and estimate is not None:
            known.append((estimate, group))
    rows = [(*key, *row) for key, own in found.items() for row in _measures(own)]
    order = (*METHOD, "attribute", "measure", "group", "estimate", "groups")
    table = pl.DataFrame(rows, schema={key: schema[key] for key in order}, orient="row")
    return table.with_columns(estimable=pl.col("estimate").is_not_null())


def _measures(known: dict[str, list]) -> Iterator[tuple[str, str | None, float | None, int]]:
    """Measure, group, value and number of groups, of the estimates and groups of each metric."""
    selected, tpr, fpr = ([value for value, _ in known[metric]] for metric in ("selection_rate", "tpr", "fpr"))
    spread, of_tpr, of_fpr = (max(own) - min(own) if len(own) > 1 else None for own in (selected, tpr, fpr))
    ratio = min(selected) / max(selected) if len(selected) > 1 and max(selected) > 0 else None
    odds = None if None in (of_tpr, of_fpr) else max(of_tpr, of_fpr)
    sizes = len(selected), len(selected), len(tpr), min(len(tpr), len(fpr))
    for demand, value, groups in zip(DEMANDS, (spread, ratio, of_tpr, odds), sizes, strict=True):
        yield demand, None, value, groups
    for metric in WORST:
        own = known[metric]
        if own:
            value, group = (min if METRICS[metric] > 0 else max)(own, key=itemgetter(0))
            yield f"worst_{metric}", *((group, value) if len(own) > 1 else (None, None)), len(own)
