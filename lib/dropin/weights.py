"""Each training image's own weight from a column of a CSV; whatever does not fit is one sentence that names the rows."""

from pathlib import Path

import numpy as np
import polars as pl

from lib.cohort.metadata import CohortError, file_name, read_text_columns
from lib.preprocessing import WeightingError

KEY = "\0file name"
"""Column of the image's name without folders; no header of a CSV holds such a name."""
SHOWN = 5
"""Names in a sentence; the others are counted."""


def read_table(path: Path) -> pl.DataFrame:
    """The CSV as it is written, every column text, with the column `KEY`.

    Raises `CohortError` when it is no table or has no column `Image Index`.
    """
    table = read_text_columns(path)
    if "Image Index" not in table.columns:
        raise CohortError(f"{path} lacks the column Image Index; it has {', '.join(table.columns)}.")
    return table.with_columns(file_name(pl.col("Image Index")).alias(KEY))


def read_weights(path: Path, column: str, images: list[str]) -> dict[str, float]:
    """The weight of each of these training `images`, by name, from `column` of the CSV at `path`.

    Names are matched exactly, upper and lower case apart, whatever the order of the rows; the weights of other rows
    (of validation images, or of none) play no part. Raises `WeightingError` when the column is absent, an image has no
    row, rows of an image disagree, a weight is missing, negative or not finite, or all weights of a class are zero.
    """
    table = read_table(path)
    if column not in table.columns:
        columns = ", ".join(c for c in table.columns if c != KEY)
        raise WeightingError(f"{path} has no column {column!r} to take weights from; its columns are {columns}.")
    weight = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    numbered = table.select(pl.col(KEY).alias("key"), line=pl.int_range(2, pl.len() + 2), text=column, weight=weight)
    rows = numbered.filter(pl.col("key").is_in(images))
    if absent := sorted(set(images) - set(rows["key"])):
        raise WeightingError(
            f"{path} has no row, and so column {column!r} no weight, for {len(absent)} of {len(images)} training "
            f"images: {_some(absent)}; each needs one, under its file name (upper and lower case matter)."
        )
    missing = rows["weight"].is_null()
    wrong = rows.filter(missing | ~rows["weight"].is_finite().fill_null(False) | (rows["weight"] < 0).fill_null(False))
    if wrong.height:
        found = [f"line {line} ({key}): {text or 'empty'}" for key, line, text, _ in wrong.iter_rows()]
        raise WeightingError(
            f"{path}, column {column!r}: {wrong.height} weights of training images are not a number from 0, "
            f"{_some(found)}."
        )
    twice = rows.group_by("key").agg(pl.col("weight").n_unique(), pl.col("line").min()).filter(pl.col("weight") > 1)
    if twice.height:
        raise WeightingError(
            f"{path}, column {column!r}: {twice.height} training images have rows with different weights, "
            f"{_some(twice.sort('line')['key'].to_list())}; each needs one weight."
        )
    return dict(zip(rows["key"], rows["weight"], strict=True))


def require_weight_in_both_classes(weights: np.ndarray, labels: np.ndarray, where: str) -> None:
    """Raises `WeightingError` when all `weights` (n,) of a class of `labels` (n,) are zero: it would never be drawn."""
    for name, label in (("malade", 1), ("sain", 0)):
        if not weights[labels == label].any():
            raise WeightingError(f"{where}: every training image of {name} has weight 0; both classes need some above.")


def _some(words: list[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
