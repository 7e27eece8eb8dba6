"""What we think, drawn: from folder to decision, causes of a shortcut, demands that conflict, patients and images."""

import json
from pathlib import Path
from typing import NamedTuple

import altair as alt
import numpy as np
import polars as pl

from lib.names import ERRORS
from lib.report.facts import cohort
from lib.report.facts import principles as facts
from lib.report.facts.values import Row
from lib.report.figures.layout import BOLD, Chart, as_it_is, over, placed, wrapped, written
from lib.report.figures.marks import PERCENT, Panel, dot, dot_panels, row_of, span
from lib.report.figures.pictures import WRONG, cut_at, sides
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GREY, LABELS, PALE, Look, Measure

TICKS = (0.05, 0.2, 0.5, 0.8, 0.95)
COLOURS = {"A": "#5f7a94", "B": "#8a6f4e"}
"""Of the two groups that conflict."""


@figure(facts.pipeline)
def pipeline(material: Material) -> Chart:
    """Six steps in a line, and under each where bias can enter."""
    steps, measure = material["steps"], material.measure
    gap = measure.small
    width = (measure.width - gap * (len(steps) - 1)) / len(steps)
    characters = measure.characters(width, measure.small) - 1
    tall, line = measure.small * 2.2, measure.small * 1.3
    parts = {"does": (tall + line, {"opacity": FAINT + 0.2}), "bias": (tall + 6.8 * line, {"color": WRONG})}
    words, lowest = [written(str(material("where")), 0.0, tall + 5.6 * line, baseline="middle", **BOLD)], 0.0
    lefts, middle = [k * (width + gap) for k in range(len(steps))], {"align": "center", "baseline": "middle"}
    for step, left in zip(steps, lefts, strict=True):
        words.append(written(str(material(step)), left + width / 2, tall / 2, **middle, **BOLD))
        for part, (top, style) in parts.items():
            for j, text in enumerate(wrapped(str(material(f"{step}_{part}")), characters)):
                words.append(written(text, left, top + j * line, baseline="middle", **style))
                lowest = max(lowest, top + j * line)
    boxes = placed([{"x": left, "x2": left + width, "y": 0.0, "y2": tall} for left in lefts])
    arrows = placed([{"x": left - gap / 2, "y": tall / 2} for left in lefts[1:]])
    boxes = boxes.mark_rect(fillOpacity=0.0, stroke=GREY, strokeWidth=1.5, cornerRadius=4)
    arrows = arrows.mark_point(shape="triangle-right", size=70, fill=GREY, stroke=GREY)
    return alt.layer(boxes, arrows, *words, width=measure.width, height=lowest + line)


@figure(facts.conflict)
def conflict(material: Material) -> Chart:
    """Two groups under one cut-off: the scores of the sick filled, those of the healthy outlined."""
    groups, at, language = material["sides"], material["at"], material.language
    marks = {float(np.log(share / (1 - share))): language.number(share, 2) for share in TICKS}
    names = " : ".join(f"abs(datum.value - {mark:.4f}) < 0.01 ? '{name}'" for mark, name in marks.items())
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, max(max(side["sick"]) for side in groups) * 1.45]), axis=None)
    panels = []
    for side in groups:
        last = side is groups[-1]
        title = str(material("axis")) if last else None
        axis = alt.Axis(title=title, values=list(marks), labelExpr=f"{names} : ''", labels=last, grid=False)
        x = alt.X("x:Q", scale=alt.Scale(domain=[at[0], at[-1]], nice=False), axis=axis)
        frames = [pl.DataFrame({"x": at, "y": side[label]}) for label in ("sick", "healthy")]
        sick, healthy = (alt.Chart(frame).encode(x, y) for frame in frames)
        layers = [sick.mark_area(color=COLOURS[side["group"]], fillOpacity=0.6)]
        layers += [healthy.mark_line(color="currentColor", strokeWidth=1.5), cut_at(0.0, x)]
        for error, across, align in (("missed", -0.1, "right"), ("alarmed", 0.1, "left")):
            style = {"text": str(material(error, side=side)), "align": align, "baseline": "top"}
            told = alt.Chart(pl.DataFrame({"x": [across]})).mark_text(**style)
            layers.append(told.encode(x, y=alt.YValue(20)))
        layers.append(written(str(material("panel", side=side)), 0, 0, **BOLD))
        height = 110 if material.size == "page" else 170
        panels.append(alt.layer(*layers, width=material.measure.width - 10, height=height))
    return over(*panels, sides(material, COLOURS["A"]), spacing=10)


@figure(facts.interval_levels)
def interval_levels(material: Material) -> Chart:
    """The baseline's intervals by patient, and by image, which takes images of one patient for strangers."""
    language, levels, dots = material.language, material["found"], []
    looks = {"patient": (Look(PALE, "circle"), 9.0), "image": (Look(LABELS[1].colour, "circle"), 2.0)}
    for unit, (look, thick) in looks.items():
        for level in levels:
            row = row_of(language, level["attribute"], language.group(level["group"], level["attribute"]))
            dots.append(dot(row, level[unit], look, level["metric"], thick=thick))
    low, high = span([level[unit] for level in levels for unit in looks], step=0.1, least=0.2)
    ends = (max(0.0, low), min(1.0, high))
    panels = {metric: Panel(PERCENT, language.metric(metric), domain=ends) for metric in ERRORS}
    entries = [(str(material("by_patient")), Look(PALE, "square")), (str(material("by_image")), looks["image"][0])]
    return dot_panels(material, dots, panels, entries=entries, margin=10)


