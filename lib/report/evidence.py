"""The tables of a bundle as the report tells them: by patient, one gap for each attribute and rate, one word a verdict.

A gap is told of the group whose rate lies farthest from the reference's under the untouched baseline, with its sign turned so that it is above 0
there: a change below 0 is towards no gap, and what a method leaves may lie on the other side of 0.
"""

from collections.abc import Sequence

import polars as pl

from lib.names import (
    AT_MOST,
    BASELINE,
    FALLEN,
    IMPROVED,
    MAX_MIN,
    NARROWED,
    NOT_ESTIMABLE,
    NOT_TOLD,
    OPENED,
    OVERALL,
    PATIENT,
    RISEN,
    SHOWN,
    SUGGESTED,
    TURNED,
    WIDENED,
    WORSENED,
)
from lib.results import Results

METHOD = ["weighting", "postprocessing", "target"]
WIDEST = "widest"
"""Value of `contrast` for the one gap of an attribute and rate that is followed through every correction."""
WORDS = {
    NARROWED: "improves",
    IMPROVED: "improves",
    WIDENED: "worsens",
    OPENED: "worsens",
    WORSENED: "worsens",
    TURNED: "turns",
    RISEN: "rises",
    FALLEN: "falls",
}
"""Words for a change that is shown."""
MOVES, DIFFERS = "moves", "differs"
"""Words for an effect that is shown where what it amounts to is not, and where single networks are compared."""
_BOUNDS = ("low", "high")


def metrics(results: Results) -> pl.DataFrame:
    """Rates by patient; `value` with its interval."""
    return results.metrics.filter(unit=PATIENT).rename({"estimate": "value"})


def head_metrics(results: Results) -> pl.DataFrame:
    """The same of last layers re-trained under the catalogue."""
    return results.head_metrics.filter(unit=PATIENT).rename({"estimate": "value"})


def gaps(results: Results) -> pl.DataFrame:
    """Differences `group - reference` by patient, then the widest of each attribute and rate; higher and lower where shown."""
    own = results.gaps.filter(pl.col("contrast") != MAX_MIN, unit=PATIENT)
    word = (
        pl.when(pl.col("verdict") == SHOWN)
        .then(pl.when(pl.col("estimate") > 0).then(pl.lit("higher")).otherwise(pl.lit("lower")))
        .when(pl.col("verdict") == SUGGESTED)
        .then(pl.lit(SUGGESTED))
        .when(~pl.col("estimable"))
        .then(pl.lit(NOT_ESTIMABLE))
        .otherwise(pl.lit(NOT_TOLD))
    )
    told = own.with_columns(verdict=word)
    return pl.concat([told, _turned(own, results).with_columns(verdict=pl.lit(None, pl.String))]).rename(
        {"estimate": "value"}
    )


def changes(results: Results, table: str = "effects") -> pl.DataFrame:
    """Changes by patient against the untouched baseline, of rates and of the widest gap of each attribute and rate.

    `change` with its single interval; improves, worsens, turns (to the other side), rises, falls, moves, differs where shown; suggested; not told.
    """
    own = getattr(results, table)
    own = own.filter(pl.col("contrast") != MAX_MIN, unit=PATIENT)
    shown = (pl.col("outcome_verdict") == SHOWN).fill_null(False)
    moved = pl.when(pl.col("estimand") == "networks").then(pl.lit(DIFFERS)).otherwise(pl.lit(MOVES))
    word = (
        pl.when(~pl.col("estimable"))
        .then(pl.lit(NOT_ESTIMABLE))
        .when(shown & pl.col("outcome").is_not_null())
        .then(pl.col("outcome").replace_strict(WORDS, default=NOT_TOLD, return_dtype=pl.String))
        .when(pl.col("verdict") == SHOWN)
        .then(moved)
        .when((pl.col("outcome_verdict") == SUGGESTED) | (pl.col("verdict") == SUGGESTED))
        .then(pl.lit(SUGGESTED))
        .otherwise(pl.lit(NOT_TOLD))
    )
    own = own.with_columns(verdict=word)
    rates = own.filter(~pl.col("contrast").str.contains(" - ", literal=True))
    told = pl.concat([rates, _turned(own, results)]) if own.height else rates
    return told.rename({"estimate": "change"})


def head_changes(results: Results) -> pl.DataFrame:
    """The same of last layers re-trained under the catalogue."""
    return changes(results, "head_effects")


def noise_floor(results: Results) -> pl.DataFrame:
    """The change that noise alone stays under, of everyone's balanced accuracy and of the widest gaps."""
    floors = results.noise_floor
    widest = _widest(results).rename({"_contrast": "contrast"})
    gaps_ = floors.join(widest, on=["attribute", "metric", "contrast"], how="semi", maintain_order="left")
    return pl.concat([floors.filter(attribute=OVERALL), gaps_.with_columns(contrast=pl.lit(WIDEST))])


