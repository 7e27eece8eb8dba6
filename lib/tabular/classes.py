"""A column of two classes, sick and healthy, however they are written."""

import polars as pl

from lib.messages import message
from lib.tabular.table import Table
from lib.tabular.values import CLASS_WORDS, bare, coded, simplified

HEALTHY = "no finding"
UNCERTAIN = "-1"
"""What CheXpert writes where the report is not sure (arXiv 1901.07031); beside -1 and 1 alone it is a class."""


def classes(table: Table, column: str) -> tuple[pl.Series, bool]:
    """A column of classes as 0 and 1 (null where nothing is written), and whether words said which is sick (then 1 is).

    Names of findings are classes, too, where `No Finding` is among them. Raises `TableError` for anything else.
    """
    values = coded(table.frame[column])
    distinct = values.drop_nulls().unique().to_list()
    simple = {value: simplified(value) for value in distinct}
    if HEALTHY in simple.values():
        known = {value: int(word != HEALTHY) for value, word in simple.items()}
    elif set(distinct) <= {"0", "1", UNCERTAIN} and (UNCERTAIN not in distinct or "0" in distinct):
        return values.replace({UNCERTAIN: None}).cast(pl.Int64), False
    else:
        known = {value: CLASS_WORDS.get(word) for value, word in simple.items()}
    labels = values.replace_strict(known, default=None, return_dtype=pl.Int64)
    wrong = message("is not a class; allowed are 0 and 1, malade and sain, sick and healthy")
    table.require_read(column, labels, wrong)
    return labels, True


def truth(table: Table, column: str) -> tuple[pl.Series, bool]:
    """The truth, 1 = sick, and whether it is written 0 and 1. Of a column `labels` 0 is malade, as the course has it."""
    values, words = classes(table, column)
    return (values if words or bare(column) != "labels" else 1 - values).alias("label"), not words


def is_classes(table: Table, column: str) -> bool:
    """Whether a column holds such classes and nothing else."""
    simple = {simplified(value) for value in coded(table.frame[column]).drop_nulls().unique().head(50)}
    return bool(simple) and simple <= {"0", "1", *CLASS_WORDS}


def sick(findings: pl.Series) -> pl.Series:
    """1 where something was found, 0 for `No Finding`, null where nothing is written."""
    known = {value: int(simplified(value) != HEALTHY) for value in findings.drop_nulls().unique()}
    return findings.replace_strict(known, default=None, return_dtype=pl.Int64)
