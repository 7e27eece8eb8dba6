"""The attributes of a table: sex, age group and view, read in the words and codes in which they are written, and any other."""

from collections.abc import Mapping, Sequence

import polars as pl

from lib.messages import message
from lib.names import DEFAULTS, MOST_ATTRIBUTES, Attribute
from lib.tabular.attributes import AttributeSpec, grouped
from lib.tabular.columns import AGE, SEX, VIEW, Columns, named, no_column
from lib.tabular.content import TableError
from lib.tabular.table import Table
from lib.tabular.values import AGE_CUTS, OLDEST, SEXES, VIEWS, age_groups, coded, translated, years

SOURCES = {"sex": SEX, "age_group": AGE, "view": VIEW}
USUAL = tuple(map(AttributeSpec, SOURCES))
Codes = Mapping[str, Mapping[str, str]]
"""What codes mean, by attribute: `{"sex": {"0": "M", "1": "F"}}`."""


def usual_values(name: str, column: pl.Series, codes: Codes) -> pl.Series:
    """A column of sex, age group or view in the project's words, what codes mean applied first; null where unknown."""
    if name == "age_group":
        return age_groups(believed(years(column)))
    words = {"sex": SEXES, "view": VIEWS}[name]
    return translated(coded(column).replace(dict(codes.get(name, {}))), words)


def believed(age: pl.Series) -> pl.Series:
    """Whole years, null where nobody is so old."""
    return (age + 1e-9).floor().set(~age.is_between(0, OLDEST).fill_null(False), None).cast(pl.Int64)


def attributes_wanted(
    table: Table, columns: Columns, attributes: Sequence[AttributeSpec] | None
) -> Sequence[AttributeSpec]:
    """Those of the request, else those of the usual ones that the table has.

    Raises `TableError` for one that stands twice, for none, and for more than can be compared.
    """
    if attributes is None:
        attributes = [spec for spec in USUAL if columns.find(table, SOURCES[spec.name])]
    keys = [spec.key for spec in attributes]
    if twice := [spec for spec in attributes if keys.count(spec.key) > 1]:
        raise TableError(
            "{option} names {name!r} twice; each attribute has a name of its own.", twice[0].option, twice[0].key
        )
    if not attributes:
        raise TableError(
            "{path} has no column of sex, age or view: name what to compare, as in --attribute NAME:COLUMN; it has {columns}.",
            table.path,
            table.columns[:12],
        )
    if len(attributes) > MOST_ATTRIBUTES:
        raise TableError(
            "{count} attributes are asked for; at most {most} are compared.", len(attributes), MOST_ATTRIBUTES
        )
    return attributes


def attribute_of(
    spec: AttributeSpec,
    table: Table,
    patients: pl.Series,
    columns: Columns,
    codes: Codes,
    notes: list[str],
    warnings: list[str],
    *,
    as_written: bool,
) -> tuple[pl.Series, Attribute]:
    """The group of each row, and what the attribute is; a warning where a column of sex or view has none of their words: it is
    then grouped `as_written`, or unknown in every row.

    Sex, age group and view are read by their rules, any other column by its values or cut points. Raises `TableError`.
    """
    name = {"age": "age_group"}.get(spec.name, spec.name)
    is_usual = name in SOURCES and spec.cuts in ((), AGE_CUTS)
    wanted = spec.column or (name if is_usual else spec.name)
    source = columns.find(table, SOURCES[name]) if is_usual and not spec.column else named(table, wanted)
    if source is None:
        raise no_column(table, wanted, spec.option)
    written, where = table.frame[source], message("{path}, column {column!r},", table.path, source)
    if not is_usual:
        return grouped(spec, written, patients, where, notes)
    usual, values = DEFAULTS[name], usual_values(name, written, codes)
    distinct = coded(written).drop_nulls().n_unique()
    if as_written and name != "age_group" and values.null_count() == len(values) and 1 < distinct <= 8:
        values, attribute = grouped(spec, coded(written), patients, where, [])
        shown = " and ".join(attribute.groups)
        warnings.append(
            f"{table.path.name}, column {source!r}: what {shown} mean is not written, so {name} is compared as {shown} "
            f'(say it, as in --codes "{name}:{attribute.groups[0]}={usual.groups[0]},{attribute.groups[-1]}={usual.groups[-1]}").'
        )
        return values, attribute
    reference = spec.reference or usual.reference
    if reference not in usual.groups:
        raise TableError(
            "{option} {name}: {reference!r} is no group; allowed are {groups}.",
            spec.option,
            name,
            reference,
            usual.groups,
        )
    return values, Attribute(name, usual.label, usual.groups, reference, usual.of_patient)
