"""The pieces that figures are made of: dots with intervals on rows under headings, small multiples of them, and their key.

Every piece takes its colours from `theme` and its places from the arguments; nothing here knows a finding.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import altair as alt
import polars as pl

from lib.names import OVERALL, Attribute
from lib.report.facts.values import Estimate, parts
from lib.report.figures.layout import BOLD, Chart, as_it_is, filled, fitted, in_lines, over, placed, wrapped, written
from lib.report.registry import Material
from lib.report.theme import FAINT, GREY, Look, Measure
from lib.report.words.language import Language
from lib.report.words.writing import NO_BREAK

Dot = Mapping[str, Any]
Axis = Mapping[str, Any]
Value = Estimate | float | None
SCHEMA = (
    {"row": pl.String}
    | {name: pl.Float64 for name in ("value", "low", "high", "thick", "shift")}
    | {name: pl.String for name in ("stroke", "fill", "shape", "aside", "missing", "tip")}
)
# a row is "heading|item"; a heading alone is "heading|"
LABELS = "split(datum.label, '|')[1] || split(datum.label, '|')[0]"
IS_HEADING = "split(datum.label, '|')[1] == ''"
PERCENT = {"labelExpr": "format(100 * datum.value, 'd') + '\u00a0%'"}
POINTS = {"labelExpr": "(datum.value == 0 ? '0' : format(100 * datum.value, '+.3~r'))"}
GAP, OF_1000 = ({"labelExpr": f"format({of} * datum.value, 'd')"} for of in (100, 1000))
AUC = {"format": ".2f"}
NUMBER, ROOMY = 22, 56
"""Type of the numbers that stand over marks on a slide, and pixels that a row has there for one."""
DASHED = {"color": GREY, "strokeWidth": 1.2, "strokeDash": [4, 3]}
HALO = {"stroke": "white", "strokeWidth": 4, "strokeJoin": "round"}
"""What keeps words apart from the lines that they stand on."""
AUC_CHANGE = {"labelExpr": "datum.value == 0 ? '0' : format(datum.value, '+.2~f')"}
SIGN = "(datum.value > 0 ? '+' : datum.value < 0 ? '\u2212' : '')"
THOUSAND = {"labelExpr": f"{SIGN} + format(abs(1000 * datum.value), 'd')"}
"""Axes of shares, of differences in points, of gaps without sign (in points, of 1,000), of AUCs and their differences, of people of 1,000."""


@dataclass(frozen=True)
class Panel:
    """One quantity: its `axis`, what stands above it, `rules` across all rows, and a shade as far to both sides of 0 (`band`).

    Its ends (`domain`) hold all dots, the rules and what it `holds`, at multiples of `step`, at least `least` apart; panels of one
    `scale` have the same ends.
    """

    axis: Axis
    heading: str = ""
    step: float = 0.05
    least: float = 0.1
    rules: Sequence[float] = ()
    band: float | None = None
    holds: Sequence[float] = ()
    scale: str = ""
    domain: tuple[float, float] | None = None
    dots: Sequence[Dot] = ()


def dot(row: str, estimate: Estimate | None, look: Look, panel: str = "", **more: Any) -> Dot:
    """A mark on a row of a panel with its interval. More: `shift` in pixels, `thick`, `aside`, a note at the right, `missing`, what
    a row without value says in its place (by default that it is not estimable)."""
    value, low, high = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    mark = {"row": row, "value": value, "low": low, "high": high, "thick": 2.0, "shift": 0.0, "aside": ""}
    return mark | drawn_as(look) | {"panel": panel} | more


def drawn_as(look: Look) -> dict[str, str]:
    """The columns that `filled` draws a look from."""
    return {"stroke": look.colour, "fill": "transparent" if look.hollow else look.colour, "shape": look.shape}


def row_of(language: Language, attribute: Attribute | str | None, name: str = "") -> str:
    """The row of a group (or of a difference) under its attribute; that of everyone has no heading."""
    if attribute in (None, OVERALL):
        return f"|{language.phrase('everyone')}"
    return f"{language.attribute(attribute)}|{name}"


def under_headings(rows: Iterable[str]) -> list[str]:
    """Each row once, those of a heading together and after it; `|item` has no heading."""
    by_heading: dict[str, dict[str, None]] = {}
    for row in rows:
        heading = f"{row.split('|')[0]}|"
        by_heading.setdefault(heading, {heading: None})[row] = None
    return [row for part in by_heading.values() for row in part if row != "|"]


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


def span(values: Iterable[Value], *, step: float, least: float = 0.0) -> tuple[float, float]:
    """Bounds of an axis that hold every value and interval, at multiples of `step`, at least `least` apart."""
    ends = [(own.value, own.low, own.high) if isinstance(own, Estimate) else (own,) for own in values]
    known = [end for own in ends for end in own if end is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    missing = max(0.0, least - (high - low)) / 2
    return floor(round((low - missing) / step, 9)) * step, ceil(round((high + missing) / step, 9)) * step


def _ends(panel: Panel, panels: Iterable[Panel]) -> tuple[float, float]:
    """The ends of a panel's axis, one of these panels."""
    alike = [other for other in panels if other is panel or (panel.scale and other.scale == panel.scale)]
    held = [mark[end] for other in alike for mark in other.dots for end in ("value", "low", "high")]
    held += [value for other in alike for value in (*other.rules, *other.holds)]
    return span(held, step=panel.step, least=panel.least)


