"""Any attribute: a column grouped by its values, or by cut points where it holds numbers; order and reference stated."""

import math
import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from lib.names import CROSSED, Attribute
from lib.tabular.content import TableError
from lib.tabular.escape import plain_name
from lib.tabular.values import cut_at, numbers, simplified, text, years

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
