"""Cells as text, and the table that they stand in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from great_tables import GT

from lib.report.registry import Gather, Material, table
from lib.report.words.language import Language
from lib.report.words.templates import has

WIDEST, LINE = 44, 100
"""Characters from which a cell takes a second line, and those of a whole line on paper."""


def listing(material: Material, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], **look: Any) -> GT:
    """A row for each mapping of facts: its cells are told by the blocks that have the names of the columns.

    Heads are told by the block `head` (`name` is the column), or by `<column>_head`.
    `look`: `stub`, `heading` and `right`, as `table_of` has them.
    """
    told = [name for name in (look.get("heading"), look.get("stub"), *columns) if name]
    cells = [{name: material(name, **row) for name in told} for row in rows]
    return table_of(cells, heads(material, columns), material.language, **look)


def listed(name: str, gather: Gather, rows: str, own: str, columns: Sequence[str], **look: Any) -> None:
    """Register a table with a row for each of its facts `rows`, of which each is told the blocks as `own`; the rest as `listing` has it."""

    def draw(material: Material) -> GT:
        lines = material[rows]
        lines = lines.values() if isinstance(lines, Mapping) else lines
        return listing(material, [{own: line} for line in lines], columns, **look)

    draw.__name__ = name
    table(gather)(draw)


def heads(material: Material, columns: Sequence[str]) -> dict[str, str]:
    """The heads of columns, by name."""
    if has(material.language, material.kind.template, "head"):
        return {name: material("head", name=name) for name in columns}
    return {name: material(f"{name}_head") for name in columns}


def table_of(
    rows: Sequence[Mapping[str, str]],
    labels: Mapping[str, str],
    language: Language,
    *,
    stub: str | None = None,
    heading: str | None = None,
    right: Sequence[str] | None = None,
) -> GT:
    """Text cells under `labels`, the row names in `stub`, rows gathered under `heading`, numbers to the `right` (by default all cells).

    A cell that a row lacks is `not estimable`; a column in which every cell is empty is left out.
    """
    labels = {name: text for name, text in labels.items() if not rows or any(row.get(name) != "" for row in rows)}
    columns = [column for column in (heading, stub, *labels) if column]
    right = [name for name in labels if right is None or name in right]
    missing = language.phrase("not_estimable")
    cells = [[str(row.get(column, missing)) for column in columns] for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row")
    gt = GT(frame, rowname_col=stub, groupname_col=heading).cols_label({key: str(text) for key, text in labels.items()})
    shown = [column for column in columns if column != heading]
    if rows:  # paper gives all columns the same width otherwise
        gt = gt.cols_width(_widths({column: [str(labels.get(column, "")), *frame[column]] for column in shown}))
    for side, aligned in (("right", right), ("left", [name for name in labels if name not in right])):
        gt = gt.cols_align(side, aligned) if aligned else gt
    return gt if rows else gt.tab_source_note(language.phrase("nothing_to_list"))


def _widths(cells: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Shares of the width by column: its longest word has room, and what is left goes to those with long cells."""
    words = {column: " ".join(texts).split(" ") for column, texts in cells.items()}
    least = {column: 2 + max(map(len, own)) for column, own in words.items()}
    wanted = {column: min(WIDEST, max(map(len, texts[1:]))) for column, texts in cells.items()}  # the first is the head
    missing = {column: max(0, wanted[column] - least[column]) for column in cells}
    share = min(1.0, max(0, LINE - sum(least.values())) / max(1, sum(missing.values())))
    needs = {column: least[column] + share * missing[column] for column in cells}
    return {column: f"{100 * need / sum(needs.values()):.1f}%" for column, need in needs.items()}
