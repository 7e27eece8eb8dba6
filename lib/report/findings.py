"""What the further tables of a bundle decided, as rows and phrases: figures put them in titles, prose in sentences."""

from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    METRICS,
    NO_TARGET,
    OVERALL,
)
from lib.report import evidence, words
from lib.results import Results

Row = dict[str, Any]
BASELINE = {"weighting": BASELINE_WEIGHTING, "postprocessing": BASELINE_POSTPROCESSING, "target": NO_TARGET}
MINUS = "\N{MINUS SIGN}"
CALIBRATED = {"mean_error": 0.0, "slope": 1.0}
"""Measures of calibration that are tested, and what they are where scores mean what they say."""
TOLD = {"prevalence": "share of sick", "tpr": "TPR", "fpr": "FPR", "selection_rate": "selection rate"}
"""Words for the metrics of the table `simpson`."""


def with_minus(contrast: str) -> str:
    """A contrast with a true minus."""
    return contrast.replace(" - ", f" {MINUS} ")


def miscalibrated(results: Results, weighting: str = BASELINE_WEIGHTING) -> tuple[list[Row], int]:
    """Rows of `calibration` that were decided, errors of the level first and the largest first; number of groups tested."""
    tested = (
        evidence.calibration(results)
        .filter("estimable", weighting=weighting)
        .filter(pl.col("measure").is_in(list(CALIBRATED)))
    )
    decided = tested.filter(pl.col("verdict").is_in(["overstates", "understates", "too extreme", "too timid"]))
    rows = sorted(
        decided.to_dicts(), key=lambda r: (r["measure"] != "mean_error", -abs(r["value"] - CALIBRATED[r["measure"]]))
    )
    return rows, tested.select("attribute", "group").n_unique()


def miscalibrated_words(row: Row) -> str:
    """`in AP, scores overstate the share of sick by 8.1 points`, `in AP, scores are too extreme (slope 0.62)`."""
    where = "over everyone" if row["attribute"] == OVERALL else f"in {row['group']}"
    if row["measure"] == "mean_error":
        verb = "overstate" if row["verdict"] == "overstates" else "understate"
        return f"{where}, scores {verb} the share of sick by {words.points(abs(row['value']))[1:]} points"
    return f"{where}, scores are {row['verdict']} (slope {words.number(row['value'], 2)}; 1 is right)"


def amplified(results: Results, weighting: str = BASELINE_WEIGHTING) -> list[Row]:
    """The bias amplification of each attribute where it is estimable, at the fixed threshold."""
    rows = evidence.amplification(results).filter("estimable", **(BASELINE | {"weighting": weighting}))
    return rows.filter(quantity="amplification").to_dicts()


def outlying(results: Results, weighting: str = BASELINE_WEIGHTING) -> tuple[list[Row], int, int]:
    """Crossings whose TPR or FPR differs from everyone's, the furthest first; how many were tested; how many could not be."""
    rows = (
        evidence.intersections(results)
        .filter(**(BASELINE | {"weighting": weighting}))
        .filter(pl.col("metric").is_in(["tpr", "fpr"]))
    )
    decided = rows.filter(pl.col("verdict").is_in(["higher", "lower"])).to_dicts()
    decided.sort(key=lambda row: -abs(row["difference"]))
    known = rows.filter("estimable").height
    return decided, known, rows.height - known


def outlying_words(row: Row) -> str:
    """`the TPR of F, AP is 61.2 %, 10.3 points below everyone's`."""
    side = "above" if row["verdict"] == "higher" else "below"
    return (
        f"the {METRICS[row['metric']].label} of {row['group']} is {words.percent(row['value'])}, "
        f"{words.points(abs(row['difference']))[1:]} points {side} everyone's"
    )