def dot_panels(
    material: Material,
    dots: Sequence[Dot],
    panels: Mapping[str, Panel] | Panel,
    *,
    entries: Sequence[tuple[str, Look]] = (),
    measure: Measure | None = None,
    spacing: int = 24,
    margin: float = 0,
    asides: str = "",
    ticks: int = 4,
) -> Chart:
    """Panels side by side that have any dots, by name, on the same rows, and under them what the marks mean (`entries`).

    `asides` heads notes at the right, `margin` is left free there.
    """
    measure, by_panel = measure or material.measure, parts(dots, "panel")
    panels = {"": panels} if isinstance(panels, Panel) else panels
    panels = [replace(panel, dots=by_panel[name]) for name, panel in panels.items() if name in by_panel]
    panels = [replace(panel, domain=panel.domain or _ends(panel, panels)) for panel in panels]
    labels = under_headings(mark["row"] for mark in dots)
    if asides:
        longest = max(len(mark["aside"]) for mark in dots)
        margin = max(56, round(3.3 * measure.small), longest * 0.55 * measure.small)
    across = measure.width - label_width(labels, measure)
    width = (across - spacing * (len(panels) - 1) - margin) / len(panels)
    step, drawn = measure.height(len(labels)) / len(labels), []
    single = all(len({mark["row"] for mark in panel.dots}) == len(panel.dots) for panel in panels)
    numbered = material.size == "slide" and single and step >= ROOMY
    for panel in panels:
        axis = _row_axis(labels, measure) if panel is panels[0] else None
        # rows with offsets are bands, whose padding would move the marks off their names
        shifted = {"padding": 0} if any(mark["shift"] for mark in panel.dots) else {}
        y = alt.Y("row:N", sort=None, scale=alt.Scale(domain=labels, **shifted), axis=axis)
        layers = _dots(panel, y, step / 2, ticks, material.language)
        layers += [_numbers(panel, y, width, material.language)] if numbered else []
        if asides:
            notes = alt.Chart(pl.DataFrame(panel.dots, schema={"row": pl.String, "aside": pl.String}))
            notes = notes.mark_text(align="right", opacity=FAINT).encode(y=y, text="aside:N")
            layers.append(notes.encode(x=alt.XValue(width + margin)))
            layers.append(caption([asides], width + margin, "right", measure=measure, faint=True))
        if panel.heading:
            layers.append(caption(fitted(panel.heading, width, measure), 0, "left", measure=measure))
        drawn.append(alt.layer(*layers, width=width, height=measure.height(len(labels))))
    told = key(entries, measure, width=across - margin) if entries else None
    return over(in_lines(drawn, len(drawn), spacing), told)


def _dots(panel: Panel, y: alt.Y, middle: float, ticks: int, language: Language) -> list[alt.Chart]:
    """Rules, intervals, dots, and what stands in the place of a dot without value; `middle` is that of a row, in pixels."""
    missing = {"missing": language.phrase("not_estimable")}
    told = [missing | mark | {"tip": tip(mark, panel, language)} for mark in panel.dots]
    told = [mark if mark["value"] is None else mark | {"missing": ""} for mark in told]
    scale = alt.Scale(domain=list(panel.domain), nice=False, zero=False)
    x = {"scale": scale, "axis": alt.Axis(tickCount=ticks, **({"title": None} | dict(panel.axis)))}
    base = alt.Chart(pl.DataFrame(told, schema=SCHEMA)).encode(y=y)
    if any(mark["shift"] for mark in panel.dots):
        # an offset counts from the top of the row
        base = base.transform_calculate(shift=f"datum.shift + {middle}")
        base = base.encode(yOffset=alt.YOffset("shift:Q", scale=None))
    known = base.transform_filter("isValid(datum.value)")
    thick = alt.StrokeWidth("thick:Q", scale=None, legend=None)
    bars = known.mark_rule().encode(alt.X("low:Q", **x), x2="high:Q", color=as_it_is("stroke"), strokeWidth=thick)
    marks = filled(known, strokeWidth=2, aria=True).encode(alt.X("value:Q", **x), description="tip:N")
    words = base.mark_text(align="right", fontStyle="italic", opacity=FAINT)
    words = words.encode(x=alt.XValue("width"), text="missing:N")
    layers = []
    if panel.band is not None:  # the differences from -band to +band, as far as the axis goes
        ends = pl.DataFrame({"low": [max(-panel.band, panel.domain[0])], "high": [min(panel.band, panel.domain[1])]})
        shade = alt.Chart(ends).mark_rect(color=GREY, opacity=0.18)
        layers.append(shade.encode(alt.X("low:Q", scale=scale), x2="high:Q"))
    if panel.rules:
        rules = alt.Chart(pl.DataFrame({"at": list(panel.rules)}, schema={"at": pl.Float64})).mark_rule(**DASHED)
        layers.append(rules.encode(alt.X("at:Q", scale=scale)))
    return [*layers, bars, marks, words]


