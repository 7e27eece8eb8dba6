"""The table of a cohort: what makes a cohort unusable, and the columns of the public file under its older names."""

from pathlib import Path

import polars as pl

from lib.tabular import Columns, read_table
from lib.tabular import TableError as CohortError
from lib.tabular.values import text

__all__ = ["COLUMNS", "HEADER", "CohortError", "read_text_columns"]

COLUMNS = {
    "Image Index": "image",
    "Finding Labels": "findings",
    "Patient ID": "patient",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view",
}
"""The columns of the public file, as this project calls them, and what they say."""
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],WEIGHTS"
)
"""Of the tables handed out. As published: the commas inside the brackets are separators like the others."""


def read_text_columns(path: Path) -> pl.DataFrame:
    """A table as it is written, every column text; those that the NIH calls otherwise today (`Patient Sex`) as it called
    them before. Raises `CohortError` when it is no table.
    """
    table = read_table(path)
    names = {Columns().find(table, role): name for name, role in COLUMNS.items() if name not in table.columns}
    names.pop(None, None)
    texts = (text(table.frame[c]) if table.frame[c].dtype != pl.String else table.frame[c] for c in table.columns)
    return pl.DataFrame(list(texts)).rename(names)
