"""The map of all methods, and who gains and who loses under each option, in people of 1,000."""

import altair as alt
import polars as pl

from lib.report.facts import choice as facts
from lib.report.figures.layout import BOLD, Chart, filled, fitted, over
from lib.report.figures.marks import GAP, PERCENT, THOUSAND, Panel, around_zero, dot, dot_panels, drawn_as, key, span
from lib.report.registry import Material, figure
from lib.report.theme import GREY, INK, VERDICTS, Look, group_look

BEST = VERDICTS["helps"].colour
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
