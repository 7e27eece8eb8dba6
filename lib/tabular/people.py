"""The table with a row per image: whose it is, what was found, and every attribute, in checked columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from lib.messages import message
from lib.names import Attribute
from lib.tabular.attributes import MOST_ATTRIBUTES, AttributeSpec, grouped
from lib.tabular.classes import is_classes, truth
from lib.tabular.columns import (
    AGE,
    FINDINGS,
    IMAGE,
    LABEL,
    NO_FINDING,
    PATHOLOGIES,
    PATIENT,
    SEX,
    VIEW,
    WEIGHT,
    Columns,
    called,
    candidates,
    find_split,
    missing,
    named,
)
from lib.tabular.content import TableError
from lib.tabular.naming import Names
from lib.tabular.table import Table, read_table
from lib.tabular.usual import SOURCES, USUAL, Codes, attributes_wanted, usual_attribute, usual_checked
from lib.tabular.values import coded, numbers, sexes, text, views, years

ROW = "\0row"
"""A name for rows that name no image; no table has a column called so."""
UNNAMED = "finding not named"
IN_NAMES = {
    "NIH": re.compile(r"(?:^|[/\\])(\d{8})_\d{3}\.\w+$"),
    "CheXpert": re.compile(r"(?:^|[/\\])patient(\d{5,})[/\\]"),
}
"""Where public data sets write the patient into the image's name."""


@dataclass(frozen=True, eq=False)
class People:
    """`frame`: one row per image, `image` (as written), `findings`, `patient`, `age`, `sex`, `age_group`, `view`, `weight`,
    `split` where the table says it, and a column per attribute; null = unknown. `attributes` are those that can be asked,
    `truth` the column that says who
    is sick, `checks` what was counted (check, rows, action), `notes` what the reader made of the columns, `warnings` what may
    mislead."""

    table: Table
    frame: pl.DataFrame
    attributes: dict[str, Attribute]
    checks: list[tuple[str, int, str]]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    truth: str | None = None

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
    rows = _basic(table, columns, notes)
    checks = [("rows in metadata.csv", rows.height, "read")]
    complete = rows.filter(pl.col("image").fill_null("") != "", pl.col("patient").fill_null("") != "")
    checks.append(("rows without an image name or a patient", rows.height - complete.height, "left out"))
    compared = [name for name in complete.columns if name != "row"]
    distinct = complete.unique(compared, keep="first", maintain_order=True)
    first = distinct.unique("image", keep="first", maintain_order=True)
    checks += [
        ("repeated rows that agree", complete.height - distinct.height, "one kept"),
        ("repeated rows that differ", distinct.height - first.height, "the first kept"),
    ]
    first = usual_checked(first, codes, checks)
    kept = Table(table.path, table.frame[first["row"].to_list()], table.separator, table.how)
    frame, compared_by = first.drop("row", "raw_sex", "raw_view"), {}
    for spec in attributes_wanted(kept, columns, attributes):
        column, attribute = usual_attribute(spec, kept, first, columns, None if strict else warnings, codes)
        if attribute is None:
            own_column = named(kept, column) if (column := spec.column or spec.name) else None
            if own_column is None:
                raise TableError(missing(kept, "attribute", column))
            where = message("{path}, column {column!r},", kept.path, own_column)
            values, attribute, told = grouped(spec, kept.frame[own_column], first["patient"], where)
            notes += told
            frame = frame.with_columns(values.alias(attribute.name))
        elif column is not None:
            frame = frame.with_columns(column.alias(attribute.name))
        compared_by[attribute.name] = attribute
    if not 1 <= len(compared_by) <= MOST_ATTRIBUTES:
        raise TableError(
            message(
                "{path} has no column of sex, age or view: name what to compare, as in --attribute NAME:COLUMN; it has "
                "{columns}.",
                table.path,
                ", ".join(table.columns[:12]),
            )
            if not compared_by
            else message(
                "{count} attributes are asked for; at most {most} are compared.", len(compared_by), MOST_ATTRIBUTES
            )
        )
    if (split := find_split(kept, columns)) is not None:
        frame = frame.with_columns(split=split[1])
    return People(kept, frame, compared_by, checks, tuple(notes), tuple(warnings), truth_column(kept, columns))


def _require(table: Table, columns: Columns, attributes: Sequence[AttributeSpec]) -> None:
    """A cohort needs these. Raises `TableError` that names the columns, as the NIH calls them."""
    from lib.tabular.columns import NAMES

    roles = [IMAGE, FINDINGS, PATIENT, *(SOURCES[spec.name] for spec in attributes if spec.name in SOURCES)]
    absent = [NAMES[role][0] for role in roles if columns.find(table, role) is None]
    if absent and not (absent == [NAMES[FINDINGS][0]] and columns.find(table, NO_FINDING)):
        raise TableError(
            "{path} lacks the column(s) {names}; it has {columns}.",
            table.path,
            ", ".join(absent),
            ", ".join(table.columns),
        )


