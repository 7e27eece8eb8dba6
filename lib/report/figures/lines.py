"""Lines over a quantity, each with its interval as a band and its name at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from lib.report.facts.values import Estimate
from lib.report.figures.marks import caption, span
from lib.report.theme import FAINT, GREY, Look, Measure
from lib.report.words.language import Language


@dataclass(frozen=True)
class Line:
    """A line through `points` (x, Estimate). `name` stands at its end; a `faint` one is thin; `band`: its interval is drawn."""

    name: str
    points: Sequence[tuple[float, Estimate]]
    look: Look
    band: bool = True
    faint: bool = False


def decimals(language: Language, digits: int = 1) -> dict[str, str]:
    """How an axis writes numbers with so many decimals in a language."""
    separator = language.number(0.5, 1)[1]
    return {"labelExpr": f"replace(format(datum.value, '.{digits}f'), '.', '{separator}')"}


def line_panel(
    lines: Sequence[Line],
    *,
    measure: Measure,
    width: float,
    height: float,
    across: str,
    x_axis: Mapping[str, Any],
    y_axis: Mapping[str, Any],
    x_domain: tuple[float, float],
    y_domain: tuple[float, float],
    heading: str = "",
    at: float | None = None,
) -> alt.LayerChart:
    """The lines, faint ones first; `at` draws a rule across. Names at the ends are moved apart where they would touch."""
    x_scale, y_scale = (alt.Scale(domain=list(d), nice=False, zero=False) for d in (x_domain, y_domain))
    x = alt.X("x:Q", scale=x_scale, axis=alt.Axis(title=across, **x_axis))
    y = alt.Y("y:Q", scale=y_scale, axis=alt.Axis(title=None, grid=True, tickCount=4, **y_axis))
    layers = []
    if at is not None:
        layers.append(
            alt.Chart(pl.DataFrame({"y": [at]})).mark_rule(color=GREY, strokeDash=[4, 3], strokeWidth=1.2).encode(y=y)
        )
    for own in sorted(lines, key=lambda line: not line.faint):
        frame = pl.DataFrame(
            [(at_x, e.value, e.low, e.high) for at_x, e in own.points],
            schema=dict.fromkeys(("x", "y", "low", "high"), pl.Float64),
            orient="row",
        )
        base = alt.Chart(frame)
        if own.band and not own.faint:
            bounds = {"y": alt.Y("low:Q", scale=y_scale, title=None), "y2": "high:Q"}
            layers.append(base.mark_area(fill=own.look.colour, opacity=0.16, clip=True).encode(x=x, **bounds))
        style = {"color": own.look.colour, "strokeWidth": 1 if own.faint else 2.2, "opacity": 0.55 if own.faint else 1}
        layers.append(base.mark_line(clip=True, **style).encode(x=x, y=y))
        if not own.faint:
            dots = {
                "shape": own.look.shape,
                "fill": own.look.colour,
                "stroke": own.look.colour,
                "size": measure.dot * 0.7,
            }
            layers.append(base.mark_point(**dots).encode(x=x, y=y))
    layers.append(_names(lines, measure, width, height, y_domain))
    if heading:
        layers.append(caption(heading, 0, "left", measure=measure))
    return alt.layer(*layers, width=width, height=height)


def _names(
    lines: Sequence[Line], measure: Measure, width: float, height: float, domain: tuple[float, float]
) -> alt.Chart:
    """The names at the right ends."""
    low, high = domain
    step = measure.small * 1.15
    named = sorted(
        ([height * (1 - (own.points[-1][1].value - low) / (high - low)), own.name] for own in lines if own.name),
        key=lambda place: place[0],
    )
    for before, own in zip(named, named[1:], strict=False):
        own[0] = max(own[0], before[0] + step)
    over = max(0.0, named[-1][0] - height) if named else 0.0
    frame = pl.DataFrame(
        [(place - over, name) for place, name in named], schema={"at": pl.Float64, "name": pl.String}, orient="row"
    )
    text = alt.Chart(frame).mark_text(align="left", baseline="middle", opacity=FAINT + 0.2)
    return text.encode(x=alt.XValue(width + 8), y=alt.Y("at:Q", scale=None, axis=None), text="name:N")


def reach(lines: Sequence[Line], *, step: float, least: float = 0.0) -> tuple[float, float]:
    """Bounds of an axis that hold every line, and the intervals that are drawn."""
    ends = [
        end
        for own in lines
        for _, e in own.points
        for end in ((e.value, e.low, e.high) if own.band and not own.faint else (e.value,))
    ]
    return span(ends, step=step, least=least)
