"""Figures that are looked at before they are read: people of 1,000, mean radiographs, where networks look, scores, misses.

Their words stand in `lib/report/words/<language>/figures`.
"""

import base64
import struct
import zlib
from typing import Any

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.report.facts import pictures as facts
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.figures.marks import PERCENT, Chart, dot, dot_panel, framed, in_lines, key, label_width, nothing, over
from lib.report.theme import FAINT, MEASURES, Measure, Size, group_look
from lib.report.words.templates import filters, tell
from lib.results import Results

WRONG, RIGHT = "#bb3f57", "#7a7a7a"
WARM = np.array([235.0, 120.0, 20.0])
ACROSS, DOWN = 20, 5
"""People of a group and label: so many dots, ten people each."""


def people(results: Results, *, size: Size = "page") -> Chart:
    """Of 1,000 sick and 1,000 healthy of each group, those whom the baseline gets wrong: a dot is ten people."""
    told = facts.of_figure("people", results)
    if told is None:
        return _absent("people", size)
    d, groups = told["d"], told["groups"]
    measure = MEASURES[size]
    width = (measure.width - 40) / 2
    step = width / ACROSS
    line = measure.small * 1.4
    block = 2 * line + DOWN * step + line
    dots, texts = [], []
    for k, own in enumerate(groups):
        for side, (part, share) in enumerate((("missed", own.missed), ("alarmed", own.alarmed))):
            left, top = side * (width + 40), k * block
            wrong = round(100 * share)
            words = {"d": d, "group": own.group, "share": share}
            texts.append((left, top, str(tell("figures/people", f"{part}_whom", **words)), False))
            texts.append((left, top + line, str(tell("figures/people", part, **words)), True))
            for n in range(ACROSS * DOWN):
                x, y = left + (n // DOWN + 0.5) * step, top + 2 * line + (n % DOWN + 0.3) * step
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
    return _framed(chart, "people", size, told)


def radiographs(results: Results, *, size: Size = "page") -> Chart:
    """The mean radiographs of the two groups of the main finding, healthy and sick, and the difference of the groups."""
    told = facts.of_figure("radiographs", results)
    if told is None:
        return _absent("radiographs", size)
    d, two = told["d"], told["two"]
    of = {(own.group, own.label): own for own in told["shown"]}
    measure = MEASURES[size]
    side = min((measure.width - 48) / 3, 340 if size == "page" else 250)
    lines = []
    for label in (HEALTHY, SICK):
        if not all((group, label) in of for group in two):
            continue
        one, other = (of[group, label] for group in two)
        panels = [
            _panel(_rgb(own.grey), side, tell("figures/radiographs", "panel", d=d, own=own), measure)
            for own in (one, other)
        ]
        apart = np.clip(127.5 + 2 * (one.grey - other.grey), 0, 255)
        panels.append(
            _panel(_rgb(apart), side, tell("figures/radiographs", "difference", one=one, other=other), measure)
        )
        lines.append(alt.hconcat(*panels, spacing=24))
    if not lines:
        return _absent("radiographs", size)
    chart = over(*(lines if size == "page" else lines[-1:]), spacing=20)
    return _framed(chart, "radiographs", size, told)


def saliency(results: Results, *, size: Size = "page") -> Chart:
    """Where the networks look when they are right, over the mean radiograph: the warmer, the more."""
    told = facts.of_figure("saliency", results)
    if told is None:
        return _absent("saliency", size)
    measure = MEASURES[size]
    side = min((measure.width - 3 * 16) / 4, 260)
    panels = [
        _panel(_overlay(own), side, tell("figures/saliency", "panel", d=told["d"], own=own), measure)
        for own in told["shown"]
    ]
    return _framed(in_lines(panels, 4, 16), "saliency", size, told)


def scores(results: Results, *, size: Size = "page") -> Chart:
    """How scores are spread among the sick and the healthy of each group, and where thresholds cut them."""
    told = facts.of_figure("scores", results)
    if told is None:
        return _absent("scores", size)
    d, groups = told["d"], told["groups"]
    measure = MEASURES[size]
    height = 90 if size == "page" else 400 / len(groups)
    top = max(bar.height for own in groups for bar in (*own.sick, *own.healthy))
    panels = [_distribution(own, d, top, measure, height, last=own is groups[-1]) for own in groups]
    entries = [(str(tell("figures/scores", part)), look) for part, look in _sides(d.attribute.name, groups[0].group)]
    return _framed(over(*panels, key(entries, measure), spacing=10), "scores", size, told)


def _distribution(
    own: facts.Scores, d: Any, top: float, measure: Measure, height: float, *, last: bool
) -> alt.LayerChart:
    look = group_look(d.attribute.name, own.group)
    axis = alt.Axis(title=str(tell("figures/scores", "axis")) if last else None, labels=last, tickCount=5)
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
    text = str(tell("figures/scores", "panel", d=d, own=own))
    head = alt.Chart(pl.DataFrame({"t": [text]})).mark_text(align="left", baseline="top", fontWeight=600)
    layers.append(head.encode(x=alt.XValue(4), y=alt.YValue(0), text="t:N"))
    return alt.layer(*layers, width=measure.width - 10, height=height)


def _sides(attribute: str, group: str) -> list[tuple[str, Any]]:
    look = group_look(attribute, group)
    return [("sick", type(look)(look.colour, "square")), ("healthy", type(look)("#7a7a7a", "square", hollow=True))]


def roc(results: Results, *, size: Size = "page") -> Chart:
    """ROC curves by group, from the histograms, each with the point where the threshold 0.5 puts it."""
    told = facts.of_figure("roc", results)
    if told is None:
        return _absent("roc", size)
    d, groups = told["d"], told["groups"]
    rates = {own.group: own for own in facts.errors(d)}
    measure = MEASURES[size]
    side = 380 if size == "page" else 430
    x = alt.X(
        "fpr:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(title=str(tell("figures/roc", "across")), **PERCENT)
    )
    y = alt.Y(
        "tpr:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title=str(tell("figures/roc", "up")), grid=True, **PERCENT),
    )
    layers = [
        alt.Chart(pl.DataFrame({"fpr": [0.0, 1.0], "tpr": [0.0, 1.0]}))
        .mark_line(strokeDash=[4, 3], opacity=FAINT, strokeWidth=1)
        .encode(x, y)
    ]
    entries = []
    for own in groups:
        look = group_look(d.attribute.name, own.group)
        curve = pl.DataFrame(own.curve(), ["cut", "fpr", "tpr"], orient="row")
        layers.append(alt.Chart(curve).mark_line(color=look.colour, strokeWidth=2).encode(x, y, order="cut:Q"))
        if own.group in rates:
            point = pl.DataFrame({"fpr": [rates[own.group].alarmed], "tpr": [1 - rates[own.group].missed]})
            mark = {"shape": look.shape, "fill": look.colour, "stroke": look.colour, "size": 2 * measure.dot}
            layers.append(alt.Chart(point).mark_point(**mark).encode(x, y))
        entries.append((str(tell("figures/roc", "panel", d=d, own=own)), look))
    chart = alt.layer(*layers, width=side, height=side)
    return _framed(over(chart, key(entries, measure)), "roc", size, told)


def misses(results: Results, *, size: Size = "page") -> Chart:
    """The share of the sick that is missed, by finding and group."""
    told = facts.of_figure("misses", results)
    if told is None:
        return _absent("misses", size)
    d, found = told["d"], told["found"][: facts.MOST if size == "page" else 6]
    measure = MEASURES[size]
    labels = [f"|{own.finding.replace('_', ' ')}" for own in found]
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
        measure=measure,
        width=width,
        domain=(0.0, 1.0),
        axis=PERCENT,
        heading=str(tell("figures/misses", "axis")),
    )
    who = filters("en")["who"]
    entries = [(who(group, d.attribute), group_look(d.attribute.name, group)) for group in d.attribute.groups]
    return _framed(over(panel, key(entries, measure)), "misses", size, told)


def _framed(chart: alt.TopLevelMixin, name: str, size: Size, told: dict[str, Any]) -> Chart:
    template = f"figures/{name}"
    return framed(
        chart,
        title=tell(template, "title", **told),
        subtitle=[tell(template, "subtitle", **told)],
        description=tell(template, "alt", **told),
        size=size,
    )


def _absent(name: str, size: Size) -> Chart:
    return nothing(tell(f"figures/{name}", "absent"), size=size)


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
