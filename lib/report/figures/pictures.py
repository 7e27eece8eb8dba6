"""Figures that are looked at before they are read: people of 1,000, mean radiographs, where networks look, scores, misses.

Their words stand in `lib/report/words/<language>/figures`.
"""

import base64
import struct
import zlib
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.report.facts import pictures as facts
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.figures.lines import decimals
from lib.report.figures.marks import PERCENT, Chart, dot, dot_panel, in_lines, key, label_width, over
from lib.report.registry import Material, figure
from lib.report.theme import Measure, group_look

WRONG, RIGHT = "#bb3f57", "#7a7a7a"
WARM = np.array([235.0, 120.0, 20.0])
DOTS = 100
"""Of a group and label, ten people each."""


@figure(partial(facts.of_figure, "people"))
def people(material: Material) -> Chart:
    """Of 1,000 sick and 1,000 healthy of each group, those whom the baseline gets wrong: a dot is ten people."""
    groups, measure = material["groups"], material.measure
    width = (measure.width - 40) / 2
    down = 2 if material.size == "slide" and len(groups) > 2 else 5  # a slide has room for few lines
    step = width / (DOTS // down)
    line = measure.small * 1.4
    block = 2 * line + down * step + line
    dots, texts = [], []
    for k, own in enumerate(groups):
        for side, (part, share) in enumerate((("missed", own.missed), ("alarmed", own.alarmed))):
            left, top = side * (width + 40), k * block
            wrong = round(100 * share)
            words = {"group": own.group, "share": share}
            texts.append((left, top, str(material(f"{part}_whom", **words)), False))
            texts.append((left, top + line, str(material(part, **words)), True))
            for n in range(DOTS):
                x, y = left + (n // down + 0.5) * step, top + 2 * line + (n % down + 0.3) * step
                dots.append((x, y, WRONG if n < wrong else "transparent", WRONG if n < wrong else RIGHT))
    place = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}
    frame = pl.DataFrame(dots, schema=["x", "y", "fill", "stroke"], orient="row")
    drawn = (
        alt.Chart(frame)
        .mark_point(shape="circle", size=(0.62 * step) ** 2, strokeWidth=1.2)
        .encode(
            **place,
            fill=alt.Fill("fill:N", scale=None, legend=None),
            stroke=alt.Stroke("stroke:N", scale=None, legend=None),
        )
    )
    written = pl.DataFrame(texts, schema=["x", "y", "text", "bold"], orient="row")
    layers = [
        alt.Chart(written.filter(bold=bold))
        .mark_text(align="left", baseline="top", fontWeight=600 if bold else "normal")
        .encode(**place, text="text:N")
        for bold in (False, True)
    ]
    chart = alt.layer(drawn, *layers, width=measure.width, height=block * len(groups) - line)
    return chart


@figure(partial(facts.of_figure, "radiographs"))
def radiographs(material: Material) -> Chart:
    """The mean radiographs of the two groups of the main finding, healthy and sick, and the difference of the groups."""
    two = material["two"]
    of = {(own.group, own.label): own for own in material["shown"]}
    measure = material.measure
    side = min((measure.width - 48) / 3, 340 if material.size == "page" else 250)
    lines = []
    for label in (HEALTHY, SICK):
        if not all((group, label) in of for group in two):
            continue
        one, other = (of[group, label] for group in two)
        panels = [_panel(_rgb(own.grey), side, material("panel", own=own), measure) for own in (one, other)]
        apart = np.clip(127.5 + 2 * (one.grey - other.grey), 0, 255)
        panels.append(_panel(_rgb(apart), side, material("difference", one=one, other=other), measure))
        lines.append(alt.hconcat(*panels, spacing=24))
    chart = over(*(lines if material.size == "page" else lines[-1:]), spacing=20)
    return chart


@figure(partial(facts.of_figure, "saliency"))
def saliency(material: Material) -> Chart:
    """Where the networks look when they are right, over the mean radiograph: the warmer, the more."""
    measure = material.measure
    columns = min(4, len(material["shown"]))
    side = min((measure.width - 16 * (columns - 1)) / columns, 300)
    panels = [_panel(_overlay(own), side, material("panel", own=own), measure) for own in material["shown"]]
    return in_lines(panels, columns, 16)


@figure(partial(facts.of_figure, "scores"))
def scores(material: Material) -> Chart:
    """How scores are spread among the sick and the healthy of each group, and where thresholds cut them."""
    d, groups = material["d"], material["groups"]
    measure = material.measure
    height = 90 if material.size == "page" else 400 / len(groups)
    top = max(bar.height for own in groups for bar in (*own.sick, *own.healthy))
    panels = [_distribution(material, own, top, height, last=own is groups[-1]) for own in groups]
    entries = [(str(material(part)), look) for part, look in _sides(d.attribute.name, groups[0].group)]
    return over(*panels, key(entries, measure), spacing=10)


def _distribution(material: Material, own: facts.Scores, top: float, height: float, *, last: bool) -> alt.LayerChart:
    d, measure = material["d"], material.measure
    look = group_look(d.attribute.name, own.group)
    axis = alt.Axis(
        title=str(material("axis")) if last else None, labels=last, tickCount=5, **decimals(material.language)
    )
    x = alt.X("start:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis)
    y = alt.Y("height:Q", scale=alt.Scale(domain=[0, top]), axis=None)

    def bars(side: tuple, **style: Any) -> alt.Chart:
        frame = pl.DataFrame(
            [(bar.start, bar.end, bar.height) for bar in side], ["start", "end", "height"], orient="row"
        )
        return alt.Chart(frame).mark_rect(**style).encode(x=x, x2="end:Q", y=y, y2=alt.datum(0))

    layers = [
        bars(own.sick, fill=look.colour, fillOpacity=0.6),
        bars(own.healthy, fillOpacity=0.0, stroke="currentColor", strokeWidth=1, strokeOpacity=0.8),
    ]
    cuts = [(0.5, [4, 3])] + ([(own.threshold, [1, 0])] if own.threshold is not None else [])
    for cut, dash in cuts:
        rule = alt.Chart(pl.DataFrame({"start": [cut]})).mark_rule(strokeWidth=2, strokeDash=dash)
        layers.append(rule.encode(x=x))
    text = str(material("panel", own=own))
    head = alt.Chart(pl.DataFrame({"t": [text]})).mark_text(align="left", baseline="top", fontWeight=600)
    layers.append(head.encode(x=alt.XValue(4), y=alt.YValue(0), text="t:N"))
    return alt.layer(*layers, width=measure.width - 10, height=height)


def _sides(attribute: str, group: str) -> list[tuple[str, Any]]:
    look = group_look(attribute, group)
    return [("sick", type(look)(look.colour, "square")), ("healthy", type(look)("#7a7a7a", "square", hollow=True))]


@figure(partial(facts.of_figure, "misses"))
def misses(material: Material) -> Chart:
    """The share of the sick that is missed, by finding and group."""
    d, found = material["d"], material["found"][: facts.MOST if material.size == "page" else 6]
    measure = material.measure
    labels = [f"|{material.language.finding(own.finding)}" for own in found]
    width = measure.width - label_width(labels, measure) - 20
    dots = []
    for own, label in zip(found, labels, strict=True):
        for k, (group, share) in enumerate(own.groups.items()):
            look = group_look(d.attribute.name, group)
            shift = (k - (len(own.groups) - 1) / 2) * measure.row * 0.3
            dots.append(dot(label, share.value, share.low, share.high, look) | {"shift": shift})
    panel = dot_panel(
        dots,
        labels,
        own=material.language,
        measure=measure,
        width=width,
        domain=(0.0, 1.0),
        axis=PERCENT,
        heading=str(material("axis")),
    )
    entries = [
        (material.language.who(group, d.attribute), group_look(d.attribute.name, group)) for group in d.attribute.groups
    ]
    return over(panel, key(entries, measure))


def _panel(pixels: NDArray[np.uint8], side: float, text: str, measure: Measure) -> alt.LayerChart:
    """A picture under its words."""
    place = {"x": alt.XValue(0), "y": alt.YValue(0)}
    frame = pl.DataFrame({"url": [_png(pixels)]})
    image = (
        alt.Chart(frame).mark_image(width=side, height=side, align="left", baseline="top").encode(url="url:N", **place)
    )
    head = alt.Chart(pl.DataFrame({"t": [text]})).mark_text(align="left", baseline="bottom", fontWeight=600, limit=side)
    return alt.layer(image, head.encode(x=alt.XValue(0), y=alt.YValue(-6), text="t:N"), width=side, height=side)


def _rgb(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.repeat(grey.round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _overlay(own: facts.Picture) -> NDArray[np.uint8]:
    """Heat over the mean radiograph: as warm as it is looked at, up to four times as much as if evenly."""
    heat, grey = own.heat, own.grey
    if grey is None:
        grey = np.full_like(heat, 90.0)
    rows, columns = (np.arange(n) * m // n for n, m in zip(grey.shape, heat.shape, strict=True))
    share = (heat[np.ix_(rows, columns)] / 4).clip(0, 0.75)[..., None]
    return (grey[..., None] * (1 - share) + WARM * share).round().clip(0, 255).astype(np.uint8)


def _png(pixels: NDArray[np.uint8]) -> str:
    """Pixels (h, w, 3) as a PNG in a data URL."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()
