"""The table with a row per image: whose it is, what was found, and every attribute, in checked columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import polars as pl

from lib.names import Attribute
from lib.tabular import columns as roles
from lib.tabular.attributes import (
    SOURCES,
    USUAL,
    AttributeSpec,
    Codes,
    attribute_of,
    attributes_wanted,
    believed,
    usual_values,
)
from lib.tabular.classes import is_classes, truth
from lib.tabular.columns import Columns, find_split, image_column, missing, named
from lib.tabular.content import TableError
from lib.tabular.naming import Names
from lib.tabular.table import Table, read_table
from lib.tabular.values import OLDEST, age_groups, coded, numbers, text, years

UNNAMED = "finding not named"
IN_NAMES = {
    "NIH": re.compile(r"(?:^|[/\\])(\d{8})_\d{3}\.\w+$"),
    "CheXpert": re.compile(r"(?:^|[/\\])patient(\d{5,})[/\\]"),
}
"""Where public data sets write the patient into the image's name."""


@dataclass(frozen=True, eq=False)
class People:
    """Who is on each image. Unknown values are null."""

    table: Table
    frame: pl.DataFrame
    """A row per image: `image` (as written), `findings`, `patient`, `age`, `sex`, `age_group`, `view`, `weight`, `split` where
    the table has it, and a column per attribute."""
    attributes: dict[str, Attribute]
    checks: list[tuple[str, int, str]]
    """Check, number of rows, action."""
    notes: tuple[str, ...]
    """What the reader made of the columns."""
    warnings: tuple[str, ...]
    """What may mislead."""
    truth: str | None = None
    """The column that says who is sick."""

    @cached_property
    def names(self) -> Names:
        """The images' names, to be matched with."""
        return Names(self.frame["image"].to_list())


def read_people(
    source: str | Path | Table,
    columns: Columns | None = None,
    attributes: Sequence[AttributeSpec] | None = None,
    codes: Codes | None = None,
    *,
    strict: bool = False,
) -> People:
    """Read metadata in the words of the NIH, of CheXpert or MIMIC-CXR, or in others that `columns` names.

    `attributes` defaults to those of sex, age group and view that the table has (with `strict`, as a cohort needs it, to
    all three, and `Finding Labels`); `codes`, what codes mean. Ages may be written `58` or `058Y` (also months M, weeks W,
    days D); ages outside 0 to 120 years, sexes other than F and M and views other than AP and PA become null.
    Raises `TableError`, one sentence.
    """
    table = source if isinstance(source, Table) else read_table(source)
    columns, codes, notes, warnings = columns or Columns(), codes or {}, [], []
    if strict:
        _require(table, columns, USUAL if attributes is None else attributes)
    rows = _basic(table, columns, codes, notes)
    checks = [("rows in metadata.csv", rows.height, "read")]
    complete = rows.filter(pl.col("image").fill_null("") != "", pl.col("patient").fill_null("") != "")
    checks.append(("rows without an image name or a patient", rows.height - complete.height, "left out"))
    distinct = complete.unique(pl.exclude("row"), keep="first", maintain_order=True)
    first = distinct.unique("image", keep="first", maintain_order=True)
    age, unknown = believed(first["age"]), "set to unknown, image kept"
    checks += [
        ("repeated rows that agree", complete.height - distinct.height, "one kept"),
        ("repeated rows that differ", distinct.height - first.height, "the first kept"),
        (f"ages outside 0 to {OLDEST} years", age.null_count() - first["age"].null_count(), unknown),
        ("ages that are not a number", first["age"].null_count(), unknown),
        ("sexes other than F and M", first["sex"].null_count(), unknown),
        ("views other than AP and PA", first["view"].null_count(), unknown),
    ]
    frame = first.drop("row").with_columns(age, age_groups(age))
    kept = replace(table, frame=table.frame[first["row"].to_list()])
    compared: dict[str, Attribute] = {}
    for spec in attributes_wanted(kept, columns, attributes):
        values, attribute = attribute_of(
            spec, kept, first["patient"], columns, codes, notes, warnings, as_written=not strict
        )
        frame = frame.with_columns(values.alias(attribute.name))
        compared[attribute.name] = attribute
    if (split := find_split(kept, columns)) is not None:
        frame = frame.with_columns(split=split[1])
    return People(kept, frame, compared, checks, tuple(notes), tuple(warnings), truth_column(kept, columns))


