"""Columns that tables share."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from lib.names import Method

S, I, F, B = pl.String, pl.Int64, pl.Float64, pl.Boolean
METHOD: dict[str, Any] = {"weighting": S, "postprocessing": S, "target": S}
INTERVAL: dict[str, Any] = {"low": F, "high": F}
DESCRIBED: dict[str, Any] = {"estimate": F} | INTERVAL
"""A figure with its single interval, described and not tested."""
STANDARD: dict[str, Any] = DESCRIBED | {
    "low_simultaneous": F,
    "high_simultaneous": F,
    "p": F,
    "p_adjusted": F,
    "verdict": S,
}
"""A figure that is tested: its single interval, the one that holds for its whole family, both p-values, one of five words."""
COUNTS = ("networks", "images", "patients", "estimable")
"""Columns that stand behind the figures of a table."""


def with_figures(keys: Mapping[str, Any], figures: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a table: what a row is about, its figures, and the counts behind them."""
    about = {key: kind for key, kind in keys.items() if key not in COUNTS}
    return about | dict(figures) | {key: kind for key, kind in keys.items() if key in COUNTS}


def method_columns(method: Method) -> dict[str, pl.Expr]:
    """The columns of `METHOD`, all of one method."""
    return {key: pl.lit(part) for key, part in zip(METHOD, method, strict=True)}
