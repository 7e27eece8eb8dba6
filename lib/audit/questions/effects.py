"""What does each method change, for whom, and what is left? Signed effects against the untouched baseline.

`estimate` = figure under the method - figure under the baseline, paired by patient and, where both share a weighting, by
network; its verdict is about any effect. `contrast` is a group or `all` (a rate), or `group - reference` (a gap). `before` and `left` are
the figure under the baseline and under the method, `left` with its interval. `change` says what became of it, as surely as `outcome_verdict`:
a gap that the baseline is shown to have is narrowed (|left| < |before|: both s (before - left) > 0 and s (before + left)
> 0, s its sign), widened or turned; another one is opened; a rate is risen or fallen. `outcome` says it of the method, a rate being improved or
worsened where one side is better; where single networks of two weightings are compared (`estimand` "networks"), nothing is said of it: null.
`max - min` describes the change of the largest difference and is never tested.
"""

import polars as pl

from lib.audit.columns import METHOD, STANDARD, B, F, S
from lib.audit.context import Context
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
    PROCEDURE,
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
    | {"change": S, "outcome": S, "outcome_verdict": S, "estimand": S, "detectable": F, "disagrees": B, "estimable": B}
)
needs = ("methods",)
reads = ("metrics", "gaps")
_FIGURE = ["attribute", "metric", "contrast", "unit"]
_UNTOUCHED = pl.all_horizontal(pl.col(key) == part for key, part in zip(METHOD, BASELINE, strict=True))


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
    before = figures.filter(_UNTOUCHED).select(*_FIGURE, before="estimate")
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
    """What became of the figure and, unless single networks are compared, of the method: null where nothing is told."""
    is_gap = pl.col("contrast").str.contains(" - ", literal=True)
    word = pl.when(is_gap).then("change_verdict").otherwise("verdict")
    told = word.is_in([SHOWN, SUGGESTED])
    side = pl.col("estimate").sign()
    moved = side.replace_strict({1: RISEN, -1: FALLEN}, default=None, return_dtype=S)
    change = pl.when(told & is_gap).then("change").when(told).then(moved)
    valued = side * pl.col("metric").replace_strict(METRICS, return_dtype=pl.Int8)
    judged = valued.replace_strict({1: IMPROVED, -1: WORSENED}, default=None, return_dtype=S)
    of_method = (pl.col("estimand") == PROCEDURE) | (pl.col("weighting") == BASELINE_WEIGHTING)
    outcome = pl.when(told & of_method & is_gap).then("change").when(told & of_method).then(pl.coalesce(judged, moved))
    return {"change": change, "outcome": outcome, "outcome_verdict": word}


def _widest(gaps: pl.DataFrame) -> pl.DataFrame:
    """The change of the largest difference between any two groups, in TPR and FPR: described."""
    own = gaps.filter(pl.col("metric").is_in(ERRORS), contrast=MAX_MIN)
    before = own.filter(_UNTOUCHED).select(*_FIGURE, before="estimate")
    return (
        own.filter(~_UNTOUCHED)
        .select(*METHOD, *_FIGURE, left="estimate")
        .join(before, on=_FIGURE, how="left", maintain_order="left")
        .with_columns(estimate=pl.col("left") - pl.col("before"))
        .with_columns(estimable=pl.col("estimate").is_not_null())
    )
