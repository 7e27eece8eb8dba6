"""The map of all methods, and who gains and who loses under each option, in people of 1,000."""

import altair as alt
import polars as pl

from lib.names import BASELINE, BASELINE_WEIGHTING
from lib.report.facts import choice as facts
from lib.report.figures.layout import BOLD, Chart, as_it_is, filled, fitted, over, placed, wrapped, written
from lib.report.figures.marks import GAP, PERCENT, THOUSAND, Panel, around_zero, dot, dot_panels, drawn_as, key, span
from lib.report.registry import Material, figure
from lib.report.theme import CELLS, GREY, INK, VERDICTS, Look, Size, group_look

BEST = VERDICTS["helps"].colour
LOOKS = {
    facts.NARROWS: Look(BEST, "circle"),
    facts.MAY_NARROW: Look(BEST, "circle", hollow=True),
    facts.UNSEEN: Look(GREY, "cross"),
    facts.UNTREATED: Look(INK, "diamond"),
}

NUMBER: dict[Size, int] = {"page": 12, "slide": 16}
NAME: dict[Size, int] = {"page": 28, "slide": 44}
HEAD, TALL = 26, 500
"""Of the table of shades: type, characters of a line of a row's and of a column's name, pixels that it takes on a slide."""
LEAST_STEP = 0.05
"""Gaps that differ by less may have one shade."""


@figure(facts.front)
def front(material: Material) -> Chart:
    """Balanced accuracy against the gap that is left; the options of the decision page are named, the recommended one is marked."""
    points, measure = material["points"], material.measure
    width, height = measure.width - 90, 330 if material.size == "page" else 400
    x_ends = span([0.0, *(point["gap"] for point in points)], step=0.05, least=0.1)
    low, high = span([point["accuracy"] for point in points], step=0.02, least=0.08)
    middle, line = sum(x_ends) / 2, 1.4 * measure.small
    # the baseline has a mark of its own; the rule of a name that stands higher passes beside those that stand lower
    named = sorted(
        (point for point in points if point["named"] and point["kind"] != facts.UNTREATED),
        key=lambda point: abs(point["gap"] - middle),
    )
    names = [(point, fitted(str(material("name", own=point)), width / 2, measure)) for point in named]
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
    rows = [
        {name: point[name] for name in ("gap", "accuracy", "named", "recommended")}
        | {"tip": str(material("tip", own=point))}
        | drawn_as(LOOKS[point["kind"]])
        for point in sorted(points, key=lambda point: point["named"])
    ]
    base = alt.Chart(pl.DataFrame(rows)).encode(x, y)
    marks = filled(base, strokeWidth=1.5, aria=True).encode(
        size=alt.condition("datum.named", alt.value(measure.dot * 1.6), alt.value(measure.dot * 0.6)),
        opacity=alt.condition("datum.named", alt.value(1), alt.value(0.55)),
        description="tip:N",
    )
    circle = {"shape": "circle", "fillOpacity": 0, "stroke": INK, "strokeWidth": 2, "size": measure.dot * 6}
    ring = base.transform_filter("datum.recommended").mark_point(**circle)
    layers = []
    # names stand over the cloud, one above the other, each with a rule down to its mark
    above = high
    for point, lines in names:
        above += line * unit * len(lines)
        left = point["gap"] < middle
        place = {"gap": [point["gap"]], "accuracy": [above], "mark": [point["accuracy"]]}
        style = {"align": "left" if left else "right", "dx": 6 if left else -6, "baseline": "top", "text": lines} | BOLD
        name = alt.Chart(pl.DataFrame(place)).encode(x, y)
        halo = {"stroke": "white", "strokeWidth": 4, "strokeJoin": "round"}
        layers += [name.mark_rule(stroke=INK, strokeWidth=1).encode(y2="mark:Q")]
        layers += [name.mark_text(**style, **halo), name.mark_text(**style)]
    kinds = {point["kind"] for point in points}
    entries = [(str(material(f"key_{name.replace(' ', '_')}")), look) for name, look in LOOKS.items() if name in kinds]
    cloud = alt.layer(*layers, marks, ring, width=width, height=height + band)
    return over(cloud, key(entries, measure), spacing=20)


