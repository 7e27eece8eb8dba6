"""Lines over a quantity, each with its interval as a band and its name at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from lib.report.facts.values import Estimate
from lib.report.figures.marks import DASHED, caption, span
from lib.report.registry import Material
from lib.report.theme import FAINT, Look, Measure


@dataclass(frozen=True)
class Line:
    """A line through `points` (x, Estimate). `name` stands at its end; a `faint` one is thin; `band`: its interval is drawn."""

    name: str
    points: Sequence[tuple[float, Estimate]]
    look: Look
    band: bool = True
    faint: bool = False


Scale = tuple[Mapping[str, Any], tuple[float, float]]
"""An axis and its ends."""


def line_panel(
    material: Material,
    lines: Sequence[Line],
    across: Scale,
    up: Scale,
    size: tuple[float, float],
    *,
    heading: str = "",
    at: float | None = None,
) -> alt.LayerChart:
    """The lines, faint ones first; `at` draws a rule across. Names at the ends are moved apart where they would touch.

    `size` in pixels; the words of the block `across` stand under the axis.
    """
    measure, (width, height) = material.measure, size
    x_scale, y_scale = (alt.Scale(domain=list(domain), nice=False, zero=False) for _, domain in (across, up))
    x = alt.X("x:Q", scale=x_scale, axis=alt.Axis(title=str(material("across")), **across[0]))
    y = alt.Y("y:Q", scale=y_scale, axis=alt.Axis(title=None, grid=True, tickCount=4, **up[0]))
    layers = []
    if at is not None:
        layers.append(alt.Chart(pl.DataFrame({"y": [at]})).mark_rule(**DASHED).encode(y=y))
    for line in sorted(lines, key=lambda line: not line.faint):
        rows = [(place, value.value, value.low, value.high) for place, value in line.points]
        schema = dict.fromkeys(("x", "y", "low", "high"), pl.Float64)
        base, colour = alt.Chart(pl.DataFrame(rows, schema, orient="row")).encode(x), line.look.colour
        if line.band and not line.faint:
            bounds = {"y": alt.Y("low:Q", scale=y_scale, title=None), "y2": "high:Q"}
            layers.append(base.mark_area(fill=colour, opacity=0.16, clip=True).encode(**bounds))
        style = {"strokeWidth": 1, "opacity": 0.55} if line.faint else {"strokeWidth": 2.2, "opacity": 1}
        layers.append(base.mark_line(clip=True, color=colour, **style).encode(y))
        if not line.faint:
            dots = {"shape": line.look.shape, "fill": colour, "stroke": colour, "size": measure.dot * 0.7}
            layers.append(base.mark_point(**dots).encode(y))
    layers.append(_names(lines, measure, size, up))
    if heading:
        layers.append(caption([heading], 0, "left", measure=measure))
    return alt.layer(*layers, width=width, height=height)


def _names(lines: Sequence[Line], measure: Measure, size: tuple[float, float], up: Scale) -> alt.Chart:
    """The names at the right ends."""
    (width, height), (low, high) = size, up[1]
    ends = ((height * (1 - (line.points[-1][1].value - low) / (high - low)), line.name) for line in lines if line.name)
    named: list[tuple[float, str]] = []
    for place, name in sorted(ends, key=lambda end: end[0]):
        named.append((max(place, named[-1][0] + measure.small * 1.15) if named else place, name))
    over = max(0.0, named[-1][0] - height) if named else 0.0
    rows = [(place - over, name) for place, name in named]
    frame = pl.DataFrame(rows, schema={"at": pl.Float64, "name": pl.String}, orient="row")
    text = alt.Chart(frame).mark_text(align="left", baseline="middle", opacity=FAINT + 0.2)
    return text.encode(x=alt.XValue(width + 8), y=alt.Y("at:Q", scale=None, axis=None), text="name:N")


def reach(lines: Sequence[Line], *, step: float, least: float = 0.0) -> tuple[float, float]:
    """Bounds of an axis that hold every line, and the intervals that are drawn."""
    held = [value if line.band and not line.faint else value.value for line in lines for _, value in line.points]
    return span(held, step=step, least=least)
