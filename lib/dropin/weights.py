"""Rows of a CSV matched to image files by name, and the weight of each training image; a misfit is one sentence."""

from pathlib import Path

import numpy as np
import polars as pl

from lib import tabular
from lib.cohort.layout import CohortError
from lib.messages import message
from lib.preprocessing import WeightingError
from lib.tabular.columns import IMAGE, PATIENT, Columns
from lib.tabular.values import listed, numbers

KEY = "\0image file"
"""Column of the image file that a row is about, null where it is about none; no header of a CSV holds such a name."""
IN_NAME = r"^(\d+)_\d+\.\w+$"
"""The patient in the name of an image, as the NIH names them: `00000013_004.png` is the fifth of patient 13."""
SHOWN = 5
"""Names in a sentence; the others are counted."""


def read_table(path: Path, files: list[str]) -> pl.DataFrame:
    """The table as it is written, every column text, with the column `KEY`: which of `files` each row is about.

    It is read, and names are matched, as everywhere (`lib.tabular`): without their folders, exactly or, where there is no
    doubt, in any case and with any image suffix. Only the column of image names must be there. Raises `CohortError` when
    the file is no table or has no such column.
    """
    table = tabular.read_table(path).frame.select(pl.all().cast(pl.String))
    return table.with_columns(files_of(table[image_column(table, path)], files).alias(KEY))


def files_of(written: pl.Series, files: list[str]) -> pl.Series:
    """Which of the `files` each written name means, null for none."""
    names = written.map_elements(tabular.file_name, pl.String)
    matches, _ = tabular.match(names.drop_nulls(), files)
    return names.replace_strict(matches, default=None, return_dtype=pl.String)


def image_column(table: pl.DataFrame, path: Path) -> str:
    """The column of image names. Raises `CohortError` when there is none."""
    if column := Columns().find(table, IMAGE):
        return column
    raise CohortError("{path} lacks the column Image Index; it has {columns}.", path, table.columns)


def weights_of(table: pl.DataFrame, path: Path, column: str, images: list[str]) -> dict[str, float]:
    """The weight of each of these training `images`, by name, from `column` of a table of `read_table`.

    The weights of other rows (of validation images, or of none) play no part. Raises `WeightingError` when the column is
    absent, an image has no row, rows of an image disagree, or a weight is missing, negative or not finite.
    """
    if column not in table.columns:
        columns = table.drop(KEY).columns
        raise WeightingError(
            "{path} has no column {column!r} to take weights from; its columns are {columns}.", path, column, columns
        )
    where = message("{path}, column {column!r}", path, column)
    lines = {"key": pl.col(KEY), "line": pl.int_range(2, pl.len() + 2), "text": column}
    numbered = table.select(**lines).with_columns(numbers(table[column]).alias("weight"))
    rows = numbered.filter(pl.col("key").is_in(images))
    if absent := sorted(set(images) - set(rows["key"])):
        raise WeightingError(
            "{where}: no row, and so no weight, for {count} of {total} training images: {images}; each needs one, under "
            "its file name.",
            where,
            len(absent),
            len(images),
            listed(absent, SHOWN),
        )
    wrong = rows.filter(~(pl.col("weight").is_finite() & (pl.col("weight") >= 0)).fill_null(False))
    if wrong.height:
        lines = [
            message("line {line} ({image}): {text}", line, image, text or message("empty"))
            for image, line, text, _ in wrong.iter_rows()
        ]
        raise WeightingError(
            "{where}: {count} weights of training images are not a number from 0, {lines}.",
            where,
            wrong.height,
            listed(lines, SHOWN),
        )
    twice = rows.group_by("key").agg(pl.col("weight").n_unique(), pl.col("line").min()).filter(pl.col("weight") > 1)
    if twice.height:
        raise WeightingError(
            "{where}: {count} training images have rows with different weights, {images}; each needs one weight.",
            where,
            twice.height,
            listed(twice.sort("line")["key"].to_list(), SHOWN),
        )
    return dict(zip(rows["key"], rows["weight"], strict=True))


def require_weight_in_both_classes(weights: np.ndarray, labels: np.ndarray, where: str) -> None:
    """Raises `WeightingError` when all `weights` (n,) of a class of `labels` (n,) are zero: it would never be drawn."""
    for name, label in (("malade", 1), ("sain", 0)):
        if not weights[labels == label].any():
            raise WeightingError(
                "{where}: every training image of {name} has weight 0; both classes need some above.", where, name
            )


def with_patients(images: pl.DataFrame, table: pl.DataFrame) -> tuple[pl.DataFrame, str | None]:
    """The images with the column `patient`, and a sentence where the table does not say who that is.

    Without a row or a patient's number the patient is read from the image's name (`IN_NAME`), else is the image alone.
    """
    named = pl.col("image").str.extract(IN_NAME).str.replace(r"^0+(\d)", "$1")
    by_image = pl.coalesce(named, pl.col("image"))
    column = Columns().find(table, PATIENT)
    if column is None:
        note = message(
            "The CSV has no column Patient ID: who an image belongs to is read from its name (PATIENT_NUMBER.png)."
        )
        return images.with_columns(patient=by_image), note
    text = pl.col(column).str.strip_chars()
    rows = table.filter(pl.col(KEY).is_not_null(), text != "").unique(KEY, keep="first", maintain_order=True)
    known = rows.select(pl.col(KEY).alias("image"), patient=text)
    joined = images.join(known, on="image", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("patient", by_image).alias("patient")), None
