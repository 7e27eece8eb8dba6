"""The attributes of a table: sex, age group and view in the words and codes in which they are written; any other column grouped
by its values, or by cut points where it holds numbers."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lib.messages import message
from lib.names import CROSSED, DEFAULTS, MOST_ATTRIBUTES, Attribute
from lib.tabular.columns import AGE, SEX, VIEW, Columns, named, no_column
from lib.tabular.content import TableError
from lib.tabular.escape import plain_name
from lib.tabular.table import Table
from lib.tabular.values import (
    AGE_CUTS,
    OLDEST,
    SEXES,
    VIEWS,
    age_groups,
    coded,
    cut_at,
    numbers,
    simplified,
    text,
    translated,
    years,
)

SOURCES = {"sex": SEX, "age_group": AGE, "view": VIEW}
"""The column of each usual attribute."""
Codes = Mapping[str, Mapping[str, str]]
"""What codes mean, by attribute: `{"sex": {"0": "M", "1": "F"}}`."""
MOST_GROUPS = 8
"""Groups of an attribute; the rarest are joined beyond."""
OTHER = "other"
CONSTANT = 0.9
"""Share of the patients with several images who have one group throughout, from which on the attribute is of the patient."""
RESERVED = set(
    ["age", "image", "patient", "label", "score", "split", "findings", "weight", "path", "digest", "overall", "all"]
)
"""Names that mean something else in the tables."""


@dataclass(frozen=True)
class AttributeSpec:
    """`name` of an attribute; its `column` (None: the one of that name), `cuts` for numbers, the stated `reference`; the
    `option` or place in a file that names it, for errors."""

    name: str
    column: str | None = None
    cuts: tuple[float, ...] = ()
    reference: str | None = None
    option: str = field(default="--attribute", compare=False)

    @property
    def key(self) -> str:
        """The name in tables: letters, digits and _ only, and none that means something else there."""
        key = re.sub(r"\W+", "_", plain_name(self.name).replace(CROSSED, " ")).strip("_").lower() or "attribute"
        return f"{key}_group" if key in RESERVED else key

    @property
    def label(self) -> str:
        """The name in sentences."""
        return self.key.replace("_", " ")


USUAL = tuple(map(AttributeSpec, SOURCES))


def parse_attribute(written: str, option: str = "--attribute") -> AttributeSpec:
    """`race`, `race:Race`, `age:Patient Age:40,60` or `race:Race=White`, whose last part is the reference group.

    `option` is the place where it stands. Raises `TableError` for a name that is empty or cut points that are no rising numbers.
    """
    rest, _, reference = written.partition("=")
    name, _, more = rest.partition(":")
    column, _, last = more.rpartition(":")
    cuts: tuple[float, ...] = ()
    if column or not more:
        try:
            cuts = tuple(float(cut) for cut in last.split(",") if cut.strip())
        except ValueError:
            column = more  # a column's name with a colon in it
    else:
        column = last
    if not name.strip() or list(cuts) != sorted(set(cuts)) or not all(map(math.isfinite, cuts)):
        raise TableError(
            "{option} {written!r}: allowed are NAME, NAME:COLUMN, NAME:COLUMN:40,60 with rising cut points, each "
            "with =GROUP after it to state the reference.",
            option,
            written,
        )
    return AttributeSpec(name.strip(), column.strip() or None, cuts, reference.strip() or None, option)


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


def grouped(
    spec: AttributeSpec, column: pl.Series, patients: pl.Series, where: str, notes: list[str]
) -> tuple[pl.Series, Attribute]:
    """The group of each row, and what the attribute is; `notes` gets what is worth telling.

    `where` names file and column in errors. Groups are in rising order of numbers, else in that of the alphabet; the
    reference is the stated one, else the largest. Raises `TableError`.
    """
    groups = _cut(column, spec, where) if spec.cuts else _by_value(column, spec, where, notes)
    counts = Counter(groups.drop_nulls())
    if not counts:
        raise TableError("{where} has no value: nobody can be grouped by it.", where)
    if len(counts) == 1:
        raise TableError(
            "{where} puts everyone into one group, {group!r}: there is nothing to compare.", where, next(iter(counts))
        )
    order = _labels(spec.cuts, column) if spec.cuts else sorted(counts, key=_rank)
    order = [group for group in order if group in counts]
    reference = max(order, key=lambda group: counts[group])
    if spec.reference is not None:
        stated = simplified(plain_name(spec.reference))
        reference = next((group for group in order if simplified(group) == stated), None)
    if reference is None:
        raise TableError(
            "{where} has no group {group!r} to be the reference; it has {groups}.", where, spec.reference, order
        )
    return groups, Attribute(spec.key, spec.label, tuple(order), reference, of_patients(groups, patients))


def of_patients(groups: pl.Series, patients: pl.Series) -> bool:
    """Whether the groups are of patients rather than of images: as a rule one for all images of a patient."""
    rows = pl.DataFrame({"group": groups, "patient": patients}).drop_nulls()
    several = (
        rows.group_by("patient").agg(images=pl.len(), groups=pl.col("group").n_unique()).filter(pl.col("images") > 1)
    )
    return several.is_empty() or (several["groups"] == 1).mean() >= CONSTANT


def _by_value(column: pl.Series, spec: AttributeSpec, where: str, notes: list[str]) -> pl.Series:
    written = text(column)
    distinct = written.drop_nulls().n_unique()
    values = numbers(column)
    if distinct > MOST_GROUPS and values.null_count() == written.null_count():
        low, high = values.quantile(1 / 3, "nearest"), values.quantile(2 / 3, "nearest")
        raise TableError(
            '{where} holds {distinct:,} different numbers: give cut points ({option}), as in "{name}:{column}:{low:g},{high:g}".',
            where,
            distinct,
            spec.option,
            spec.name,
            column.name,
            low,
            high,
        )
    if distinct > max(50, len(column) // 4):
        raise TableError(
            "{where} holds {distinct:,} different values in {rows:,} rows: it does not group anyone.",
            where,
            distinct,
            len(column),
        )
    counts = Counter(written.drop_nulls().to_list())
    # of several writings, the most frequent
    best = {simplified(value): value for value, _ in reversed(counts.most_common())}
    shown = {value: plain_name(best[simplified(value)]).replace(" - ", " \N{EN DASH} ") for value in counts}
    groups = written.replace_strict(shown, default=None, return_dtype=pl.String)
    sizes = Counter(groups.drop_nulls())
    if len(sizes) > MOST_GROUPS:
        rare = {group: OTHER for group, _ in sizes.most_common()[MOST_GROUPS - 1 :]}
        notes.append(f"{spec.label}: the {len(rare)} rarest of {len(sizes)} values are joined as {OTHER!r}.")
        groups = groups.replace(rare)
    return groups


def _cut(column: pl.Series, spec: AttributeSpec, where: str) -> pl.Series:
    values = years(column) if spec.key.startswith("age") and column.dtype == pl.String else numbers(column)
    if values.null_count() == len(values):
        raise TableError("{where} holds no number to cut at {cuts}.", where, ", ".join(f"{cut:g}" for cut in spec.cuts))
    return cut_at(values, spec.cuts, _labels(spec.cuts, column))


def _labels(cuts: tuple[float, ...], column: pl.Series) -> list[str]:
    """`<40`, `40-60` (both included), `>60`; before the last of several middle groups the upper end is not included."""
    shown = [f"{cut:g}" for cut in cuts]
    if len(cuts) == 1:
        return [f"<{shown[0]}", f"{shown[0]}+"]
    middle = [f"{a}-{b:g}" for a, b in zip(shown, cuts[1:], strict=False)]
    values = numbers(column).drop_nulls()
    whole = (values == values.floor()).all()
    for k in range(len(middle) - 1):
        middle[k] = f"{shown[k]}-{cuts[k + 1] - 1:g}" if whole else f"{shown[k]} to <{shown[k + 1]}"
    return [f"<{shown[0]}", *middle, f">{shown[-1]}"]


def _rank(group: str) -> tuple[int, float, str]:
    number = re.match(r"[<>]?\s*(-?\d+(?:\.\d+)?)", group)
    if group == OTHER:
        return 2, 0, group
    return (0, float(number[1]) + 0.5 * (group[0] == ">") - 0.5 * (group[0] == "<"), group) if number else (1, 0, group)
