"""The pieces that figures are made of: rows under headings, dots with intervals, notes, and the frame around them.

Every piece takes its colours from `theme` and its places from the arguments; nothing here knows a finding.
"""

import json
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from lib.report.theme import FAINT, GREY, MEASURES, Look, Measure, Size, config
from lib.report.words.language import NO_BREAK, Language
from lib.report.words.templates import one_line

Chart = alt.TopLevelMixin
SCHEMA = (
    {"row": pl.String}
    | {name: pl.Float64 for name in ("value", "low", "high", "thick", "shift")}
    | {name: pl.String for name in ("colour", "fill", "shape", "aside", "missing", "tip")}
)
# a row is "heading|item"; a heading alone is "heading|"
LABELS = "split(datum.label, '|')[1] || split(datum.label, '|')[0]"
IS_HEADING = "split(datum.label, '|')[1] == ''"
PERCENT = {"labelExpr": "format(100 * datum.value, 'd') + '\u00a0%'"}
POINTS = {"labelExpr": "(datum.value == 0 ? '0' : format(100 * datum.value, '+.3~r'))"}
GAP = {"labelExpr": "format(100 * datum.value, 'd')"}
AUC = {"format": ".2f"}
AUC_CHANGE = {"labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+.2~f')"}


def _told(axis: Mapping[str, Any] | None, own: Language) -> tuple[Callable[[float], str], str]:
    """How a value is told where the axis is one of those above, and its unit."""
    points = f"{NO_BREAK}{own.phrase('points')}"
    known: list[tuple[Mapping[str, str], Callable[[float], str], str]] = [
        (PERCENT, own.percent, ""),
        (POINTS, own.points, points),
        (GAP, lambda value: own.points(value, signed=False), points),
        (AUC_CHANGE, lambda value: own.number(value, 3, signed=True), ""),
    ]
    return next(((say, unit) for mine, say, unit in known if mine == axis), (lambda value: own.number(value, 3), ""))


def dot(
    row: str, value: float | None, low: float | None, high: float | None, look: Look, **more: str
) -> dict[str, Any]:
    """A mark on a row. More: `aside`, a note at the right; `missing`, what a row without value says in its place (by default that it is not estimable)."""
    filling = "transparent" if look.hollow else look.colour
    drawn = {"row": row, "value": value, "low": low, "high": high, "colour": look.colour, "fill": filling}
    return (
        drawn
        | {
            "shape": look.shape,
            "thick": 2.0,
            "shift": 0.0,
            "aside": "",
            "missing": None,
        }
        | more
    )


def under_headings(rows: Iterable[str]) -> list[str]:
    """Rows in the order given, each first one of a heading after the heading itself; `|item` has none."""
    ordered: list[str] = []
    for row in dict.fromkeys(rows):
        heading = row.split("|")[0]
        if heading and f"{heading}|" not in ordered:
            ordered.append(f"{heading}|")
        ordered.append(row)
    return ordered


def label_width(rows: Iterable[str], measure: Measure) -> float:
    """Pixels that the longest row label takes."""
    longest = max((len(line) for row in rows for line in _label(row, measure)), default=0)
    return longest * 0.54 * measure.small + 10


WRAP = 36
"""Characters from which a row's label takes two lines on a page, where methods have long names."""


def roomy(measure: Measure, labels: Iterable[str]) -> Measure:
    """The measure with rows for labels of two lines (on slides three), where labels are long."""
    if measure.wrap:
        return replace(measure, tallest=74)
    return replace(measure, row=34, wrap=WRAP) if max(map(len, labels)) > WRAP else measure


def _label(row: str, measure: Measure) -> list[str]:
    """The label of a row, in lines where the rows are tall enough for two."""
    label = row.strip("|").split("|")[-1]
    return wrapped(label, measure.wrap) if measure.wrap else [label]


def span(values: Iterable[float | None], *, step: float, least: float = 0.0) -> tuple[float, float]:
    """Bounds of an axis that hold every value, at multiples of `step`, at least `least` apart."""
    known = [value for value in values if value is not None] or [0.0]
    low, high = min(known), max(known)
    missing = max(0.0, least - (high - low)) / 2
    return _down((low - missing) / step) * step, -_down(-(high + missing) / step) * step


