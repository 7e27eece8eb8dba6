"""The attributes that most tables have, sex, age group and view: read in the words and codes in which they are written."""

from collections.abc import Mapping, Sequence

import polars as pl

from lib.names import DEFAULTS, Attribute
from lib.tabular.attributes import AttributeSpec, grouped
from lib.tabular.columns import AGE, SEX, VIEW, Columns, missing
from lib.tabular.content import TableError
from lib.tabular.table import Table
from lib.tabular.values import OLDEST, SEXES, VIEWS, age_groups, bare, coded, sexes, views, years

USUAL = (AttributeSpec("sex"), AttributeSpec("age_group"), AttributeSpec("view"))
SOURCES = {"sex": SEX, "age_group": AGE, "view": VIEW}
AGE_CUTS = (40.0, 60.0)
Codes = Mapping[str, Mapping[str, str]]
"""What codes mean, by attribute: `{"sex": {"0": "M", "1": "F"}}`."""


def usual_checked(rows: pl.DataFrame, codes: Codes, checks: list[tuple[str, int, str]]) -> pl.DataFrame:
    """Sex, age group and view, checked and counted; what codes mean applied first."""
    for name, words in (("sex", SEXES), ("view", VIEWS)):
        if name in codes:
            rows = rows.with_columns(_decoded(rows[name], rows[f"raw_{name}"], codes[name], words).alias(name))
    clean = rows.with_columns(age=_believed(rows["age"]).cast(pl.Int64))
    outside = rows["age"].is_not_null().sum() - clean["age"].is_not_null().sum()
    checks += [
        (f"ages outside 0 to {OLDEST} years", outside, "set to unknown, image kept"),
        ("ages that are not a number", rows["age"].null_count(), "set to unknown, image kept"),
        ("sexes other than F and M", clean["sex"].null_count(), "set to unknown, image kept"),
        ("views other than AP and PA", clean["view"].null_count(), "set to unknown, image kept"),
    ]
    return clean.with_columns(age_groups(clean["age"]))


def _decoded(values: pl.Series, written: pl.Series, codes: Mapping[str, str], words: Mapping[str, str]) -> pl.Series:
    """The values, and where there is none what the code that is written means, in the words of the attribute."""
    meaning = {code: words.get(bare(word)) for code, word in codes.items()}
    return values.zip_with(values.is_not_null(), written.replace_strict(meaning, default=None, return_dtype=pl.String))


def attributes_wanted(
    table: Table, columns: Columns, attributes: Sequence[AttributeSpec] | None
) -> list[AttributeSpec]:
    """Those that are asked for, else those of the usual ones that the table has. Raises `TableError` for one asked for twice."""
    if attributes is not None:
        keys = [spec.key for spec in attributes]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise TableError("--attribute names {name!r} twice; each attribute has a name of its own.", twice[0])
        return list(attributes)
    return [spec for spec in USUAL if columns.find(table, SOURCES[spec.name])]


def usual_attribute(
    spec: AttributeSpec, table: Table, rows: pl.DataFrame, columns: Columns, warnings: list[str] | None, codes: Codes
) -> tuple[pl.Series | None, Attribute | None]:
    """The attribute where it is one of the usual three, read by their rules; (None, None) where it is another."""
    name = {"age": "age_group"}.get(spec.name, spec.name)
    if name not in SOURCES or spec.cuts not in ((), AGE_CUTS):
        return None, None
    if spec.column:
        columns = Columns({**columns.given, SOURCES[name]: spec.column}, columns.like)
    source = columns.find(table, SOURCES[name])
    if source is None:
        raise TableError(missing(table, "attribute", spec.column or name))
    usual = DEFAULTS[name]
    reference = spec.reference or usual.reference
    if name == "age_group":
        found = age_groups(_believed(years(table.frame[source])))
    else:
        read, words = {"sex": (sexes, SEXES), "view": (views, VIEWS)}[name]
        found = read(table.frame[source])
        if name in codes:
            found = _decoded(found, coded(table.frame[source]), codes[name], words)
    written = coded(table.frame[source]).drop_nulls()
    unread = found.null_count() == len(found) and 1 < written.n_unique() <= 8 and name != "age_group"
    if unread and warnings is not None:  # in a cohort they are unknown, and counted
        values, attribute, _ = grouped(
            spec, coded(table.frame[source]), rows["patient"], f"{table.path}, column {source!r},"
        )
        shown = " and ".join(attribute.groups)
        warnings.append(
            f"{table.path.name}, column {source!r}: what {shown} mean is not written, so {name} is compared as {shown} "
            f'(say it, as in --codes "{name}:{attribute.groups[0]}={usual.groups[0]},{attribute.groups[-1]}={usual.groups[-1]}").'
        )
        return values, attribute
    if reference not in usual.groups:
        raise TableError(
            "--attribute {name}: {reference!r} is no group; allowed are {groups}.",
            name,
            reference,
            ", ".join(usual.groups),
        )
    return found.alias(name), Attribute(name, usual.label, usual.groups, reference, usual.of_patient)


def _believed(age: pl.Series) -> pl.Series:
    """Whole years, null where nobody is so old."""
    return (age + 1e-9).floor().set(~age.is_between(0, OLDEST).fill_null(False), None)