def _basic(table: Table, columns: Columns, notes: list[str]) -> pl.DataFrame:
    """Image, patient, findings, weight and the attributes as written, a row for each row of the table."""
    frame = table.frame
    image = columns.find(table, IMAGE)
    if columns.given.get(IMAGE) == "none":
        frame, image = frame.with_columns(pl.concat_str(pl.lit("row "), pl.int_range(2, pl.len() + 2)).alias(ROW)), ROW
    if image is None and len(likely := candidates(table, IMAGE)) == 1:
        image = likely[0]
        notes.append(f"{table.path.name}: {called(image)} names the images.")
    if image is None:
        raise TableError(missing(table, IMAGE, columns.given.get(IMAGE)))
    names = text(frame[image]).alias("image")

    def written(role: str) -> pl.Series:
        column = columns.find(table, role)
        if column is None:
            if role in columns.given:
                raise TableError(missing(table, role, columns.given[role]))
            return pl.Series(role, [None] * table.frame.height, dtype=pl.String)
        return frame[column]

    weight = numbers(written(WEIGHT))
    return pl.DataFrame(
        {
            "row": pl.int_range(frame.height, eager=True),
            "image": names,
            "findings": _findings(table, columns, notes),
            "patient": _patients(table, columns, names, notes),
            "age": years(written(AGE)),
            "sex": sexes(written(SEX)),
            "view": views(written(VIEW)),
            "raw_sex": coded(written(SEX)),
            "raw_view": coded(written(VIEW)),
            "weight": weight,
        }
    )


def _patients(table: Table, columns: Columns, images: pl.Series, notes: list[str]) -> pl.Series:
    if columns.given.get(PATIENT) == "none":
        notes.append("Each image is taken for a patient of its own, as --patient none says.")
        return images.alias("patient")
    if column := columns.find(table, PATIENT):
        return coded(table.frame[column]).alias("patient")
    if PATIENT in columns.given:
        raise TableError(missing(table, PATIENT, columns.given[PATIENT]))
    for source, pattern in IN_NAMES.items():
        patients = images.str.extract(pattern.pattern)
        if len(patients) and patients.null_count() == images.null_count():
            notes.append(f"{table.path.name}: patients are read from the images' names, as in the files of {source}.")
            return patients.alias("patient")
    told = missing(table, PATIENT).removesuffix(".") + ", or --patient none where each image is of another patient."
    raise TableError(told)


def truth_column(table: Table, columns: Columns) -> str | None:
    """The column that says who is sick: one that is asked for, else findings, else `No Finding`, else a truth in 0 and 1."""
    asked = columns.find(table, LABEL) if LABEL in columns.given else None
    if column := asked or columns.find(table, FINDINGS) or columns.find(table, NO_FINDING):
        return column
    label = columns.find(table, LABEL)
    return label if label and is_classes(table, label) else None


def _findings(table: Table, columns: Columns, notes: list[str]) -> pl.Series:
    """What was found, `No Finding` where nothing was, null where it is not known."""
    column = truth_column(table, columns)
    if column is None:
        return pl.Series("findings", [None] * table.frame.height, dtype=pl.String)
    if column == columns.find(table, LABEL):
        written = {1: UNNAMED, 0: "No Finding"}
        if column in PATHOLOGIES:
            notes.append(f"{table.path.name}: where {column!r} is blank, it is taken for absent.")
            blank = text(table.frame[column]).is_null()
            sick = truth(table, column)[0].set(blank, 0)
            return sick.replace_strict(written, default=None, return_dtype=pl.String).alias("findings")
        return truth(table, column)[0].replace_strict(written, default=None, return_dtype=pl.String).alias("findings")
    if column == columns.find(table, FINDINGS):
        return text(table.frame[column]).alias("findings")
    healthy = (numbers(table.frame[column]) == 1).fill_null(False)
    present = {name: column_of for name in PATHOLOGIES if (column_of := named(table, name))}
    lists = pl.DataFrame({name: numbers(table.frame[column_of]) == 1 for name, column_of in present.items()})
    found = lists.select(
        pl.concat_str([pl.when(pl.col(name)).then(pl.lit(name)) for name in present], separator="|", ignore_nulls=True)
        if present
        else pl.lit("")
    ).to_series()
    found = found if len(found) == len(healthy) else pl.Series([""] * len(healthy))
    notes.append(f"{table.path.name}: images whose {column!r} is not 1 count as sick.")
    named_ = found.zip_with((found != "").fill_null(False), pl.Series([UNNAMED] * len(found), dtype=pl.String))
    return pl.Series(["No Finding"] * len(found), dtype=pl.String).zip_with(healthy, named_).alias("findings")
