"""ROC curves by group, untouched and under the board's weighting, side by side."""

import altair as alt
import polars as pl

from lib.report.facts import curves as facts
from lib.report.figures.marks import PERCENT, Chart, caption, in_lines, wrapped
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, group_look

SIDES = ({"align": "right", "dx": -9, "dy": -9}, {"align": "left", "dx": 9, "dy": 9})
"""Where the first and the last mark, from left to right, have their names."""


@figure(facts.gather)
def roc(material: Material) -> Chart:
    """One panel, or two: a curve for each group, and on it the mark of the cut-off 0.5 with the group's name."""
    shown = material["shown"]
    side = min((material.measure.width - 75 * len(shown)) / max(2, len(shown)), 300 if material.size == "page" else 390)
    return in_lines([_panel(material, own, side) for own in shown], len(shown), 25)


def _panel(material: Material, own: facts.Curves, side: float) -> alt.LayerChart:
    attribute, measure = material["d"].attribute, material.measure
    scale = alt.Scale(domain=[0, 1])
    up = str(material("up")) if own.untouched else None
    x = alt.X("fpr:Q", scale=scale, axis=alt.Axis(title=str(material("across")), tickCount=5, **PERCENT))
    y = alt.Y("tpr:Q", scale=scale, axis=alt.Axis(title=up, grid=True, tickCount=5, **PERCENT))
    layers = [
        alt.Chart(pl.DataFrame({"fpr": [0.0, 1.0], "tpr": [0.0, 1.0]}))
        .mark_line(strokeDash=[4, 3], opacity=FAINT, strokeWidth=1)
        .encode(x, y)
    ]
    for group, points in own.curves.items():
        frame = pl.DataFrame(points, ["fpr", "tpr"], orient="row").with_row_index("order")
        line = alt.Chart(frame).mark_line(color=group_look(attribute.name, group).colour, strokeWidth=2)
        layers.append(line.encode(x, y, order="order:Q"))
    ranked = sorted(own.points, key=lambda group: own.points[group])
    for group in ranked:
        look = group_look(attribute.name, group)
        point = alt.Chart(pl.DataFrame([own.points[group]], ["fpr", "tpr"], orient="row")).encode(x, y)
        name = material.language.group(group, attribute)
        layers.append(point.mark_point(shape=look.shape, fill=look.colour, stroke=look.colour, size=2 * measure.dot))
        layers.append(point.mark_text(text=name, fontWeight=600, baseline="middle", **SIDES[group != ranked[0]]))
    lines = wrapped(str(material("panel", own=own)), measure.characters(side, measure.small))
    return alt.layer(*layers, caption(lines, 0, "left", measure=measure), width=side, height=side)
