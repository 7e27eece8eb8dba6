"""Figures that are looked at before they are read: people of 1,000, mean radiographs, where networks look, scores and ROC curves."""

import base64
import io
from dataclasses import replace
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from lib.pictures.saliency import BOX
from lib.report.facts import pictures as facts
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.figures.layout import BOLD, Chart, filled, fitted, in_lines, over, placed, wrapped, written
from lib.report.figures.marks import PERCENT, Panel, caption, dot, dot_panels, key
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GREY, Look, Measure, group_look

WRONG = "#bb3f57"
WARM = np.array([235.0, 120.0, 20.0])
WARMEST = 3
"""Times as much as if evenly."""
DOTS = 100
"""Of a group and label: a person each, on a slide ten."""


@figure(partial(facts.of_figure, "people"))
def people(material: Material) -> Chart:
    """Of 100 sick and 100 healthy of each group, on a slide of 1,000, those whom the baseline gets wrong.

    On a page, the mean radiograph of each group stands before its dots.
    """
    groups, measure = material["groups"], material.measure
    pictures = material["pictures"] if material.size == "page" else {}
    down = 4 if material.size == "page" else 2 if len(groups) > 2 else 5  # a slide has room for few lines
    line, gap = measure.small * 1.4, 24
    # a picture is as high as its words and dots: 2 lines, and as many steps as dots stand above each other
    columns, before = DOTS // down, 2 * line + gap if pictures else 0
    step = (measure.width - gap - before) / (2 * columns + (down if pictures else 0))
    side, block = 2 * line + down * step, 3 * line + down * step
    dots, parts = [], []
    for k, group in enumerate(groups):
        top, first = k * block, side + gap if pictures else 0
        if pictures:
            parts.append(_image(_rgb(pictures[group.group]["grey"]), side, top))
        for n_th, (part, share) in enumerate((("missed", group.missed), ("alarmed", group.alarmed))):
            left = first + n_th * (columns * step + gap)
            told = {"group": group.group, "share": share}
            parts.append(written(str(material(f"{part}_whom", **told)), left, top))
            parts.append(written(str(material(part, **told)), left, top + line, **BOLD))
            for n in range(DOTS):
                place = {"x": left + (n // down + 0.5) * step, "y": top + 2 * line + (n % down + 0.3) * step}
                wrong = n < round(100 * share)
                fill, stroke = (WRONG, WRONG) if wrong else ("transparent", GREY)
                dots.append({**place, "fill": fill, "stroke": stroke})
    drawn = filled(placed(dots), shape="circle", size=(0.62 * step) ** 2, strokeWidth=1.2)
    return alt.layer(drawn, *parts, width=measure.width, height=block * len(groups) - line)


@figure(partial(facts.of_figure, "radiographs"))
def radiographs(material: Material) -> Chart:
    """The mean radiographs of the two groups of the main finding, healthy and sick, and the difference of the groups."""
    of = {(picture["group"], picture["label"]): picture for picture in material["shown"]}
    side = min((material.measure.width - 48) / 3, 170 if material.size == "page" else 250)
    lines = []
    for label in (HEALTHY, SICK):
        pair = [of.get((group, label)) for group in material["two"]]
        if not all(pair):
            continue
        one, other = pair
        panels = [_panel(_rgb(own["grey"]), side, str(material("panel", own=own)), material.measure) for own in pair]
        apart = np.clip(127.5 + 2 * (one["grey"] - other["grey"]), 0, 255)
        panels.append(_panel(_rgb(apart), side, str(material("difference", one=one, other=other)), material.measure))
        lines.append(in_lines(panels, 3, 24))
    return over(*(lines if material.size == "page" else lines[-1:]), spacing=20)


@figure(partial(facts.of_figure, "saliency"))
def saliency(material: Material) -> Chart:
    """Where the networks look when they are right, over the mean radiograph: the warmer, the more; the box, and a scale of the colours."""
    columns, measure = min(4, len(material["shown"])), material.measure
    side = min((measure.width - 16 * (columns - 1)) / columns, 300)
    low, high = (end * side for end in BOX)
    box = placed([{"x": low, "x2": high, "y": low, "y2": high}])
    box = box.mark_rect(fillOpacity=0, stroke="white", strokeWidth=1.5, strokeDash=[4, 3])
    words = [str(material("panel", own=own)) for own in material["shown"]]
    drawn = zip(map(_overlay, material["shown"]), words, strict=True)
    panels = [alt.layer(_panel(heat, side, told, measure), box) for heat, told in drawn]
    wide, tall = 160, measure.small
    bar = placed([{"x": 0, "y": 0, "url": _url(_rgb(np.full((1, 50), 90.0), np.linspace(0, WARMEST, 50)[None]))}])
    bar = bar.mark_image(width=wide, height=tall, align="left", baseline="top", aspect=False).encode(url="url:N")
    scale = alt.layer(bar, written(str(material("scale", most=WARMEST)), wide + 8, 0, fontSize=tall))
    return over(in_lines(panels, columns, 16), scale.properties(width=measure.width, height=tall))


def _panel(pixels: NDArray[np.uint8], side: float, text: str, measure: Measure) -> alt.LayerChart:
    """A picture under its words, in as many lines as they need."""
    words = caption(wrapped(text, measure.characters(side, measure.small)), 0, "left", measure=measure)
    return alt.layer(_image(pixels, side), words, width=side, height=side)


def _image(pixels: NDArray[np.uint8], side: float, top: float = 0.0) -> alt.Chart:
    """A picture at the left, so many pixels wide."""
    image = placed([{"x": 0, "y": top, "url": _url(pixels)}])
    return image.mark_image(width=side, height=side, align="left", baseline="top").encode(url="url:N")


def _url(pixels: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _overlay(picture: facts.Picture) -> NDArray[np.uint8]:
    """Heat over the mean radiograph: as warm as it is looked at."""
    heat, grey = picture["heat"], picture["grey"]
    if grey is None:
        grey = np.full_like(heat, 90.0)
    rows, columns = (np.arange(n) * m // n for n, m in zip(grey.shape, heat.shape, strict=True))
    return _rgb(grey, heat[np.ix_(rows, columns)])


def _rgb(grey: NDArray[np.float64], heat: NDArray[np.float64] | float = 0.0) -> NDArray[np.uint8]:
    """Grey levels as a picture; where there is heat, the warmer, the more, up to `WARMEST` times as much as if evenly."""
    share = np.clip(heat, 0, WARMEST)[..., None] / 4
    return (grey[..., None] * (1 - share) + WARM * share).round().clip(0, 255).astype(np.uint8)


SIDES = ({"align": "right", "dx": -9, "dy": -9}, {"align": "left", "dx": 9, "dy": 9})
"""Where the first and the last mark, from left to right, have their names."""


@figure(partial(facts.of_figure, "scores"))
def scores(material: Material) -> Chart:
    """How scores are spread among the sick and the healthy of each group, and where thresholds cut them."""
    groups, attribute = material["groups"], material["d"].attribute.name
    height = 90 if material.size == "page" else 400 / len(groups)
    top = max(_height(bar) for group in groups for bar in (*group["sick"], *group["healthy"]))
    panels = []
    for group in groups:
        last = group is groups[-1]
        title = str(material("axis")) if last else None
        axis = alt.Axis(title=title, labels=last, tickCount=5, format=".1f")
        x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis)
        y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top]), axis=None)
        frames = [
            pl.DataFrame([{"x": bar["start"], "x2": bar["end"], "y": _height(bar)} for bar in group[label]])
            for label in ("sick", "healthy")
        ]
        sick, healthy = (alt.Chart(frame).encode(x, y, x2="x2:Q", y2=alt.datum(0)) for frame in frames)
        sick = sick.mark_rect(fill=group_look(attribute, group["group"]).colour, fillOpacity=0.6)
        healthy = healthy.mark_rect(fillOpacity=0.0, stroke="currentColor", strokeWidth=1, strokeOpacity=0.8)
        own = group["threshold"]
        cuts = [cut_at(0.5, x)] if own is None else [cut_at(0.5, x), cut_at(own, x, full=True)]
        heading = written(str(material("panel", own=group)), 4, 0, **BOLD)
        panels.append(alt.layer(sick, healthy, *cuts, heading, width=material.measure.width - 10, height=height))
    return over(*panels, sides(material, group_look(attribute, groups[0]["group"]).colour), spacing=10)


