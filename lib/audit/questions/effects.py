"""What does each method change, for whom, and what is left? Signed effects against the untouched baseline.

`estimate` = figure under the method - figure under the baseline, paired by patient and, where both share a weighting, by
network; its verdict is about any effect. `contrast` is a group or `all` (a rate), or `group - reference` (a gap). `before` and `left` are
the figure under the baseline and under the method, `left` with its interval. `outcome` says what the effect amounts to, as surely as `outcome_verdict`:
a gap that the baseline is shown to have is narrowed (|left| < |before|: both s (before - left) > 0 and s (before + left)
> 0, s its sign), widened or turned; another one is opened; a rate is improved or worsened (risen or fallen where
no side is better). Where single networks of two weightings are compared (`estimand` "networks"), nothing is said of the method: `outcome` is null.
`max - min` describes the change of the largest difference and is never tested.
"""

import polars as pl

from lib.audit.columns import METHOD, STANDARD, B, F, S
from lib.audit.context import Context
from lib.audit.inference import Estimand
from lib.audit.judged import judged
from lib.audit.questions._shared import disagreeing
from lib.names import (
    BASELINE,
    BASELINE_WEIGHTING,
    ERRORS,
    FALLEN,
    IMPROVED,
    MAX_MIN,
    METRICS,
    RISEN,
    SHOWN,
    SUGGESTED,
    WORSENED,
)

name = "effects"
schema = (
    METHOD
    | {"attribute": S, "metric": S, "contrast": S, "unit": S, "family": S}
    | STANDARD
    | {"before": F, "left": F, "left_low": F, "left_high": F, "left_verdict": S}
    | {"outcome": S, "outcome_verdict": S, "estimand": S, "detectable": F, "disagrees": B, "estimable": B}
)
needs = ("methods",)
reads = ("metrics", "gaps")
_FIGURE = ["attribute", "metric", "contrast", "unit"]


def compute(context: Context) -> list[pl.DataFrame]:
    told = _with_levels(judged(context).tables["effects"], context.table("metrics"), context.table("gaps"))
    told = disagreeing(told.with_columns(**_outcome()), "outcome_verdict")
    return [told, _widest(context.table("gaps"))]


def _with_levels(effects: pl.DataFrame, levels: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """The table with the figure before, and for rates what is left, which gaps have from their own judgement."""
    figures = [
        levels.rename({"group": "contrast"}).select(*METHOD, *_FIGURE, "estimate", "low", "high"),
        gaps.select(*METHOD, *_FIGURE, "estimate", "low", "high"),
    ]
    figures = pl.concat(figures)
    start = dict(zip(METHOD, BASELINE, strict=True))
    before = figures.filter(**start).select(*_FIGURE, before="estimate")
    left = figures.select(*METHOD, *_FIGURE, _left="estimate", _low="low", _high="high")
    return (
        effects.join(before, on=_FIGURE, how="left", maintain_order="left")
        .join(left, on=[*METHOD, *_FIGURE], how="left", maintain_order="left")
        .with_columns(
            left=pl.coalesce("left", "_left"),
            left_low=pl.coalesce("left_low", "_low"),
            left_high=pl.coalesce("left_high", "_high"),
        )
    )


def _outcome() -> dict[str, pl.Expr]:
    """What the effect amounts to, and how surely; null for single networks and where nothing is told."""
    is_gap = pl.col("contrast").str.contains(" - ", literal=True)
    better = pl.col("metric").replace_strict({m.name: m.better for m in METRICS.values()}, return_dtype=pl.Int8)
    side = (better * pl.col("estimate")).sign()
    rate = (
        pl.when(side > 0)
        .then(pl.lit(IMPROVED))
        .when(side < 0)
        .then(pl.lit(WORSENED))
        .when(pl.col("estimate") != 0)
        .then(pl.when(pl.col("estimate") > 0).then(pl.lit(RISEN)).otherwise(pl.lit(FALLEN)))
    )
    word = pl.when(is_gap).then(pl.col("change_verdict")).otherwise(pl.col("verdict"))
    same_network = pl.col("weighting") == BASELINE_WEIGHTING
    of_method = (pl.col("estimand") == str(Estimand.PROCEDURE)) | same_network
    told = word.is_in([SHOWN, SUGGESTED]) & of_method
    change = pl.when(is_gap).then(pl.col("change")).otherwise(rate)
    return {"outcome": pl.when(told).then(change), "outcome_verdict": word}


def _widest(gaps: pl.DataFrame) -> pl.DataFrame:
    """The change of the largest difference between any two groups, in TPR and FPR: described."""
    own = gaps.filter(pl.col("metric").is_in(ERRORS), contrast=MAX_MIN)
    start = dict(zip(METHOD, BASELINE, strict=True))
    before = own.filter(**start).select(*_FIGURE, before="estimate")
    others = own.filter(~pl.all_horizontal(pl.col(key) == value for key, value in start.items()))
    return (
        others.select(*METHOD, *_FIGURE, left="estimate")
        .join(before, on=_FIGURE, how="left", maintain_order="left")
        .with_columns(estimate=pl.col("left") - pl.col("before"))
        .with_columns(estimable=pl.col("estimate").is_not_null())
    )