@figure(facts.crossed)
def crossed(material: Material) -> Chart:
    """A row for each weighting, a column for each rule: the gap that is left, in shade and number, and what balanced accuracy becomes."""
    cells, measure, language = material["cells"], material.measure, material.language
    slide = material.size == "slide"
    weightings, rules = ({name: k for k, name in enumerate(material[names])} for names in ("weightings", "rules"))
    small, of_names = NUMBER[material.size], NAME[material.size]
    names = {name: wrapped(language.weighting(name), of_names) for name in weightings}
    heads = [wrapped(language.rule(name), HEAD) for name, _ in rules]
    left = max(len(line) for lines in names.values() for line in lines) * 0.5 * small + 12
    top = max(len(line) for lines in heads for line in lines) * 0.5 * small + 12
    wide = (measure.width - left) / len(rules)
    lines = max(map(len, names.values()))
    high = max((lines + 0.2) * small, (TALL - top) / len(weightings) if slide else 2.5 * small)
    step = max(LEAST_STEP, max(cell["gap"] for cell in cells.values()) / len(CELLS))
    boxes, rings = [], []
    for method, cell in cells.items():
        x, y = left + rules[method[1:]] * wide, top + weightings[method[0]] * high
        fill, ink = CELLS[min(len(CELLS) - 1, int(cell["gap"] / step))]
        middle = {"x": x + wide / 2, "y": y + high * (0.5 if slide else 0.31), "below": y + high * 0.74}
        box = {"x": x, "y": y, "x2": x + wide, "y2": y + high, "fill": fill, "ink": ink}
        told = {"gap": language.thousand(cell["gap"]), "accuracy": language.hundred(cell["accuracy"])}
        corner = {"at": x + wide - 0.32 * small, "under": y + 0.32 * small}
        boxes.append({"box": box, "middle": middle | told | {"ink": ink}, "corner": corner | {"ink": ink}, **cell})
        if cell["chosen"]:
            rings.append({"x": x + 1.5, "y": y + 1.5, "x2": x + wide - 1.5, "y2": y + high - 1.5})
    size = {"width": measure.width, "height": top + high * len(weightings)}
    shades = placed([own["box"] for own in boxes]).mark_rect(stroke="white", strokeWidth=1)
    middles = placed([own["middle"] for own in boxes]).encode(color=as_it_is("ink"))
    layers = [shades.encode(fill=as_it_is("fill", alt.Fill))]
    layers.append(middles.mark_text(fontSize=small, fontWeight=600, baseline="middle").encode(text="gap:N"))
    if not slide:
        below = middles.encode(y=alt.Y("below:Q", scale=None, axis=None), text="accuracy:N")
        layers.append(below.mark_text(fontSize=small, baseline="middle"))
    dear = [
        {"x": own["corner"]["at"], "y": own["corner"]["under"], "ink": own["corner"]["ink"]}
        for own in boxes
        if own["dear"]
    ]
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
        style = {"angle": 270, "baseline": "middle", "fontSize": small, "lineHeight": 1.1 * small} | bold
        layers.append(written(head, left + (k + 0.5) * wide - (len(head) - 1) * 0.55 * small, top - 6, **style))
    return alt.layer(*layers, **size)


@figure(facts.who_gains)
def who_gains(material: Material) -> Chart:
    """Under each option, of 1,000 sick and of 1,000 healthy of each group, how many fewer (or more) are got wrong."""
    d, gains = material["d"], material["gains"]

    def row(error: str, group: str) -> str:
        return f"{material(error)}|{material.language.group(group, d.attribute)}"

    errors = [error for error in ("missed", "alarmed") if any(gain["error"] == error for gain in gains)]
    options = sorted({gain["option"] for gain in gains})
    domain = around_zero([gain["gain"] for gain in gains], step=0.1, least=0.2)
    panels = []
    for option in options:
        dots = []
        for group, error, gain in ((g["group"], g["error"], g["gain"]) for g in gains if g["option"] == option):
            look = group_look(d.attribute.name, group)
            look = Look(look.colour if gain.seen else GREY, look.shape, hollow=not gain.shown)
            dots.append(dot(row(error, group), gain, look))
        panels.append(Panel(dots, domain, THOUSAND, str(material("option", o=d.rivals[option])), at=0.0))
    entries = [(str(material(word)), Look(GREY, "circle", hollow=word == "unsure")) for word in ("sure", "unsure")]
    rows = [row(error, group) for error in errors for group in d.attribute.groups]
    return dot_panels(material, rows, panels, entries=entries, spacing=28, margin=20)
