"""The map of all methods, and who gains and who loses under each option, in people of 1,000."""

import altair as alt
import polars as pl

from lib.names import SHOWN, SUGGESTED
from lib.report.facts import choice as facts
from lib.report.figures.marks import (
    GAP,
    PERCENT,
    Chart,
    dot,
    dot_panel,
    in_lines,
    key,
    label_width,
    over,
    span,
    wrapped,
)
from lib.report.registry import Material, figure
from lib.report.theme import GREY, INK, VERDICTS, Look, group_look

BEST = VERDICTS["improves"].colour
LOOKS = {
    facts.NARROWS: Look(BEST, "circle"),
    facts.MAY_NARROW: Look(BEST, "circle", hollow=True),
    facts.UNSEEN: Look(GREY, "cross"),
    facts.UNTREATED: Look(INK, "diamond"),
}


@figure(facts.front)
def front(material: Material) -> Chart:
    """Balanced accuracy against the gap that is left; the options of the decision page are named, the recommended one is marked."""
    points, measure = material["points"], material.measure
    x_ends = span([0.0, *(own.gap for own in points)], step=0.05, least=0.1)
    low, high = span([own.accuracy for own in points], step=0.02, least=0.08)
    drawn = pl.DataFrame(
        [
            {
                "gap": own.gap,
                "accuracy": own.accuracy,
                "colour": LOOKS[own.kind].colour,
                "fill": "transparent" if LOOKS[own.kind].hollow else LOOKS[own.kind].colour,
                "shape": LOOKS[own.kind].shape,
                "front": own.named,
                "tip": str(material("tip", own=own)),
            }
            for own in sorted(points, key=lambda own: own.named)
        ]
    )
    width, height = measure.width - 90, 330 if material.size == "page" else 400
    middle, line = sum(x_ends) / 2, 1.4 * measure.small
    # the baseline has a mark of its own; the rule of a name that stands higher passes beside those that stand lower
    named = sorted(
        (own for own in points if own.named and own.kind != facts.UNTREATED), key=lambda own: abs(own.gap - middle)
    )
    names = [
        (own, wrapped(str(material("name", own=own)), measure.characters(width / 2, measure.small))) for own in named
    ]
    band = line * (0.5 + sum(len(lines) for _, lines in names)) if names else 0.0
    unit = (high - low) / height
    x = alt.X(
        "gap:Q",
        scale=alt.Scale(domain=list(x_ends), nice=False),
        axis=alt.Axis(title=str(material("across")), tickCount=5, **GAP),
    )
    y = alt.Y(
        "accuracy:Q",
        scale=alt.Scale(domain=[low, high + band * unit], nice=False, zero=False),
        axis=alt.Axis(title=str(material("up")), tickCount=5, grid=True, **PERCENT),
    )
    marks = (
        alt.Chart(drawn)
        .mark_point(strokeWidth=1.5, aria=True)
        .encode(
            x,
            y,
            fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
            size=alt.condition("datum.front", alt.value(measure.dot * 1.6), alt.value(measure.dot * 0.6)),
            opacity=alt.condition("datum.front", alt.value(1), alt.value(0.55)),
            description="tip:N",
        )
    )
    layers = [marks]
    ring = [own for own in points if own.recommended]
    if ring:
        frame = pl.DataFrame([{"gap": own.gap, "accuracy": own.accuracy} for own in ring])
        circle = {"shape": "circle", "fillOpacity": 0, "stroke": INK, "strokeWidth": 2, "size": measure.dot * 6}
        layers.append(alt.Chart(frame).mark_point(**circle).encode(x, y))
    layers = _names(names, middle, high, line * unit, x, y) + layers
    entries = [
        (str(material(f"key_{name.replace(' ', '_')}")), look)
        for name, look in LOOKS.items()
        if any(own.kind == name for own in points)
    ]
    return over(alt.layer(*layers, width=width, height=height + band), key(entries, measure), spacing=20)


def _names(
    named: list[tuple[facts.Point, list[str]]], middle: float, above: float, line: float, x: alt.X, y: alt.Y
) -> list[alt.Chart]:
    """The names of the options over the cloud, from `above` upwards in lines as high as `line`, each with a rule down to its mark."""
    layers = []
    for own, lines in named:
        above += line * len(lines)
        left = own.gap < middle
        place = {"gap": [own.gap], "accuracy": [above], "mark": [own.accuracy], "t": ["\n".join(lines)]}
        style = {"align": "left" if left else "right", "dx": 6 if left else -6, "fontWeight": 600, "lineBreak": "\n"}
        base = alt.Chart(pl.DataFrame(place))
        layers.append(base.mark_rule(stroke=INK, strokeWidth=1).encode(x, y, y2="mark:Q"))
        for halo in ({"stroke": "white", "strokeWidth": 4, "strokeJoin": "round"}, {}):
            layers.append(base.mark_text(baseline="top", **style, **halo).encode(x, y, text="t:N"))
    return layers


@figure(facts.who_gains)
def who_gains(material: Material) -> Chart:
    """Under each option, of 1,000 sick and of 1,000 healthy of each group, how many fewer (or more) are got wrong."""
    d, gains, measure = material["d"], material["gains"], material.measure
    errors = [error for error in ("missed", "alarmed") if any(own.error == error for own in gains)]
    rows = []
    for error in errors:
        rows.append(f"{material(error)}|")
        rows += [f"{material(error)}|{material.language.group(group, d.attribute)}" for group in d.attribute.groups]
    options = sorted({own.option for own in gains})
    width = (measure.width - label_width(rows, measure) - 28 * (len(options) - 1) - 20) / len(options)
    ends = [end for own in gains for end in (own.gain.value, own.gain.low, own.gain.high) if end is not None]
    domain = span([0.0, *ends], step=0.1, least=0.2)
    panels = []
    for k in options:
        dots = []
        for own in (own for own in gains if own.option == k):
            sure = own.gain.verdict == SHOWN
            colour = group_look(d.attribute.name, own.group).colour if own.gain.verdict in (SHOWN, SUGGESTED) else GREY
            look = Look(colour, group_look(d.attribute.name, own.group).shape, hollow=not sure)
            row = f"{material(own.error)}|{material.language.group(own.group, d.attribute)}"
            dots.append(dot(row, own.gain.value, own.gain.low, own.gain.high, look))
        panels.append(
            dot_panel(
                dots,
                rows,
                own=material.language,
                measure=measure,
                width=width,
                domain=domain,
                axis={
                    "labelExpr": "(datum.value > 0 ? '+' : datum.value < 0 ? '\u2212' : '') + format(abs(1000 * datum.value), 'd')"
                },
                heading=wrapped(str(material("option", o=d.rivals[k])), measure.characters(width, measure.small)),
                labelled=k == options[0],
                at=0.0,
                ticks=4,
            )
        )
    entries = [
        (str(material("sure")), Look(GREY, "circle")),
        (str(material("unsure")), Look(GREY, "circle", hollow=True)),
    ]
    return over(in_lines(panels, len(panels), 28), key(entries, measure))
