"""One figure for each demand of fairness, by attribute, and the group that fares worst: a description, by patient.

demographic_parity_difference = largest - smallest selection rate, and _ratio = smallest / largest (1 = alike);
equal_opportunity_difference = largest - smallest TPR; equalized_odds_difference = the larger of the spreads of TPR and
FPR, fairlearn's convention `worst_case` (Hardt, Price & Srebro 2016, arXiv 1610.02413). `worst_<metric>` is the metric
of the group that fares worst, `group` its name. Over the estimable groups, `groups` of them, at least two. A largest
difference cannot reach 0, so it has no interval and no verdict here: the signed differences of `gaps` have both.
"""

import polars as pl

from lib.audit.columns import METHOD, B, F, I, S
from lib.audit.context import Context
from lib.names import METRICS, OVERALL, PATIENT

name = "parity"
schema = METHOD | {"attribute": S, "measure": S, "group": S, "estimate": F, "groups": I, "estimable": B}
reads = ("metrics",)
WORST = ("balanced_accuracy", "auc", "tpr", "fpr", "missed")
"""Metrics of which the worst group is told."""
_KEYS = [*METHOD, "attribute"]


def compute(context: Context) -> pl.DataFrame:
    levels = context.table("metrics").filter(pl.col("attribute") != OVERALL, unit=PATIENT)
    known = levels.with_columns(estimate=pl.when("estimable").then("estimate"))
    rate = {m: pl.col("estimate").filter(pl.col("metric") == m).drop_nulls() for m in ("selection_rate", "tpr", "fpr")}
    spread = {m: pl.when(own.len() > 1).then(own.max() - own.min()) for m, own in rate.items()}
    selected = rate["selection_rate"]
    demands = {
        "demographic_parity_difference": (spread["selection_rate"], selected.len()),
        "demographic_parity_ratio": (
            pl.when(selected.len() > 1).then((selected.min() / selected.max()).fill_nan(None)),
            selected.len(),
        ),
        "equal_opportunity_difference": (spread["tpr"], rate["tpr"].len()),
        "equalized_odds_difference": (
            pl.when(spread["tpr"].is_not_null() & spread["fpr"].is_not_null()).then(
                pl.max_horizontal(spread["tpr"], spread["fpr"])
            ),
            pl.min_horizontal(rate["tpr"].len(), rate["fpr"].len()),
        ),
    }
    parts = [
        known.group_by(_KEYS, maintain_order=True)
        .agg(estimate=figure, groups=count.cast(I))
        .with_columns(measure=pl.lit(measure), group=pl.lit(None, S))
        for measure, (figure, count) in demands.items()
    ]
    for metric in WORST:
        own = known.filter(pl.col("metric") == metric).drop_nulls("estimate")
        worst = own.sort("estimate", descending=METRICS[metric] < 0, maintain_order=True)
        found = worst.group_by(_KEYS, maintain_order=True).agg(
            pl.col("estimate", "group").first(), groups=pl.len().cast(I)
        )
        lacking = pl.col("groups") < 2
        parts.append(
            found.with_columns(
                estimate=pl.when(~lacking).then("estimate"),
                group=pl.when(~lacking).then("group"),
                measure=pl.lit(f"worst_{metric}"),
            )
        )
    told = pl.concat(parts, how="diagonal_relaxed").with_columns(estimable=pl.col("estimate").is_not_null())
    order = {key: k for k, key in enumerate(known.select(_KEYS).unique(maintain_order=True).rows())}
    place = pl.Series([order[key] for key in told.select(_KEYS).rows()], dtype=I)
    return told.with_columns(_place=place).sort("_place", maintain_order=True).select(*schema)
