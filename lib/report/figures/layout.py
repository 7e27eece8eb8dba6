"""Where the parts of a figure stand: pieces at pixels, panels in lines, the frame with title and text around them."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from lib.report.registry import Material
from lib.report.theme import MEASURES, Measure, Size, config
from lib.report.words.templates import one_line

Chart = alt.TopLevelMixin
BOLD = {"fontWeight": 600}


def placed(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart of rows with `x` and `y` in pixels, and of `x2` and `y2` where rows have them."""
    frame = pl.DataFrame(rows)
    ends = {end: f"{end}:Q" for end in ("x2", "y2") if end in frame.columns}
    x, y = (alt_channel(f"{name}:Q", scale=None, axis=None) for name, alt_channel in (("x", alt.X), ("y", alt.Y)))
    return alt.Chart(frame).encode(x=x, y=y, **ends)


def as_it_is(field: str, channel: Any = alt.Color) -> Any:
    """A channel that takes colours, shapes or sizes from a column as they stand there."""
    return channel(f"{field}:N", scale=None, legend=None)


def filled(chart: alt.Chart, **style: Any) -> alt.Chart:
    """Points in the colours (`fill`, `stroke`) of their rows, in the `shape` of their rows unless `style` has one."""
    shape = {} if "shape" in style else {"shape": as_it_is("shape", alt.Shape)}
    points = chart.mark_point(**style)
    return points.encode(fill=as_it_is("fill", alt.Fill), stroke=as_it_is("stroke", alt.Stroke), **shape)


def written(text: str | Sequence[str], x: float, y: float, **style: Any) -> alt.Chart:
    """Words at a place in pixels, in one line or several."""
    mark = alt.Chart(pl.DataFrame({"x": [0]})).mark_text(text=text, **({"align": "left", "baseline": "top"} | style))
    return mark.encode(x=alt.XValue(x), y=alt.YValue(y))


def in_lines(panels: Sequence[Chart], columns: int, spacing: float) -> Chart:
    """Panels side by side, `columns` to a line."""
    return alt.concat(*panels, columns=columns, spacing=spacing) if len(panels) > 1 else panels[0]


def over(*parts: Chart | None, spacing: float = 14) -> Chart:
    """Parts one under the other; None is passed over."""
    kept = [part for part in parts if part is not None]
    return kept[0] if len(kept) == 1 else alt.vconcat(*kept, spacing=spacing)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, broken at spaces; a number keeps its percent sign."""
    held = text.replace(" %", "\N{NO-BREAK SPACE}%")
    return textwrap.wrap(held, width, break_on_hyphens=False, break_long_words=False) or [""]


def fitted(text: str, pixels: float, measure: Measure) -> list[str]:
    """The lines that a small text takes in so many pixels."""
    return wrapped(text, measure.characters(pixels, measure.small))


def framed(chart: Chart, material: Material) -> Chart:
    """The chart with the finding as its title, what it is made of under it, and its text for those who cannot see it.

    Axes are written as the language writes numbers.
    """
    measure, slide, subtitle = MEASURES[material.size], material.size == "slide", material("subtitle")
    # on a slide it is text below the figure, which the browser breaks into lines
    width = 10**6 if slide else measure.characters(measure.width, measure.small)
    heading = wrapped(material("title"), measure.characters(measure.width, measure.title))
    # set in place, on a chart made for this call: a copy of so many layers takes as long as making them
    chart.title = alt.TitleParams(text=heading, subtitle=wrapped(subtitle, width) if subtitle else [])
    chart.description = one_line(material("alt"))
    look = config("slide") if slide else {}
    chart.config = alt.Config(locale={"number": material.language.number_format}, **look)
    return chart


def nothing(why: str, *, size: Size = "page") -> Chart:
    """A figure that says why there is nothing to show: an empty frame would leave the reader guessing."""
    measure = MEASURES[size]
    lines = wrapped(why[:1].upper() + why[1:], measure.characters(measure.width, measure.title))
    chart = written(lines, 0, 20, fontSize=measure.title, baseline="middle")
    return chart.properties(width=measure.width, height=24 * len(lines) + 24, description=why)
