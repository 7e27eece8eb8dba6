"""Columns that tables share."""

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
COUNTED: dict[str, Any] = {"images": I, "patients": I, "estimable": B}
"""What stands behind a figure, and whether that is enough to tell it."""


def method_columns(method: Method) -> dict[str, pl.Expr]:
    """The columns of `METHOD`, all of one method."""
    return {key: pl.lit(part) for key, part in zip(METHOD, method, strict=True)}
