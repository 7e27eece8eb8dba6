"""The causal sketch: how a group can reach a score without any disease; what we think, not what we measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import numpy as np
import polars as pl

from lib.report.facts import cohort
from lib.report.figures.marks import Chart, wrapped
from lib.report.registry import Material, figure
from lib.report.theme import GREY, Measure

WARM = "#c2611a"
ROUND, PAD = 6, 9


@dataclass(frozen=True)
class Arrow:
    """From one box to another; `shortcut`: part of the path that leaves disease out. Its words stand `at` a share of the
    way, to the `side` (left or right) of it."""

    start: str
    end: str
    shortcut: bool = False
    at: float = 0.5
    side: str = "right"


# places in shares of the width and of the height
OF_VIEW = (
    {"illness": (0.5, 0.06), "group": (0.12, 0.42), "label": (0.86, 0.42), "pixels": (0.3, 0.9), "score": (0.86, 0.9)},
    (
        Arrow("illness", "group", shortcut=True, side="left"),
        Arrow("illness", "label"),
        Arrow("illness", "pixels", at=0.56),
        Arrow("group", "pixels", shortcut=True, at=0.5, side="left"),
        Arrow("pixels", "score", shortcut=True, side="above"),
        Arrow("label", "score", side="left"),
    ),
)
OF_ANY = (
    {
        "group": (0.12, 0.06),
        "illness": (0.86, 0.06),
        "pixels": (0.12, 0.52),
        "label": (0.86, 0.52),
        "score": (0.5, 0.93),
    },
    (
        Arrow("group", "illness", shortcut=True, side="above"),
        Arrow("group", "pixels", shortcut=True),
        Arrow("illness", "label", side="left"),
        Arrow("illness", "pixels", at=0.72, side="right"),
        Arrow("pixels", "score", shortcut=True, side="left"),
        Arrow("label", "score"),
    ),
)


@figure(cohort.sketch)
def causes(material: Material) -> Chart:
    """Boxes and arrows: illness, the group, the pixels, the label and the score."""
    places, arrows = OF_VIEW if material["of_view"] else OF_ANY
    measure = material.measure
    width, height = measure.width, 20.0 * measure.small
    boxes = {
        name: _box(str(material("box", name=name)), x * width, y * height, measure, width)
        for name, (x, y) in places.items()
    }
    lines = [
        (*_between(boxes[a.start], boxes[a.end]), str(material("arrow", start=a.start, end=a.end)), a) for a in arrows
    ]
    layers = [_rules(lines), _heads(lines), _frames(boxes), _texts(boxes, measure)]
    layers += [_told(line, measure) for line in lines]
    return alt.layer(*layers, width=width, height=height)


@dataclass(frozen=True)
class Box:
    """A box around lines of text, its middle at `x`, `y`."""

    lines: tuple[str, ...]
    x: float
    y: float
    half_width: float
    half_height: float


def _box(text: str, x: float, y: float, measure: Measure, width: float) -> Box:
    lines = tuple(wrapped(text, 24))
    half = max(len(line) for line in lines) * 0.27 * measure.text + PAD
    high = len(lines) * 0.62 * measure.text + PAD
    return Box(lines, min(max(x, half + 1), width - half - 1), max(y, high + 1), half, high)


def _between(one: Box, two: Box) -> tuple[np.ndarray, np.ndarray]:
    """Where the line between two boxes leaves the first and meets the second, in pixels."""
    start, end = np.array([one.x, one.y]), np.array([two.x, two.y])
    way = end - start

    def edge(box: Box) -> float:
        sizes = np.array([box.half_width + 3, box.half_height + 3])
        return float(np.min(np.divide(sizes, np.abs(way), out=np.full(2, np.inf), where=way != 0)))

    return start + way * edge(one), end - way * edge(two)


def _rules(lines: list[tuple]) -> alt.Chart:
    frame = pl.DataFrame(
        [(*start, *end, WARM if a.shortcut else GREY, 2.5 if a.shortcut else 1.5) for start, end, _, a in lines],
        schema=["x", "y", "x2", "y2", "colour", "thick"],
        orient="row",
    )
    return (
        alt.Chart(frame)
        .mark_rule()
        .encode(
            **_at("x", "y"),
            x2="x2:Q",
            y2="y2:Q",
            color=alt.Color("colour:N", scale=None, legend=None),
            strokeWidth=alt.StrokeWidth("thick:Q", scale=None, legend=None),
        )
    )


def _heads(lines: list[tuple]) -> alt.Chart:
    rows = [
        (*end, float(np.degrees(np.arctan2(*(end - start)[::-1]))) + 90, WARM if a.shortcut else GREY)
        for start, end, _, a in lines
    ]
    frame = pl.DataFrame(rows, schema=["x", "y", "angle", "colour"], orient="row")
    mark = alt.Chart(frame).mark_point(shape="triangle", size=120, filled=True, opacity=1)
    return mark.encode(
        **_at("x", "y"),
        angle=alt.Angle("angle:Q", scale=None),
        color=alt.Color("colour:N", scale=None, legend=None),
    )


def _frames(boxes: Mapping[str, Box]) -> alt.Chart:
    rows = [(b.x - b.half_width, b.y - b.half_height, b.x + b.half_width, b.y + b.half_height) for b in boxes.values()]
    frame = pl.DataFrame(rows, schema=["x", "y", "x2", "y2"], orient="row")
    mark = alt.Chart(frame).mark_rect(fillOpacity=0, stroke="currentColor", strokeWidth=1.2, cornerRadius=ROUND)
    return mark.encode(**_at("x", "y"), x2="x2:Q", y2="y2:Q")


def _texts(boxes: Mapping[str, Box], measure: Measure) -> alt.Chart:
    height = 1.24 * measure.text
    rows = [
        (b.x, b.y + (k - (len(b.lines) - 1) / 2) * height, line)
        for b in boxes.values()
        for k, line in enumerate(b.lines)
    ]
    frame = pl.DataFrame(rows, schema=["x", "y", "t"], orient="row")
    mark = alt.Chart(frame).mark_text(baseline="middle", fontSize=measure.text, fontWeight=600)
    return mark.encode(**_at("x", "y"), text="t:N")


def _told(line: tuple, measure: Measure) -> alt.Chart:
    """The words of an arrow, off it to its side: the corner that is nearest to it touches it."""
    start, end, text, arrow = line
    way = (end - start) / np.linalg.norm(end - start)
    across = np.array([way[1], -way[0]])
    if (across[0] > 0) != (arrow.side == "right") if arrow.side != "above" else across[1] > 0:
        across = -across
    x, y = start + arrow.at * (end - start) + 7 * across
    align = "center" if abs(across[0]) < 0.2 else "left" if across[0] > 0 else "right"
    lines, height = wrapped(text, 24), round(1.2 * measure.small)
    # of a steep arrow the words are level with its middle, of another they are above or below it
    rise = -0.5 if abs(across[1]) < 0.2 else -1 if across[1] < 0 else 0
    mark = alt.Chart(pl.DataFrame({"x": [x], "y": [y + rise * height * len(lines)]})).mark_text(
        align=align, baseline="top", text=lines, lineHeight=height
    )
    return mark.encode(**_at("x", "y"))


def _at(x: str, y: str) -> dict[str, alt.X | alt.Y]:
    return {"x": alt.X(f"{x}:Q", scale=None, axis=None), "y": alt.Y(f"{y}:Q", scale=None, axis=None)}