def _require(table: Table, columns: Columns, attributes: Sequence[AttributeSpec]) -> None:
    """A cohort needs these. Raises `TableError` that names the columns, as the NIH calls them."""
    usual = [SOURCES[spec.name] for spec in attributes if spec.name in SOURCES]
    needed = [roles.IMAGE, roles.FINDINGS, roles.PATIENT, *usual]
    absent = [roles.NAMES[role][0] for role in needed if columns.find(table, role) is None]
    if absent and not (absent == [roles.NAMES[roles.FINDINGS][0]] and columns.find(table, roles.NO_FINDING)):
        raise TableError("{path} lacks the column(s) {names}; it has {columns}.", table.path, absent, table.columns)


def _basic(table: Table, columns: Columns, codes: Codes, notes: list[str]) -> pl.DataFrame:
    """Image, patient, findings, weight and the attributes as written, a row for each row of the table."""
    if columns.names.get(roles.IMAGE) == "none":
        names = pl.Series("image", [f"row {row}" for row in range(2, table.frame.height + 2)], dtype=pl.String)
    elif (image := columns.find(table, roles.IMAGE) or image_column(table, columns, notes)) is not None:
        names = text(table.frame[image]).alias("image")
    else:
        raise TableError(missing(table, roles.IMAGE))

    def written(role: str) -> pl.Series:
        column = columns.find(table, role)
        return _unknown(role, table) if column is None else table.frame[column]

    return pl.DataFrame(
        {
            "row": pl.int_range(table.frame.height, eager=True),
            "image": names,
            "findings": _findings(table, columns, notes),
            "patient": _patients(table, columns, names, notes),
            "age": years(written(roles.AGE)),
            "sex": usual_values("sex", written(roles.SEX), codes),
            "view": usual_values("view", written(roles.VIEW), codes),
            "weight": numbers(written(roles.WEIGHT)),
        }
    )


def _patients(table: Table, columns: Columns, images: pl.Series, notes: list[str]) -> pl.Series:
    if columns.names.get(roles.PATIENT) == "none":
        notes.append("Each image is taken for a patient of its own, as --patient none says.")
        return images.alias("patient")
    if column := columns.find(table, roles.PATIENT):
        return coded(table.frame[column]).alias("patient")
    for source, pattern in IN_NAMES.items():
        patients = images.str.extract(pattern.pattern)
        if len(patients) and patients.null_count() == images.null_count():
            notes.append(f"{table.path.name}: patients are read from the images' names, as in the files of {source}.")
            return patients.alias("patient")
    absent = missing(table, roles.PATIENT).removesuffix(".")
    raise TableError(absent + ", or --patient none where each image is of another patient.")


def _unknown(name: str, table: Table) -> pl.Series:
    return pl.Series(name, [None] * table.frame.height, dtype=pl.String)


def truth_column(table: Table, columns: Columns) -> str | None:
    """The column that says who is sick: one that an option names, else findings, else `No Finding`, else a truth in 0 and 1."""
    label = columns.find(table, roles.LABEL)
    if label and roles.LABEL in columns.names:
        return label
    if column := columns.find(table, roles.FINDINGS) or columns.find(table, roles.NO_FINDING):
        return column
    return label if label and is_classes(table, label) else None


def _findings(table: Table, columns: Columns, notes: list[str]) -> pl.Series:
    """What was found, `No Finding` where nothing was, null where it is not known."""
    column = truth_column(table, columns)
    if column is None:
        return _unknown("findings", table)
    if column == columns.find(table, roles.LABEL):
        sick = truth(table, column)[0]
        if column in roles.PATHOLOGIES:
            notes.append(f"{table.path.name}: where {column!r} is blank, it is taken for absent.")
            sick = sick.set(text(table.frame[column]).is_null(), 0)
        written = {1: UNNAMED, 0: "No Finding"}
        return sick.replace_strict(written, default=None, return_dtype=pl.String).alias("findings")
    if column == columns.find(table, roles.FINDINGS):
        return text(table.frame[column]).alias("findings")
    notes.append(f"{table.path.name}: images whose {column!r} is not 1 count as sick.")
    present = {name: numbers(table.frame[of]) == 1 for name in roles.PATHOLOGIES if (of := named(table, name))}
    names = [pl.when(pl.col(name)).then(pl.lit(name)) for name in present]
    listed = pl.concat_str(names or [pl.lit("")], separator="|", ignore_nulls=True)
    findings = pl.when(pl.col("healthy")).then(pl.lit("No Finding")).when(listed != "").then(listed)
    frame = pl.DataFrame({"healthy": numbers(table.frame[column]) == 1} | present)
    return frame.select(findings=findings.otherwise(pl.lit(UNNAMED)))["findings"]
