"""Rows of a bundle, and the phrases that tell them."""

from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    METRICS,
    NO_TARGET,
    NOT_ESTIMABLE,
    NOT_TOLD,
    OVERALL,
    SUGGESTED,
)
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.words import count, difference, interval, level, outcome_words, points, unit
from lib.results import Results

GAP_METRICS = ("tpr", "fpr")
"""The error rates whose gaps the report judges methods by: both sides of equalized odds."""
METHOD = ["weighting", "postprocessing", "target"]
BASELINE = (
    (pl.col("weighting") == BASELINE_WEIGHTING)
    & (pl.col("postprocessing") == BASELINE_POSTPROCESSING)
    & (pl.col("target") == NO_TARGET)
)
DECIDED = ~pl.col("verdict").is_in([SUGGESTED, NOT_TOLD, NOT_ESTIMABLE])


def baseline_metric(study: Results, metric: str, attribute: str = OVERALL, group: str = "all") -> dict[str, Any]:
    chosen = (pl.col("metric") == metric) & (pl.col("attribute") == attribute) & (pl.col("group") == group)
    return evidence.metrics(study).filter(BASELINE).row(by_predicate=chosen, named=True)


def baseline_gaps(study: Results, attribute: str) -> pl.DataFrame:
    return evidence.gaps(study).filter(
        BASELINE,
        pl.col("attribute") == attribute,
        pl.col("metric").is_in(GAP_METRICS),
        pl.col("contrast") != WIDEST,
        pl.col("estimable"),
    )


def effects(study: Results, kind: str) -> pl.DataFrame:
    """Changes of overall balanced accuracy and of the gaps in error rates, by methods that alter one thing only."""
    alone = (
        pl.col("postprocessing") == BASELINE_POSTPROCESSING
        if kind == "weighting"
        else pl.col("weighting") == BASELINE_WEIGHTING
    )
    wanted = ((pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy")) | (
        (pl.col("contrast") == WIDEST) & pl.col("metric").is_in(GAP_METRICS)
    )
    return evidence.changes(study).filter(alone, wanted)


def outcome(row: dict[str, Any]) -> str:
    """`balanced accuracy`, `the TPR gap by view`."""
    words = outcome_words(row["attribute"], row["metric"])
    return words if row["attribute"] == OVERALL else f"the {words}"


def gap_words(row: dict[str, Any]) -> str:
    group, reference = row["contrast"].split(" - ")
    bounds = interval(points(row["low"]), points(row["high"]))
    return f"{group} has a {row['verdict']} {METRICS[row['metric']].label} than {reference} ({points(row['value'])} points, {bounds})"


def change_words(row: dict[str, Any]) -> str:
    metric = row["metric"]
    low, high = difference(metric, row["low"]), difference(metric, row["high"])
    return f"{difference(metric, row['change'])}{unit(metric)}, {interval(low, high)}"


def with_interval(metric: str, row: dict[str, Any]) -> str:
    if row["value"] is None:
        return NOT_ESTIMABLE
    return f"{level(metric, row['value'])} ({interval(level(metric, row['low']), level(metric, row['high']))})"


def apart(one: dict[str, Any], two: dict[str, Any]) -> bool:
    return one["high"] < two["low"] or two["high"] < one["low"]


def per_thousand(rate: float, missed: int) -> str:
    return count(round(1000 * (1 - rate if missed else rate)))
