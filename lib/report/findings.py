"""What the further tables of a bundle decided, as rows and phrases: figures put them in titles, prose in sentences."""

from typing import Any

import polars as pl

from lib.names import (
    AGGREGATE,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    NO_TARGET,
    STANDARDISED,
)
from lib.report import evidence, words
from lib.results import Results

Row = dict[str, Any]
BASELINE = {"weighting": BASELINE_WEIGHTING, "postprocessing": BASELINE_POSTPROCESSING, "target": NO_TARGET}
MINUS = "\N{MINUS SIGN}"
"""Measures of calibration that are tested, and what they are where scores mean what they say."""
TOLD = {"prevalence": "share of sick", "tpr": "TPR", "fpr": "FPR", "selection_rate": "selection rate"}
"""Words for the metrics of the table `simpson`."""


def with_minus(contrast: str) -> str:
    """A contrast with a true minus."""
    return contrast.replace(" - ", f" {MINUS} ")


def simpson_rows(results: Results, attribute: str, metric: str, split: str = "valid") -> list[Row]:
    """Rows of one attribute and metric, stratifier by stratifier, the aggregate first and the standardised last."""
    return evidence.plain(results.simpson).filter(split=split, attribute=attribute, metric=metric).to_dicts()


def reversals(results: Results) -> tuple[list[tuple[Row, Row]], int]:
    """(aggregate, standardised) rows of every reversal, and how many questions could be answered."""
    rows = evidence.plain(results.simpson).filter(pl.col("reversal").is_not_null())
    on = ["split", "metric", "attribute", "contrast", "stratifier"]
    asked = rows.select(on).n_unique()
    found = rows.filter("reversal")
    pairs = found.filter(stratum=AGGREGATE).join(found.filter(stratum=STANDARDISED), on=on, suffix="_standardised")
    return [
        (row, row | {key: row[f"{key}_standardised"] for key in ("stratum", "value", "low", "high")})
        for row in pairs.to_dicts()
    ], asked


def reversal_words(aggregate: Row, standardised: Row) -> str:
    """`TPR of AP − PA is +3.1 points in aggregate and −2.0 with strata of sex alike (valid)`."""
    return (
        f"the difference {with_minus(aggregate['contrast'])} in {TOLD[aggregate['metric']]} is "
        f"{words.points(aggregate['value'])} points in aggregate, but {words.points(standardised['value'])} with "
        f"strata of {words.attribute_words(aggregate['stratifier'])} alike ({aggregate['split']})"
    )