def plain(table: pl.DataFrame) -> pl.DataFrame:
    """A table of described figures, whose estimate is called `value`."""
    return table.rename({"estimate": "value"})


def amplification(results: Results) -> pl.DataFrame:
    """Bias amplification; amplifies and dampens where shown."""
    return _directed(results.amplification, "amplifies", "dampens")


def calibration(results: Results) -> pl.DataFrame:
    """Calibration; overstates and understates, too timid and too extreme, where shown."""
    own = results.calibration
    slope = pl.col("measure") == "slope"
    told = [
        _directed(own.filter(~slope), "overstates", "understates", "ideal"),
        _directed(own.filter(slope), "too timid", "too extreme", "ideal"),
    ]
    order = own.select("weighting", "attribute", "group", "measure")
    return order.join(pl.concat(told), on=order.columns, how="left", maintain_order="left")


def intersections(results: Results) -> pl.DataFrame:
    """Rates of crossings, and how they differ from everyone's; higher and lower where shown."""
    own = results.intersections.rename({"low": "difference_low", "high": "difference_high"})
    own = own.rename({"level": "value", "level_low": "low", "level_high": "high"})
    return _directed(own.with_columns(difference="estimate"), "higher", "lower").drop("estimate", strict=False)


def misclassified(results: Results) -> pl.DataFrame:
    """Rules that are told wrong groups: the widest gap of the target, turned as everywhere."""
    own = results.group_misclassification.rename({"estimate": "value"})
    rates = own.filter(attribute=OVERALL)
    return pl.concat(
        [
            rates,
            _turned(own, results, single=("value", "change"), pairs=(("low", "high"), ("change_low", "change_high"))),
        ]
    )


def optimism(results: Results) -> pl.DataFrame:
    """How much better rules look where they were fitted: balanced accuracy, and the widest gap of each attribute."""
    own = results.optimism.rename({"estimate": "optimism"})
    return pl.concat([own.filter(attribute=OVERALL), _turned(own, results, single=("naive", "cross_fitted"), pairs=())])


def relaxation(results: Results) -> pl.DataFrame:
    """Balanced accuracy with its interval, and the largest difference that is left, which has none."""
    names = {"estimate": "balanced_accuracy", "low": "balanced_low", "high": "balanced_high"}
    return results.relaxation.rename(names)


def _directed(table: pl.DataFrame, above: str, below: str, ideal: str | None = None) -> pl.DataFrame:
    """The table with the direction as its verdict where it is shown, `value` instead of `estimate`."""
    side = pl.col("estimate") > (pl.col(ideal).fill_null(0.0) if ideal else 0.0)
    word = pl.when(pl.col("verdict") == SHOWN).then(pl.when(side).then(pl.lit(above)).otherwise(pl.lit(below)))
    told = pl.when(pl.col("verdict") == AT_MOST).then(pl.lit(NOT_TOLD)).otherwise("verdict")
    table = table.with_columns(verdict=pl.coalesce(word, told))
    return table if "value" in table.columns else table.rename({"estimate": "value"})


def _widest(results: Results) -> pl.DataFrame:
    """The contrast and the sign of the widest gap of the baseline, by attribute and rate."""
    base = dict(zip(METHOD, BASELINE, strict=True))
    own = results.gaps.filter(pl.col("contrast") != MAX_MIN, unit=PATIENT, **base)
    return (
        own.sort(pl.col("estimate").abs(), descending=True, nulls_last=True, maintain_order=True)
        .group_by("attribute", "metric", maintain_order=True)
        .agg(
            _contrast=pl.col("contrast").first(),
            _sign=pl.col("estimate").first().sign().replace({0.0: 1.0}).fill_null(1.0),
        )
    )


def _turned(
    own: pl.DataFrame,
    results: Results,
    single: Sequence[str] = ("estimate", "before", "left"),
    pairs: Sequence[tuple[str, str]] = (
        ("low", "high"),
        ("low_simultaneous", "high_simultaneous"),
        ("left_low", "left_high"),
    ),
) -> pl.DataFrame:
    """The rows of the widest gaps, their numbers times the sign of the baseline's."""
    sign = pl.col("_sign")
    turned = [(sign * pl.col(name)).alias(name) for name in single if name in own.columns]
    for low, high in pairs:
        if low in own.columns:
            ends = sign * pl.col(low), sign * pl.col(high)
            turned += [pl.min_horizontal(*ends).alias(low), pl.max_horizontal(*ends).alias(high)]
    joined = own.join(_widest(results), on=["attribute", "metric"], how="inner", maintain_order="left")
    kept = joined.filter(pl.col("contrast") == pl.col("_contrast")).with_columns(turned)
    return kept.with_columns(contrast=pl.lit(WIDEST)).select(own.columns)
