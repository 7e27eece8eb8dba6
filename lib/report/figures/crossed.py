"""Every weighting with every rule: what each pair leaves of the gap, in one table of shades."""

from functools import partial

import altair as alt

from lib.names import BASELINE, BASELINE_WEIGHTING
from lib.report.facts import choice
from lib.report.figures.layout import BOLD, Chart, as_it_is, placed, wrapped, written
from lib.report.registry import Material, figure
from lib.report.theme import CELLS, VERDICTS

NAME = 24
"""Characters of a line of a row's name."""
LEAST_STEP = 0.05
"""Gaps that differ by less may have one shade."""


@figure(choice.crossed)
def crossed(material: Material) -> Chart:
    """A row for each weighting, a column for each rule: the gap that is left, in shade and number, and what balanced accuracy becomes."""
    cells, measure, language = material["cells"], material.measure, material.language
    weightings, rules = ({name: k for k, name in enumerate(material[names])} for names in ("weightings", "rules"))
    small = measure.small
    names = {name: wrapped(language.weighting(name), NAME) for name in weightings}
    left = max(len(line) for lines in names.values() for line in lines) * 0.5 * small + 12
    wide = (measure.width - left) / len(rules)
    heads = [wrapped(language.rule(name), int(wide / (0.55 * small))) for name, _ in rules]
    top = 12 + 1.15 * max(map(len, heads)) * small
    high = max(max(map(len, names.values())) + 0.2, 3.4) * small
    step = max(LEAST_STEP, max(cell["gap"] for cell in cells.values()) / len(CELLS))
    boxes, middles, dear, rings = [], [], [], []
    size_of = language.thousand if material.size == "slide" else partial(language.points, signed=False)
    for method, cell in cells.items():
        if method[0] not in weightings or method[1:] not in rules:
            continue
        x, y = left + rules[method[1:]] * wide, top + weightings[method[0]] * high
        fill, ink = CELLS[min(len(CELLS) - 1, int(cell["gap"] / step))]
        boxes.append({"x": x, "y": y, "x2": x + wide, "y2": y + high, "fill": fill, "ink": ink})
        middle = {"x": x + wide / 2, "y": y + high * 0.31, "below": y + high * 0.74}
        told = {"gap": size_of(cell["gap"]), "accuracy": language.hundred(cell["accuracy"]), "ink": ink}
        middles.append(middle | told)
        if cell["dear"]:
            dear.append({"x": x + wide - 0.32 * small, "y": y + 0.32 * small, "ink": ink})
        if cell["chosen"]:
            rings.append({"x": x + 1.5, "y": y + 1.5, "x2": x + wide - 1.5, "y2": y + high - 1.5})
    size = {"width": measure.width, "height": top + high * len(weightings)}
    shades = placed(boxes).mark_rect(stroke="white", strokeWidth=1)
    middles = placed(middles).encode(color=as_it_is("ink"))
    layers = [shades.encode(fill=as_it_is("fill", alt.Fill))]
    layers.append(middles.mark_text(fontSize=small, fontWeight=600, baseline="middle").encode(text="gap:N"))
    below = middles.encode(y=alt.Y("below:Q", scale=None, axis=None), text="accuracy:N")
    layers.append(below.mark_text(fontSize=small, baseline="middle"))
    if dear:
        down = placed(dear).mark_point(shape="triangle-down", size=2.2 * small, filled=True, opacity=1)
        layers.append(down.encode(color=as_it_is("ink")))
    if rings:
        layers.append(placed(rings).mark_rect(fillOpacity=0, stroke=VERDICTS["harms"].colour, strokeWidth=3))
    for name, k in weightings.items():
        y = top + (k + 0.5) * high - (len(names[name]) - 1) * 0.5 * small
        bold = BOLD if name == BASELINE_WEIGHTING else {}
        style = {"align": "right", "baseline": "middle", "fontSize": small, "lineHeight": small} | bold
        layers.append(written(names[name], left - 8, y, **style))
    for head, (rule, k) in zip(heads, rules.items(), strict=True):
        bold = BOLD if rule == BASELINE[1:] else {}
        style = {"fontSize": small, "lineHeight": 1.1 * small, "align": "center", "baseline": "bottom"} | bold
        x, y = left + (k + 0.5) * wide, top - 6 - (len(head) - 1) * 1.1 * small
        layers.append(written(head, x, y, **style))
    return alt.layer(*layers, **size)