WARM = "#c2611a"
PAD = 9


SKETCHES = Path(__file__).parent.with_name("sketches.json")
"""The causal sketch for the view, and for any `other` attribute: the middles of its `boxes`, in shares of the width and the height,
and its `arrows`. `shortcut`: part of the path that leaves disease out; words stand `at` a share of the way, to the `side` of it."""


@figure(cohort.data)
def causes(material: Material) -> Chart:
    """How a group can reach a score without any disease: boxes and arrows of illness, the group, the pixels, the label and the score."""
    sketches = json.loads(SKETCHES.read_text("utf-8"))
    places, arrows = sketches["view" if material["of_view"] else "other"].values()
    if material["of_view"] and material["aged"]:
        places, arrows = places | sketches["age"]["boxes"], sketches["age"]["arrows"] + arrows
    measure, rules, words, names = material.measure, [], [], []
    height = 20.0 * measure.small
    boxes = {name: _box(str(material("box", name=name)), place, height, measure) for name, place in places.items()}
    for arrow in arrows:
        start, end = _between(boxes[arrow["start"]], boxes[arrow["end"]])
        thick = {"colour": WARM, "thick": 2.5} if arrow["shortcut"] else {"colour": GREY, "thick": 1.5}
        angle = float(np.degrees(np.arctan2(*(end - start)[::-1]))) + 90
        rules.append(_corners(start, end) | {"angle": angle} | thick)
        told = wrapped(str(material("arrow", start=arrow["start"], end=arrow["end"])), 24)
        words.append(_beside(arrow, start, end, told, round(1.2 * measure.small)))
    thick = alt.StrokeWidth("thick:Q", scale=None, legend=None)
    lines = placed(rules).mark_rule().encode(color=as_it_is("colour"), strokeWidth=thick)
    tips = placed([{**rule, "x": rule["x2"], "y": rule["y2"]} for rule in rules])
    tips = tips.mark_point(shape="triangle", size=120, filled=True, opacity=1)
    heads = tips.encode(angle=alt.Angle("angle:Q", scale=None), color=as_it_is("colour"))
    frames = placed([_corners(box.middle - box.half, box.middle + box.half) for box in boxes.values()])
    frames = frames.mark_rect(fillOpacity=0, stroke="currentColor", strokeWidth=1.2, cornerRadius=6)
    style = BOLD | {"align": "center", "baseline": "middle", "fontSize": measure.text}
    for box in boxes.values():
        for k, text in enumerate(box.lines):
            down = (k - (len(box.lines) - 1) / 2) * 1.24 * measure.text
            names.append(written(text, box.middle[0], box.middle[1] + down, **style))
    return alt.layer(lines, heads, frames, *names, *words, width=measure.width, height=height)


class Box(NamedTuple):
    """A box around lines of text: its middle and half its size, in pixels."""

    lines: list[str]
    middle: np.ndarray
    half: np.ndarray


def _box(text: str, place: tuple[float, float], height: float, measure: Measure) -> Box:
    """The box of a text at a place in shares of the figure, moved where it would leave it."""
    lines = wrapped(text, 24)
    half = np.array([max(map(len, lines)) * 0.27, len(lines) * 0.62]) * measure.text + PAD
    x, y = place[0] * measure.width, place[1] * height
    return Box(lines, np.array([min(max(x, half[0] + 1), measure.width - half[0] - 1), max(y, half[1] + 1)]), half)


def _corners(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    return dict(zip(("x", "y", "x2", "y2"), (*one, *other), strict=True))


def _between(one: Box, other: Box) -> tuple[np.ndarray, np.ndarray]:
    """Where the line from one box to another leaves the one and meets the other, in pixels."""
    way = other.middle - one.middle
    with np.errstate(divide="ignore"):
        leaves, meets = (np.min((box.half + 3) / np.abs(way)) for box in (one, other))
    return one.middle + way * leaves, other.middle - way * meets


def _beside(arrow: Row, start: np.ndarray, end: np.ndarray, lines: list[str], height: int) -> alt.Chart:
    """The words of an arrow, off it to its side: the corner that is nearest to it touches it."""
    way = (end - start) / np.linalg.norm(end - start)
    across = np.array([way[1], -way[0]])
    if (across[0] > 0) != (arrow["side"] == "right") if arrow["side"] != "above" else across[1] > 0:
        across = -across
    x, y = start + arrow["at"] * (end - start) + 7 * across
    align = "center" if abs(across[0]) < 0.2 else "left" if across[0] > 0 else "right"
    # of a steep arrow the words are level with its middle, of another they are above or below it
    rise = -0.5 if abs(across[1]) < 0.2 else -1 if across[1] < 0 else 0
    return written(lines, x, y + rise * height * len(lines), align=align, lineHeight=height)
