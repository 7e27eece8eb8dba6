"""`metadata.csv` of a cohort, as handed out or as published: read by `lib.tabular`, with a cohort's own demands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from lib.tabular import AttributeSpec, Columns, People, Table, TableError, read_people, read_table
from lib.tabular.values import OLDEST, text

__all__ = ["COLUMNS", "OLDEST", "CohortError", "read_metadata", "read_rows", "read_text_columns"]

COLUMNS = {
    "Image Index": "image",
    "Finding Labels": "findings",
    "Patient ID": "patient",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view",
}
"""The columns of the public file, as this project calls them, and what they say."""


class CohortError(TableError):
    """A cohort cannot be used; the message is one sentence: what, where, what is allowed."""


@contextmanager
def of_a_cohort() -> Iterator[None]:
    """What is wrong with a table is wrong with its cohort."""
    try:
        yield
    except CohortError:
        raise
    except TableError as error:
        raise CohortError(str(error)) from None


def read_rows(path: Path, attributes: Sequence[AttributeSpec] | None = None) -> People:
    """The rows of `metadata.csv`, see `lib.tabular.read_people`; `attributes`, those to be compared (default: sex, age
    group and view, whose columns must then be there). Raises `CohortError`."""
    with of_a_cohort():
        return read_people(path, attributes=attributes, strict=True)


def read_metadata(path: Path) -> tuple[pl.DataFrame, list[tuple[str, int, str]]]:
    """Frame and checks of `read_rows`: `image, findings, patient, age, sex, age_group, view, weight`, one row per image."""
    people = read_rows(path)
    return people.frame, people.checks


def read_text_columns(path: Path) -> pl.DataFrame:
    """A table as it is written, every column text, those of the public file under its older names.

    Raises `CohortError` when it is no table.
    """
    with of_a_cohort():
        return as_published(read_table(path))


def as_published(table: Table) -> pl.DataFrame:
    """The table's columns as text; those that the NIH calls otherwise today (`Patient Sex`) as it called them before."""
    names = {Columns().find(table, role): name for name, role in COLUMNS.items()}
    renamed = {
        written: name for written, name in names.items() if written and written != name and name not in table.columns
    }
    return table.frame.select(
        text(table.frame[column]) if table.frame[column].dtype != pl.String else column for column in table.columns
    ).rename(renamed)


def separator_of(path: Path) -> str:
    """The character that separates the columns of a text table."""
    with of_a_cohort():
        return read_table(path).separator or ","