def dot_panel(
    dots: Sequence[Mapping[str, Any]],
    rows: Sequence[str],
    *,
    measure: Measure,
    width: float,
    domain: tuple[float, float],
    heading: str | Sequence[str] = "",
    axis: Mapping[str, Any] | None = None,
    labelled: bool = True,
    at: float | None = None,
    band: float | None = None,
    asides: str = "",
    aside: float | None = None,
    ticks: int = 4,
    own: Language,
) -> alt.LayerChart:
    """Dots with intervals on `rows`; `at` draws a rule across all, `band` a shade as far to both sides of 0, `asides`
    heads the notes at the right, `own` is the language of what a mark says under a pointer."""
    missing = own.phrase("not_estimable")
    told = [
        {**mark, "tip": tip(mark, heading, axis, own), "missing": _or(mark["missing"], missing, mark["value"])}
        for mark in dots
    ]
    frame = pl.DataFrame(told, schema=SCHEMA) if dots else pl.DataFrame(schema=SCHEMA)
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    x = {"scale": scale, "axis": alt.Axis(tickCount=ticks, **({"title": None} | dict(axis or {})))}
    y = alt.Y("row:N", sort=None, scale=alt.Scale(domain=list(rows)), axis=row_axis(rows, measure, labelled))
    base = alt.Chart(frame).encode(y=y)
    if any(row["shift"] for row in dots):
        # an offset counts from the top of the row
        base = base.transform_calculate(shift=f"datum.shift + {measure.height(len(rows)) / len(rows) / 2}")
        base = base.encode(yOffset=alt.YOffset("shift:Q", scale=None))
    known = base.transform_filter("isValid(datum.value)")
    thick = alt.StrokeWidth("thick:Q", scale=None, legend=None)
    layers = [
        known.mark_rule().encode(alt.X("low:Q", **x), x2=alt.X2("high:Q"), color=_as_is("colour"), strokeWidth=thick)
    ]
    layers.append(
        known.mark_point(strokeWidth=2, aria=True).encode(
            alt.X("value:Q", **x),
            description="tip:N",
            fill=_as_is("fill", alt.Fill),
            stroke=_as_is("colour", alt.Stroke),
            shape=_as_is("shape", alt.Shape),
        )
    )
    if at is not None:
        layers.insert(0, vertical(at, domain))
    if band is not None:
        layers.insert(0, _shade(band, domain))
    layers.append(base.mark_text(align="left", opacity=FAINT).encode(x=alt.XValue(4), text=alt.Text("missing:N")))
    if asides:
        end = width + (aside or measure.aside)
        notes = base.mark_text(align="right", opacity=FAINT).encode(x=alt.XValue(end), text=alt.Text("aside:N"))
        layers += [notes, caption(asides, end, "right", measure=measure, faint=True)]
    if heading:
        layers.append(caption(heading, 0, "left", measure=measure))
    return alt.layer(*layers, width=width, height=measure.height(len(rows)))


def tip(mark: Mapping[str, Any], heading: str | Sequence[str], axis: Mapping[str, Any] | None, own: Language) -> str:
    """What a mark says where a pointer rests on it: `by view, AP, TPR: 73.7 % (66.0 % to 80.9 %)`."""
    if mark["value"] is None:
        return ""
    say, unit = _told(axis, own)
    where = [part for part in mark["row"].split("|") if part]
    where.append(heading if isinstance(heading, str) else " ".join(heading))
    low, high = mark["low"], mark["high"]
    known = None not in (low, high) and (low, high) != (mark["value"],) * 2
    bounds = f" ({own.bounds(say(low), say(high))})" if known else ""
    return own.finished(
        own.phrase("tip", where=", ".join(filter(None, where)), value=say(mark["value"]) + unit + bounds)
    )


def caption(text: str | Sequence[str], x: float, align: str, *, measure: Measure, faint: bool = False) -> alt.Chart:
    """Words above a panel: its heading, or that of the notes at its right."""
    # drawn as a mark: titles of panels side by side would not keep one height
    style = {"opacity": FAINT} if faint else {"fontWeight": 600}
    lines = [text] if isinstance(text, str) else list(text)
    height = round(measure.small * 1.2)
    mark = alt.Chart(pl.DataFrame({"x": [0]})).mark_text(
        align=align, baseline="bottom", text=lines, lineHeight=height, **style
    )
    return mark.encode(x=alt.XValue(x), y=alt.YValue(-8 - height * (len(lines) - 1)))


def key(entries: Sequence[tuple[str, Look]], measure: Measure, *, width: float | None = None) -> alt.LayerChart:
    """What the marks mean: each drawn beside its word, in a line that breaks where `width` ends."""
    width = width or measure.width
    rows, x, y = [], 8.0, 8.0
    for text, look in entries:
        needs = len(text) * 0.52 * measure.small + 44
        if rows and x + needs > width:
            x, y = 8.0, y + measure.small * 1.5
        filling = "transparent" if look.hollow else look.colour
        rows.append({"x": x, "y": y, "text": text, "colour": look.colour, "fill": filling, "shape": look.shape})
        x += needs
    place = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}
    base = alt.Chart(pl.DataFrame(rows)).encode(**place)
    marks = base.mark_point(strokeWidth=2).encode(
        fill=_as_is("fill", alt.Fill), stroke=_as_is("colour", alt.Stroke), shape=_as_is("shape", alt.Shape)
    )
    texts = base.mark_text(align="left", dx=round(5 + 0.7 * measure.dot**0.5), opacity=FAINT + 0.15).encode(
        text=alt.Text("text:N")
    )
    return alt.layer(marks, texts, width=width, height=y + 8)


