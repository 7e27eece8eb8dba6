"""Balanced accuracy against the gap, for every combination."""

from typing import Any

import altair as alt
import polars as pl

from lib.report import words
from lib.report.figures.combinations import combinations, combinations_finding
from lib.report.figures.marks import (
    BASELINE,
    GAP,
    METHOD,
    PERCENT,
    Chart,
    bars_are,
    framed,
    judged_on,
    nothing,
    span,
    wrapped,
)
from lib.report.focus import focus
from lib.report.theme import FAINT, GREY, INK, MEASURES, VERDICTS, Measure, Size
from lib.report.words import method_words, outcome_words
from lib.results import Results

KEPT = 8
"""Combinations that have a name in the plot; the others are drawn without one."""


def tradeoff(results: Results, metric: str = "tpr", attribute: str | None = None, *, size: Size = "page") -> Chart:
    """Balanced accuracy against the gap for every combination, the best of both named, the upper left corner the better."""
    measure, attribute = MEASURES[size], attribute or focus(results)
    frame = combinations(results, metric, attribute).drop_nulls(["gap", "balanced"])
    gap = outcome_words(attribute, metric)
    if frame.is_empty():
        return nothing(f"the {gap} is not estimable", size=size)
    points = _named(frame.to_dicts())
    plot_width = measure.width * 0.56
    bounds = [
        span(
            [row[f"{what}{end}"] for row in points for end in ("", "_low", "_high") if row["letter"] or not end],
            step=0.02,
            least=0.06,
        )
        for what in ("gap", "balanced")
    ]
    finding = combinations_finding(frame, metric, attribute)
    return framed(
        alt.hconcat(
            _scatter(points, bounds, measure, plot_width, gap),
            _names(points, measure, measure.width - plot_width - 110),
            spacing=24,
        ),
        title=finding,
        subtitle=[
            f"Every weighting with every post-processing · {judged_on(results)}",
            f"{bars_are(results)}, of the named: the baseline, and what no other beats in both by point estimate.",
        ],
        description=f"Scatter of balanced accuracy against the {gap}, with intervals. {finding}. {_points_listed(points)}",
        size=size,
    )


def _named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with `letter` (empty for the rest), `baseline` and `front`: not beaten in both figures by any other."""

    def beaten(row: dict[str, Any]) -> bool:
        return any(
            other["gap"] <= row["gap"]
            and other["balanced"] >= row["balanced"]
            and (other["gap"], other["balanced"]) != (row["gap"], row["balanced"])
            for other in rows
        )

    marked = []
    for row in rows:
        baseline = all(row[name] == BASELINE[name] for name in METHOD)
        marked.append(row | {"baseline": baseline, "front": not beaten(row), "letter": ""})
    front = sorted((row for row in marked if row["front"] and not row["baseline"]), key=lambda row: row["gap"])
    chosen = [row for row in marked if row["baseline"]] + front[: KEPT - 1]
    for letter, row in zip("ABCDEFGHIJ", chosen, strict=False):
        row["letter"] = letter
        row["colour"] = GREY if row["baseline"] else VERDICTS["improves"].colour
        row["shape"] = "diamond" if row["baseline"] else "circle"
    return [row for row in marked if not row["letter"]] + chosen


def _scatter(
    points: list[dict[str, Any]], bounds: list[Any], measure: Measure, width: float, gap: str
) -> alt.LayerChart:
    # hundreds of intervals would hide each other: those of the named are drawn, the others are told by their dots
    told = [
        {
            "tip": f"{method_words(row)}: gap {words.percent(row['gap'])}, balanced accuracy {words.percent(row['balanced'])}"
        }
        for row in points
    ]
    drawn = pl.DataFrame(
        [{"colour": GREY, "shape": "circle"} | row | tip for row, tip in zip(points, told, strict=True)],
        infer_schema_length=None,
    )
    x = {"scale": alt.Scale(domain=list(bounds[0]), nice=False), "title": f"{gap}, points"}
    y = {"scale": alt.Scale(domain=list(bounds[1]), nice=False, zero=False), "title": "balanced accuracy"}
    base = alt.Chart(drawn).encode(
        alt.X("gap:Q", axis=alt.Axis(tickCount=5, **GAP), **x),
        alt.Y("balanced:Q", axis=alt.Axis(tickCount=5, grid=True, **PERCENT), **y),
        color=alt.Color("colour:N", scale=None),
    )
    named = base.transform_filter("datum.letter != ''")
    corner = alt.Chart(pl.DataFrame({"x": [0]})).mark_text(
        align="left", baseline="top", text="better: up and left", fontStyle="italic", opacity=FAINT
    )
    layers = [
        base.transform_filter("datum.letter == ''")
        .mark_point(size=measure.dot * 0.4, opacity=0.4, fill=GREY, strokeWidth=0, aria=True)
        .encode(description="tip:N"),
        named.mark_rule(strokeWidth=1.6, opacity=0.75).encode(alt.X("gap_low:Q", **x), x2=alt.X2("gap_high:Q")),
        named.mark_rule(strokeWidth=1.6, opacity=0.75).encode(
            alt.Y("balanced_low:Q", **y), y2=alt.Y2("balanced_high:Q")
        ),
        named.mark_point(size=measure.dot * 1.3).encode(
            fill=alt.Fill("colour:N", scale=None), shape=alt.Shape("shape:N", scale=None)
        ),
        named.mark_text(dx=11, dy=-11, fontWeight=600, color=INK).encode(
            text=alt.Text("letter:N"), color=alt.ColorValue(INK)
        ),
        corner.encode(x=alt.XValue(6), y=alt.YValue(6)),
    ]
    return alt.layer(*layers, width=width, height=330)


def _names(points: list[dict[str, Any]], measure: Measure, width: float) -> alt.Chart:
    """The letters of the plot in words."""
    lines: list[dict[str, Any]] = []
    for row in points:
        if row["letter"]:
            parts = wrapped(f"{row['letter']}  {method_words(row)}", measure.characters(width, measure.small))
            lines += [{"text": part, "y": (len(lines) + k) * measure.small * 1.3} for k, part in enumerate(parts)]
            lines.append({"text": "", "y": len(lines) * measure.small * 1.3})
    chart = alt.Chart(pl.DataFrame(lines)).mark_text(align="left", baseline="top")
    return chart.encode(x=alt.XValue(0), y=alt.Y("y:Q", scale=None, axis=None), text=alt.Text("text:N")).properties(
        width=width, height=330
    )


def _points_listed(points: list[dict[str, Any]]) -> str:
    return " ".join(
        f"{row['letter']}, {method_words(row)}: gap {words.percent(row['gap'])}, balanced accuracy {words.percent(row['balanced'])}."
        for row in points
        if row["letter"]
    )
