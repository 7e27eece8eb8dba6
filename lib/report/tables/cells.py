"""Cells as text, and the table that they stand in."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl
from great_tables import GT

from lib.names import NOT_ESTIMABLE
from lib.report import words
from lib.report.words.language import Language

Form = Callable[[float | None], str]
NO_BREAK = "\N{NO-BREAK SPACE}"


def table(
    rows: Sequence[Mapping[str, str]],
    labels: Mapping[str, str],
    *,
    stub: str | None = None,
    heading: str | None = None,
    right: Sequence[str] = (),
) -> GT:
    """Text cells under `labels`, the row names in `stub`, rows gathered under `heading`, numbers to the right."""
    columns = [column for column in (heading, stub, *labels) if column]
    frame = pl.DataFrame(
        [[row.get(column, NOT_ESTIMABLE) for column in columns] for row in rows],
        schema={column: pl.String for column in columns},
        orient="row",
    )
    gt = GT(frame, rowname_col=stub, groupname_col=heading).cols_label(dict(labels))
    left = [column for column in labels if column not in right]
    gt = gt.cols_align("right", list(right)) if right else gt
    gt = gt.cols_align("left", left) if left else gt
    return gt if rows else gt.tab_source_note("Nothing to list.")


def table_of(
    rows: Sequence[Mapping[str, str]],
    labels: Mapping[str, str],
    language: Language,
    *,
    stub: str | None = None,
    heading: str | None = None,
    right: Sequence[str] = (),
) -> GT:
    """Text cells under `labels`, the row names in `stub`, rows gathered under `heading`, numbers to the `right`.

    A cell that a row lacks is `not estimable`.
    """
    columns = [column for column in (heading, stub, *labels) if column]
    missing = language.phrase("not_estimable")
    frame = pl.DataFrame(
        [[str(row.get(column, missing)) for column in columns] for row in rows],
        schema={column: pl.String for column in columns},
        orient="row",
    )
    gt = GT(frame, rowname_col=stub, groupname_col=heading).cols_label({key: str(text) for key, text in labels.items()})
    left = [column for column in labels if column not in right]
    gt = gt.cols_align("right", list(right)) if right else gt
    gt = gt.cols_align("left", left) if left else gt
    return gt if rows else gt.tab_source_note(language.phrase("nothing_to_list"))


def share(value: float | None) -> str:
    """`66.8`, where the heading says %."""
    return NOT_ESTIMABLE if value is None else words.number(100 * value, 1)


def bounded(
    value: float | None, low: float | None, high: float | None, form: Form, *, missing: str = NOT_ESTIMABLE
) -> str:
    """`66.8 (63.1 to 70.2)`; a narrow column may break it before the bounds, not within them."""
    if value is None:
        return missing
    bounds = "" if low is None or high is None else f" ({form(low)} to {form(high)})".replace(" ", NO_BREAK)
    return form(value) + bounds.replace(NO_BREAK, " ", 1)


def number_or_unknown(value: int | None) -> str:
    """A count, or `unknown`."""
    return "unknown" if value is None else words.count(value)