def _height(bar: dict[str, float]) -> float:
    return bar["share"] / (bar["end"] - bar["start"])


def cut_at(cut: float, x: alt.X, *, full: bool = False) -> alt.Chart:
    """A rule where scores are cut: dashed, or full for the cut-off that a rule has."""
    rule = alt.Chart(pl.DataFrame({"x": [cut]})).mark_rule(strokeWidth=2, strokeDash=[1, 0] if full else [4, 3])
    return rule.encode(x)


def sides(material: Material, colour: str) -> alt.LayerChart:
    """The key of distributions: the sick filled, the healthy outlined."""
    looks = {"sick": Look(colour, "square"), "healthy": Look(GREY, "square", hollow=True)}
    return key([(str(material(part)), look) for part, look in looks.items()], material.measure)


@figure(partial(facts.of_figure, "misses"))
def misses(material: Material) -> Chart:
    """The share of the sick that is missed, by finding and group."""
    attribute, language = material["d"].attribute, material.language
    findings = material["found"][: facts.MOST if material.size == "page" else 6]
    dots, measure = [], replace(material.measure, row=max(30, material.measure.row))
    for finding in findings:
        for k, (group, share) in enumerate(finding["groups"].items()):
            shift = (k - (len(finding["groups"]) - 1) / 2) * measure.row * 0.4
            row = f"|{language.finding(finding['finding'])}"
            dots.append(dot(row, share, group_look(attribute, group), shift=shift))
    entries = [(language.who(group, attribute), group_look(attribute.name, group)) for group in attribute.groups]
    panel = Panel(PERCENT, str(material("axis")), domain=(0.0, 1.0))
    return dot_panels(material, dots, panel, entries=entries, measure=measure, margin=20)