def _numbers(panel: Panel, y: alt.Y, width: float, language: Language) -> alt.Chart:
    """Over each mark its number with its interval, as near to it as the panel has room."""
    (low, high), told = panel.domain, []
    for mark in panel.dots:
        number = _number(mark, panel, language, unit="")
        half = min(0.5, 0.27 * NUMBER * len(number) / width) * (high - low)
        middle = min(max(mark["value"] or low, low + half), high - half)
        told.append({"row": mark["row"], "middle": middle, "number": number})
    x = alt.X("middle:Q", scale=alt.Scale(domain=[low, high], nice=False, zero=False))
    base = alt.Chart(pl.DataFrame(told)).encode(x, y, text="number:N")
    style = {"fontSize": NUMBER, "baseline": "bottom", "dy": -11}
    return alt.layer(base.mark_text(**style, **HALO), base.mark_text(**style))


def tip(mark: Dot, panel: Panel, language: Language) -> str:
    """What a mark says where a pointer rests on it: `by view, AP, TPR: 73.7 % (66.0 % to 80.9 %)`."""
    if mark["value"] is None:
        return ""
    where = ", ".join(part for part in (*mark["row"].split("|"), panel.heading) if part)
    return language.finished(language.phrase("tip", where=where, value=_number(mark, panel, language)))


def _number(mark: Dot, panel: Panel, language: Language, unit: str | None = None) -> str:
    """The number of a mark with its interval, where it has one, and its unit; nothing where it is not estimable."""
    value, low, high = mark["value"], mark["low"], mark["high"]
    if value is None:
        return ""
    say, own = _told(panel.axis, language)
    known = None not in (low, high) and (low, high) != (value,) * 2
    bounds = f" ({language.bounds(say(low), say(high))})" if known else ""
    return language.finished(say(value) + (own if unit is None else unit) + bounds)


def _told(axis: Axis, language: Language) -> tuple[Callable[[float], str], str]:
    """How a value is told where the axis is one of those above, and its unit."""
    points = f"{NO_BREAK}{language.phrase('points')}"
    known: list[tuple[Axis, Callable[[float], str], str]] = [
        (PERCENT, language.percent, ""),
        (POINTS, language.points, points),
        (THOUSAND, lambda value: language.thousand(value, signed=True), ""),
        (AUC_CHANGE, lambda value: language.number(value, 3, signed=True), ""),
    ]
    other = (lambda value: language.number(value, 3), "")
    return next(((say, unit) for mine, say, unit in known if mine == axis), other)


def caption(lines: Sequence[str], x: float, align: str, *, measure: Measure, faint: bool = False) -> alt.Chart:
    """Words above a panel: its heading, or that of the notes at its right."""
    # drawn as a mark: titles of panels side by side would not keep one height
    height = round(measure.small * 1.2)
    style = {"opacity": FAINT} if faint else BOLD
    place = {"x": x, "y": -8 - height * (len(lines) - 1)}
    return written(lines, **place, align=align, baseline="bottom", lineHeight=height, **style)


def key(entries: Sequence[tuple[str, Look]], measure: Measure, *, width: float | None = None) -> alt.LayerChart:
    """What the marks mean: each drawn beside its word, in a line that breaks where `width` ends."""
    width = width or measure.width
    rows, x, y = [], 8.0, 8.0
    for text, look in entries:
        needs = len(text) * 0.52 * measure.small + 44
        if rows and x + needs > width:
            x, y = 8.0, y + measure.small * 1.5
        rows.append({"x": x, "y": y, "text": text} | drawn_as(look))
        x += needs
    base = placed(rows)
    texts = base.mark_text(align="left", dx=round(5 + 0.7 * measure.dot**0.5), opacity=FAINT + 0.15)
    return alt.layer(filled(base, strokeWidth=2), texts.encode(text="text:N"), width=width, height=y + 8)


def _row_axis(rows: Sequence[str], measure: Measure) -> alt.Axis:
    """Row labels at the left, headings bold."""
    width = label_width(rows, measure)
    broken = {row: lines for row in rows if len(lines := _label(row, measure)) > 1}
    labels = "".join(f"datum.label == {json.dumps(row)} ? {json.dumps(lines)} : " for row, lines in broken.items())
    weight = alt.condition(IS_HEADING, alt.value("bold"), alt.value("normal"))
    place = {"labelAlign": "left", "labelPadding": width, "labelLimit": width, "minExtent": width}
    style = {"labelFontWeight": weight, "labelLineHeight": round(measure.small * 1.1)}
    return alt.Axis(title=None, labelExpr=labels + LABELS, **place, **style)
