"""The drawings of the introduction: from folder to decision, two demands that conflict, intervals by patient and by image."""

import altair as alt
import numpy as np
import polars as pl

from lib.report.facts import principles as facts
from lib.report.figures.marks import (
    PERCENT,
    Chart,
    dot,
    dot_panel,
    in_lines,
    key,
    label_width,
    over,
    span,
    under_headings,
    wrapped,
)
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GREY, LABELS, PALE, Look

TICKS = (0.05, 0.2, 0.5, 0.8, 0.95)
CONFLICT = {"A": Look("#5f7a94", "circle"), "B": Look("#8a6f4e", "square")}


@figure(facts.pipeline)
def pipeline(material: Material) -> Chart:
    """Six steps in a line, and under each where bias can enter."""
    steps, measure = material["steps"], material.measure
    gap = measure.small
    width = (measure.width - gap * (len(steps) - 1)) / len(steps)
    lines = measure.characters(width, measure.small) - 1
    tall, line = measure.small * 2.2, measure.small * 1.3
    boxes, arrows, texts = [], [], []
    for k, step in enumerate(steps):
        left = k * (width + gap)
        boxes.append({"x": left, "x2": left + width, "y": 0.0, "y2": tall})
        texts.append((left + width / 2, tall / 2, str(material(step)), "head"))
        for part, top in (("does", tall + line), ("bias", tall + 6.8 * line)):
            told = wrapped(str(material(f"{step}_{part}")), lines)
            texts += [(left, top + j * line, text, part) for j, text in enumerate(told)]
        if k:
            arrows.append({"x": left - gap / 2, "y": tall / 2})
    place = {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}
    drawn = (
        alt.Chart(pl.DataFrame(boxes))
        .mark_rect(fillOpacity=0.0, stroke=GREY, strokeWidth=1.5, cornerRadius=4)
        .encode(**place, x2="x2:Q", y2="y2:Q")
    )
    pointing = alt.Chart(pl.DataFrame(arrows)).mark_point(shape="triangle-right", size=70, fill=GREY, stroke=GREY)
    frame = pl.DataFrame(texts, ["x", "y", "text", "part"], orient="row")
    styles = {
        "head": {"align": "center", "baseline": "middle", "fontWeight": 600},
        "does": {"align": "left", "baseline": "middle", "opacity": FAINT + 0.2},
        "bias": {"align": "left", "baseline": "middle", "color": "#bb3f57"},
    }
    layers = [
        alt.Chart(frame.filter(part=part)).mark_text(**style).encode(**place, text="text:N")
        for part, style in styles.items()
    ]
    label = alt.Chart(pl.DataFrame({"x": [0.0], "y": [tall + 5.6 * line], "text": [str(material("where"))]}))
    layers.append(label.mark_text(align="left", baseline="middle", fontWeight=600).encode(**place, text="text:N"))
    height = max(y for _, y, _, _ in texts) + line
    return alt.layer(drawn, pointing.encode(**place), *layers, width=measure.width, height=height)


@figure(facts.conflict)
def conflict(material: Material) -> Chart:
    """Two groups under one cut-off: the scores of the sick filled, those of the healthy outlined."""
    sides, at, measure = material["sides"], material["at"], material.measure
    top = max(max(side.sick) for side in sides) * 1.45
    height = 110 if material.size == "page" else 170
    marks = [float(np.log(share / (1 - share))) for share in TICKS]
    names = " : ".join(
        f"abs(datum.value - {mark:.4f}) < 0.01 ? '{material.language.number(share, 2)}'"
        for mark, share in zip(marks, TICKS, strict=True)
    )
    panels = []
    for side in sides:
        last = side is sides[-1]
        title = str(material("axis")) if last else None
        axis = alt.Axis(title=title, values=marks, labelExpr=f"{names} : ''", labels=last, grid=False)
        x = alt.X("at:Q", scale=alt.Scale(domain=[at[0], at[-1]], nice=False), axis=axis)
        y = alt.Y("density:Q", scale=alt.Scale(domain=[0, top]), axis=None)
        layers = []
        for values, style in ((side.sick, {"fillOpacity": 0.6}), (side.healthy, {"fillOpacity": 0.0, "line": True})):
            frame = pl.DataFrame({"at": at, "density": values})
            own = {"color": CONFLICT[side.group].colour} | style
            if own.pop("line", False):
                layers.append(alt.Chart(frame).mark_line(color="currentColor", strokeWidth=1.5).encode(x, y))
            else:
                layers.append(alt.Chart(frame).mark_area(**own).encode(x, y))
        cut = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(strokeWidth=2, strokeDash=[4, 3])
        layers.append(cut.encode(x=x))
        for text, across, align in (
            (material("missed", side=side), -0.1, "right"),
            (material("alarmed", side=side), 0.1, "left"),
        ):
            told = alt.Chart(pl.DataFrame({"at": [across], "t": [str(text)]})).mark_text(align=align, baseline="top")
            layers.append(told.encode(x=x, y=alt.YValue(20), text="t:N"))
        head = alt.Chart(pl.DataFrame({"t": [str(material("panel", side=side))]}))
        head = head.mark_text(align="left", baseline="top", fontWeight=600)
        layers.append(head.encode(x=alt.XValue(0), y=alt.YValue(0), text="t:N"))
        panels.append(alt.layer(*layers, width=measure.width - 10, height=height))
    look = CONFLICT["A"]
    entries = [
        (str(material("sick")), Look(look.colour, "square")),
        (str(material("healthy")), Look(GREY, "square", True)),
    ]
    return over(*panels, key(entries, measure), spacing=10)


@figure(facts.interval_levels)
def interval_levels(material: Material) -> Chart:
    """The baseline's intervals by patient, and by image, which takes images of one patient for strangers."""
    measure, language, found = material.measure, material.language, material["found"]
    names = {
        (own.attribute, own.group): f"{language.attribute(own.attribute)}|{language.group(own.group, own.attribute)}"
        if own.attribute != "overall"
        else f"|{language.phrase('everyone')}"
        for own in found
    }
    labels = under_headings(names.values())
    metrics = material["metrics"]
    width = (measure.width - label_width(labels, measure) - 24 * (len(metrics) - 1) - 10) / len(metrics)
    ends = [end for own in found for end in (own.patient.low, own.patient.high, own.image.low, own.image.high)]
    low, high = span(ends, step=0.1, least=0.2)
    patient, image = Look(PALE, "circle"), Look(LABELS[1][1].colour, "circle")
    panels = []
    for metric in metrics:
        dots = [
            dot(names[own.attribute, own.group], side.value, side.low, side.high, look, thick=thick)
            for of, look, thick in (("patient", patient, 9.0), ("image", image, 2.0))
            for own in found
            if own.metric == metric
            for side in (getattr(own, of),)
        ]
        panels.append(
            dot_panel(
                dots,
                labels,
                own=material.language,
                measure=measure,
                width=width,
                domain=(max(0.0, low), min(1.0, high)),
                heading=language.metric(metric),
                axis=PERCENT,
                labelled=metric == metrics[0],
                ticks=4,
            )
        )
    entries = [(str(material("by_patient")), Look(PALE, "square")), (str(material("by_image")), image)]
    return over(in_lines(panels, len(panels), 24), key(entries, measure))
