"""From arrays to tidy frames: NaN becomes null, columns keep the types that the results bundle fixes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

Method = tuple[str, str, str]
"""Weighting, post-processing, and the attribute that the post-processing acts on (`none` when it needs no group)."""
METHOD: dict[str, Any] = {name: pl.String for name in ("weighting", "postprocessing", "target")}


def optional(values: Any) -> list[float | None]:
    """Numbers as a list, with None for NaN: a figure that does not exist is null, never 0."""
    return [None if value != value else value for value in np.asarray(values, dtype=np.float64).tolist()]


def frame(rows: list[tuple], schema: Mapping[str, Any]) -> pl.DataFrame:
    """A frame of tuples, columns in the order and types of `schema`."""
    return pl.DataFrame(rows, schema=dict(schema), orient="row")