def in_lines(panels: Sequence[alt.TopLevelMixin], columns: int, spacing: float) -> alt.TopLevelMixin:
    """Panels side by side, `columns` to a line."""
    return alt.concat(*panels, columns=columns, spacing=spacing) if len(panels) > 1 else panels[0]


def over(*parts: alt.TopLevelMixin | None, spacing: float = 14) -> alt.TopLevelMixin:
    """Parts one under the other; None is passed over."""
    kept = [part for part in parts if part is not None]
    return kept[0] if len(kept) == 1 else alt.vconcat(*kept, spacing=spacing)


def vertical(at: float, domain: tuple[float, float]) -> alt.Chart:
    """A thin rule across every row: the overall figure, or no change."""
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    mark = alt.Chart(pl.DataFrame({"at": [at]})).mark_rule(color=GREY, strokeWidth=1.2, strokeDash=[4, 3])
    return mark.encode(alt.X("at:Q", scale=scale))


def _shade(band: float, domain: tuple[float, float]) -> alt.Chart:
    """The differences from -band to +band, as far as the axis goes."""
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    ends = pl.DataFrame({"low": [max(-band, domain[0])], "high": [min(band, domain[1])]})
    mark = alt.Chart(ends).mark_rect(color=GREY, opacity=0.18)
    return mark.encode(alt.X("low:Q", scale=scale), x2=alt.X2("high:Q"))


def row_axis(rows: Sequence[str], measure: Measure, labelled: bool = True) -> alt.Axis | None:
    """Row labels at the left, headings bold; none for the second and later panels of a line."""
    if not labelled:
        return None
    width = label_width(rows, measure)
    broken = {row: lines for row in rows if len(lines := _label(row, measure)) > 1}
    labels = "".join(f"datum.label == {json.dumps(row)} ? {json.dumps(lines)} : " for row, lines in broken.items())
    weight = alt.condition(IS_HEADING, alt.value("bold"), alt.value("normal"))
    return alt.Axis(
        title=None,
        labelExpr=labels + LABELS,
        labelAlign="left",
        labelPadding=width,
        labelFontWeight=weight,
        labelLineHeight=round(measure.small * 1.1),
        minExtent=width,
    )


def framed(
    chart: alt.TopLevelMixin,
    *,
    title: str,
    subtitle: Iterable[str],
    description: str,
    size: Size = "page",
    own: Language,
) -> Chart:
    """The chart with the finding as its title, what it is made of under it, and its text for those who cannot see it.

    Axes are written as the language `own` writes numbers.
    """
    measure = MEASURES[size]
    # on a slide it is text below the figure, which the browser breaks into lines
    width = 10**6 if size == "slide" else measure.characters(measure.width, measure.small)
    heading = alt.TitleParams(
        text=wrapped(title, measure.characters(measure.width, measure.title)),
        subtitle=[line for part in subtitle if part for line in wrapped(part, width)],
    )
    # set in place, on a chart made for this call: a copy of so many layers takes as long as making them
    chart.title, chart.description = heading, one_line(description)
    chart.config = alt.Config(locale={"number": own.number_format}, **(config("slide") if size == "slide" else {}))
    return chart


def nothing(why: str, *, size: Size = "page") -> Chart:
    """A figure that says why there is nothing to show: an empty frame would leave the reader guessing."""
    measure = MEASURES[size]
    lines = wrapped(why[:1].upper() + why[1:], measure.characters(measure.width, measure.title))
    text = alt.Chart(pl.DataFrame({"x": [0]})).mark_text(align="left", fontSize=measure.title, text=lines)
    chart = text.encode(x=alt.XValue(0), y=alt.YValue(20)).properties(width=measure.width, height=24 * len(lines) + 24)
    return chart.properties(description=why)


def around_zero(values: Iterable[float | None], *, step: float = 0.05, least: float = 0.1) -> tuple[float, float]:
    """Bounds of an axis of differences: every value and 0."""
    return span([0.0, *values], step=step, least=least)


def wrapped(text: str, width: int, *, hyphens: bool = False) -> list[str]:
    """Lines of at most `width` characters, broken at spaces (and hyphens); a number keeps its percent sign."""
    held = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return textwrap.wrap(held, width, break_on_hyphens=hyphens, break_long_words=False) or [""]


def _or(text: str | None, missing: str, value: float | None) -> str:
    return text if text is not None else "" if value is not None else missing


def _as_is(field: str, channel: Any = alt.Color) -> Any:
    return channel(f"{field}:N", scale=None, legend=None)


def _down(number: float) -> int:
    return int(number // 1 if abs(number - round(number)) > 1e-9 else round(number))
