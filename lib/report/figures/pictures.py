"""Figures that are looked at before they are read: people of 1,000, mean radiographs, where networks look.

Their words stand in `lib/report/words/<language>/figures`.
"""

import base64
import io
from functools import partial

import altair as alt
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib.pictures.saliency import BOX
from lib.report.facts import pictures as facts
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.figures.layout import BOLD, Chart, filled, in_lines, over, placed, wrapped, written
from lib.report.figures.marks import caption
from lib.report.registry import Material, figure
from lib.report.theme import GREY, Measure

WRONG = "#bb3f57"
WARM = np.array([235.0, 120.0, 20.0])
WARMEST = 3
"""Times as much as if evenly."""
DOTS = 100
"""Of a group and label, ten people each."""


@figure(partial(facts.of_figure, "people"))
def people(material: Material) -> Chart:
    """Of 1,000 sick and 1,000 healthy of each group, those whom the baseline gets wrong: a dot is ten people.

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
    side = min((material.measure.width - 48) / 3, 340 if material.size == "page" else 250)
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
    box = placed([{"x": low, "x2": high, "y": low, "y2": high}]).mark_rect(
        fillOpacity=0, stroke="white", strokeWidth=1.5, strokeDash=[4, 3]
    )
    panels = [
        alt.layer(_panel(_overlay(own), side, str(material("panel", own=own)), measure), box)
        for own in material["shown"]
    ]
    steps, wide, tall = np.linspace(0, WARMEST, 50), 160, measure.small
    colours = _over_grey(np.full((1, 50), 90.0), steps[None])
    bar = placed([{"x": 0, "y": 0, "url": _url(colours)}]).mark_image(
        width=wide, height=tall, align="left", baseline="top", aspect=False
    )
    scale = alt.layer(
        bar.encode(url="url:N"), written(str(material("scale", most=WARMEST)), wide + 8, 0, fontSize=tall)
    )
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


def _rgb(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.repeat(grey.round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _overlay(picture: facts.Picture) -> NDArray[np.uint8]:
    """Heat over the mean radiograph: as warm as it is looked at."""
    heat, grey = picture["heat"], picture["grey"]
    if grey is None:
        grey = np.full_like(heat, 90.0)
    rows, columns = (np.arange(n) * m // n for n, m in zip(grey.shape, heat.shape, strict=True))
    return _over_grey(grey, heat[np.ix_(rows, columns)])


def _over_grey(grey: NDArray[np.float64], heat: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The warmer, the more; no warmer from `WARMEST` times as much as if evenly on."""
    share = (heat.clip(0, WARMEST) / 4)[..., None]
    return (grey[..., None] * (1 - share) + WARM * share).round().clip(0, 255).astype(np.uint8)
