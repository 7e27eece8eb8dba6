"""The rows of a CSV as they are written, each with its image's name; how they are matched to files."""

from pathlib import Path

import polars as pl

from lib.cohort import CohortError

KEY = "\0file name"
"""Column of the image's name without folders; no header of a CSV holds such a name."""


def read_table(path: Path) -> pl.DataFrame:
    """Every column of the CSV as text, and the column `KEY`; its separator is that of the header.

    Raises `CohortError` when there is no such file, it is no table or it has no column `Image Index`.
    """
    if not path.is_file():
        raise CohortError(f"{path} is missing: it should be a table with one row for each image.")
    try:
        table = pl.read_csv(path, separator=separator_of(path), infer_schema=False, encoding="utf8-lossy")
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise CohortError(f"{path} is not a table separated by commas, semicolons or tabs ({reason}).") from None
    table = table.rename({c: c.strip().lstrip("\ufeff") for c in table.columns})
    if "Image Index" not in table.columns:
        raise CohortError(f"{path} lacks the column Image Index; it has {', '.join(table.columns)}.")
    last_part = pl.col("Image Index").str.strip_chars().str.extract(r"([^/\\]*)$")
    return table.with_columns(last_part.alias(KEY))


def separator_of(path: Path) -> str:
    """The character among comma, semicolon and tab that the header has most of."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    return max(",;\t", key=header.count)
