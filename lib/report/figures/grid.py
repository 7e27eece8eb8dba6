"""Every combination as a table of shades."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from lib.names import weighting_label
from lib.report import words
from lib.report.figures.changes import DECIDED, method_row
from lib.report.figures.combinations import accuracy_finding, combinations, combinations_finding
from lib.report.figures.marks import (
    BASELINE,
    METHOD,
    Chart,
    attribute_label,
    caption,
    framed,
    in_lines,
    judged_on,
    key,
    label_width,
    over,
    row_axis,
    under_headings,
    wrapped,
)
from lib.report.focus import aimed, focus, foremost, foremost_weightings, of_them
from lib.report.theme import CELLS, MEASURES, VERDICTS, Measure, Size, verdict_look
from lib.report.words import outcome_words
from lib.results import Results

OUTLINE = "#e39d1c"
COLUMNS = 4
"""Weightings beside the uniform one for which a slide has room, in numbers that can be read."""
LEAST = 0.1
"""Reach of the shades: differences smaller than this never look large."""


def grid(
    results: Results,
    metric: str = "tpr",
    attribute: str | None = None,
    *,
    shown: Sequence[str] = ("gap", "balanced"),
    size: Size = "page",
) -> Chart:
    """The gap and the balanced accuracy of every combination, as tables of shades; darker is worse.

    Of the post-processings that act on no attribute or on this one. `shown` may name one of the two tables.
    """
    measure, attribute = MEASURES[size], attribute or focus(results)
    frame = combinations(results, metric, attribute)
    finding = combinations_finding(frame, metric, attribute) if "gap" in shown else accuracy_finding(frame)
    everything = frame.filter(aimed(attribute))
    frame = everything
    if size == "slide":
        frame = foremost_weightings(foremost(everything, results, attribute), results, attribute, COLUMNS)
    cells = frame.to_dicts()
    rows = under_headings(method_row(row) for row in cells)
    columns = list(dict.fromkeys(row["weighting"] for row in cells))
    across = measure.width - label_width(rows, measure)
    side_by_side = size == "slide"
    width = (across - 30) / 2 if side_by_side else across
    headings = {"gap": (f"{outcome_words(attribute, metric)}, points", 1), "balanced": ("balanced accuracy, %", -1)}
    panels = [
        _shades(cells, rows, columns, measure, width, what, *headings[what], labelled=k == 0 or not side_by_side)
        for k, what in enumerate(shown)
    ]
    marks = [(words_of, VERDICTS[words_of]) for words_of in DECIDED]
    found = {row[f"{what}_verdict"] for row in cells for what in shown}
    marks = [(f"{word}, beyond noise", look) for word, look in marks if word in found]
    return framed(
        over(
            in_lines(panels, 2 if side_by_side else 1, 30 if side_by_side else 50),
            key(marks, measure, width=across) if marks else None,
        ),
        title=finding,
        subtitle=[
            f"{of_them(frame, everything, 'weighting') or 'Weightings'} (columns) with {of_them(frame, everything) or f'the post-processings that act on {attribute_label(attribute)} or on none'} (rows) · "
            f"{judged_on(results)}",
            "Darker is worse. Outlined: the untouched baseline. "
            + ("" if marks else "No change shown is beyond noise."),
        ],
        description=f"{'Two tables' if len(shown) > 1 else 'A table'} of shades: "
        f"{words.listed([headings[what][0] for what in shown])}, of every weighting with every post-processing. {finding}. "
        f"{_grid_listed(frame, shown)}",
        size=size,
    )


def _shades(
    cells: list[dict[str, Any]],
    rows: list[str],
    columns: list[str],
    measure: Measure,
    width: float,
    what: str,
    heading: str,
    worse: int,
    *,
    labelled: bool,
) -> alt.LayerChart:
    shown = _shaded(cells, what, worse)
    each = width / len(columns)
    names = [weighting_label(name) for name in columns]
    # narrow columns have smaller heads, so that the longest word of a weighting fits
    head = min(measure.small, each / 5)
    split = {
        name: wrapped(name.replace("(baseline)", ""), measure.characters(0.9 * each, head), hyphens=True)
        for name in names
    }
    # an axis label of several lines is an expression that gives a list
    choice = " : ".join(f"datum.label == {name!r} ? {lines!r}" for name, lines in split.items()) + " : datum.label"
    lines = alt.Axis(
        title=None,
        labelExpr=choice,
        labelAngle=0,
        grid=False,
        orient="bottom",
        labelLineHeight=head * 1.15,
        labelFontSize=head,
    )
    x = alt.X("column:N", sort=None, scale=alt.Scale(domain=names, paddingInner=0.03, paddingOuter=0), axis=lines)
    y = alt.Y(
        "row:N",
        sort=None,
        scale=alt.Scale(domain=rows, paddingInner=0.06, paddingOuter=0),
        axis=row_axis(rows, measure, labelled),
    )
    base = alt.Chart(pl.DataFrame(shown)).encode(x=x, y=y)
    layers = [
        base.mark_rect(aria=True).encode(fill=alt.Fill("fill:N", scale=None), description="tip:N"),
        base.transform_filter("datum.baseline").mark_rect(fillOpacity=0, stroke=OUTLINE, strokeWidth=3.5),
        base.mark_text().encode(text=alt.Text("text:N"), color=alt.Color("ink:N", scale=None)),
        base.transform_filter("datum.shape != ''")
        .mark_point(xOffset=-min(34, each / 2 - 8), size=measure.dot * 0.8, filled=True)
        .encode(fill=alt.Fill("ink:N", scale=None), shape=alt.Shape("shape:N", scale=None)),
        caption(heading, 0, "left", measure=measure),
    ]
    return alt.layer(*layers, width=width, height=(measure.row + 2) * len(rows))


def _shaded(cells: list[dict[str, Any]], what: str, worse: int) -> list[dict[str, Any]]:
    known = [row[what] for row in cells if row[what] is not None] or [0.0]
    low, reach = min(known), max(LEAST, max(known) - min(known))
    start = low if worse > 0 else max(known) - reach
    shown = []
    for row in cells:
        value, verdict = row[what], row[f"{what}_verdict"]
        place = 0.0 if value is None else (value - start) / reach
        step = round((place if worse > 0 else 1 - place) * (len(CELLS) - 1))
        fill, ink = CELLS[step] if value is not None else ("#e4e4e4", "#555555")
        shown.append(
            {
                "row": method_row(row),
                "column": weighting_label(row["weighting"]),
                "fill": fill,
                "ink": ink,
                "text": "n. e." if value is None else f"{100 * value:.1f}",
                "tip": f"{weighting_label(row['weighting'])}, {method_row(row).strip('|').replace('|', ', ')}: "
                f"{words.percent(value)}, {verdict or 'baseline'}",
                "shape": verdict_look(verdict).shape if verdict in DECIDED else "",
                "baseline": all(row[name] == BASELINE[name] for name in METHOD),
            }
        )
    return shown


def _grid_listed(frame: pl.DataFrame, shown: Sequence[str]) -> str:
    parts = []
    names = {"gap": "Gap", "balanced": "Balanced accuracy"}
    for what, name in ((what, names[what]) for what in shown):
        known = frame.drop_nulls(what)
        if known.height:
            baseline = known.filter(**BASELINE)
            start = f", {words.percent(baseline[what].item())} at the baseline" if baseline.height else ""
            parts.append(
                f"{name} from {words.percent(known[what].min())} to {words.percent(known[what].max())}{start}."
            )
    return " ".join(parts)