@figure(facts.roc)
def roc(material: Material) -> Chart:
    """One panel, or two: a curve for each group, and on it the mark of the cut-off 0.5 with the group's name."""
    shown = material["shown"]
    side = min((material.measure.width - 75 * len(shown)) / max(2, len(shown)), 300 if material.size == "page" else 390)
    return in_lines([_curves(material, one, side) for one in shown], len(shown), 25)


def _curves(material: Material, shown: dict[str, Any], side: float) -> alt.LayerChart:
    attribute, measure = material["d"].attribute, material.measure
    scale, up = alt.Scale(domain=[0, 1]), str(material("up")) if shown["untouched"] else None
    x = alt.X("fpr:Q", scale=scale, axis=alt.Axis(title=str(material("across")), tickCount=5, **PERCENT))
    y = alt.Y("tpr:Q", scale=scale, axis=alt.Axis(title=up, grid=True, tickCount=5, **PERCENT))

    def drawn(points: list[tuple[float, float]]) -> alt.Chart:
        frame = pl.DataFrame(points, ["fpr", "tpr"], orient="row").with_row_index("order")
        return alt.Chart(frame).encode(x, y)

    layers = [drawn([(0.0, 0.0), (1.0, 1.0)]).mark_line(strokeDash=[4, 3], opacity=FAINT, strokeWidth=1)]
    for group, points in shown["curves"].items():
        line = drawn(points).mark_line(color=group_look(attribute.name, group).colour, strokeWidth=2)
        layers.append(line.encode(order="order:Q"))
    ranked = sorted(shown["points"], key=lambda group: shown["points"][group])
    for group in ranked:
        look, point = group_look(attribute.name, group), drawn([shown["points"][group]])
        name = material.language.group(group, attribute)
        layers.append(point.mark_point(shape=look.shape, fill=look.colour, stroke=look.colour, size=2 * measure.dot))
        layers.append(point.mark_text(text=name, baseline="middle", **BOLD, **SIDES[group != ranked[0]]))
    heading = fitted(str(material("panel", own=shown)), side, measure)
    return alt.layer(*layers, caption(heading, 0, "left", measure=measure), width=side, height=side)
