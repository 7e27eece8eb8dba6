"""Scores: how they are spread in each group, whom a cut-off misses, ROC curves untouched and under the board's weighting."""

from functools import partial
from typing import Any

import altair as alt
import polars as pl

from lib.report.facts import pictures as facts
from lib.report.figures.layout import BOLD, Chart, fitted, in_lines, over, written
from lib.report.figures.lines import decimals
from lib.report.figures.marks import PERCENT, Panel, caption, dot, dot_panels, key
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GREY, Look, group_look

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
        axis = alt.Axis(title=title, labels=last, tickCount=5, **decimals(material.language))
        x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis)
        y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top]), axis=None)
        sick, healthy = (
            alt.Chart(pl.DataFrame([{"x": bar["start"], "x2": bar["end"], "y": _height(bar)} for bar in bars]))
            .encode(x, y, x2="x2:Q", y2=alt.datum(0))
            .mark_rect(**style)
            for bars, style in (
                (group["sick"], {"fill": group_look(attribute, group["group"]).colour, "fillOpacity": 0.6}),
                (
                    group["healthy"],
                    {"fillOpacity": 0.0, "stroke": "currentColor", "strokeWidth": 1, "strokeOpacity": 0.8},
                ),
            )
        )
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
    rows, dots = [], []
    for finding in findings:
        rows.append(f"|{language.finding(finding['finding'])}")
        for k, (group, share) in enumerate(finding["groups"].items()):
            shift = (k - (len(finding["groups"]) - 1) / 2) * material.measure.row * 0.3
            dots.append(dot(rows[-1], share, group_look(attribute.name, group), shift=shift))
    entries = [(language.who(group, attribute), group_look(attribute.name, group)) for group in attribute.groups]
    panel = Panel(dots, (0.0, 1.0), PERCENT, str(material("axis")))
    return dot_panels(material, rows, [panel], entries=entries, margin=20)


@figure(facts.roc)
def roc(material: Material) -> Chart:
    """One panel, or two: a curve for each group, and on it the mark of the cut-off 0.5 with the group's name."""
    shown = material["shown"]
    side = min((material.measure.width - 75 * len(shown)) / max(2, len(shown)), 300 if material.size == "page" else 390)
    return in_lines([_panel(material, one, side) for one in shown], len(shown), 25)


def _panel(material: Material, shown: dict[str, Any], side: float) -> alt.LayerChart:
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
