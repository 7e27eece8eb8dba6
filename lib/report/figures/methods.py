"""What methods do to balanced accuracy and to the gaps by the page's attribute, and what choosing among them rests on."""

from dataclasses import replace
from functools import partial

import altair as alt
import polars as pl

from lib.names import BASELINE, BASELINE_WEIGHTING, ERRORS, HARMFUL, IMPROVED, NARROWED, NOT_TOLD, Method
from lib.report.facts import choice
from lib.report.facts import rules as facts
from lib.report.facts.effects import BALANCED, FIGURES, Effect, Effects, Outcome, fails_most, gather
from lib.report.facts.values import Estimate
from lib.report.figures import marks
from lib.report.figures.layout import BOLD, Chart, as_it_is, filled, fitted, over, placed, wrapped, written
from lib.report.figures.lines import Line, line_panel, reach
from lib.report.figures.marks import Panel, dot, dot_panels, drawn_as, key, roomy, span
from lib.report.registry import Material, figure
from lib.report.theme import CELLS, GREY, INK, PALE, VERDICTS, Look, group_look
from lib.report.words.language import Language

JUDGED = {
    "naive": Look(GREY, "circle", hollow=True),
    "held_out": Look("#2f74b5", "circle"),
    "deployed": Look("#bb3f57", "diamond"),
}
BEST = VERDICTS["helps"].colour
LOOKS = {
    choice.NARROWS: Look(BEST, "circle"),
    choice.MAY_NARROW: Look(BEST, "circle", hollow=True),
    choice.UNSEEN: Look(GREY, "cross"),
    choice.UNTREATED: Look(INK, "diamond"),
}
OURS, OTHER = Look(BEST, "diamond"), Look(PALE, "circle")
TALL = 30
"""Pixels of a row that has a mark above, on and below its middle."""
FEW = 6
"""Rules for which a slide has room."""
MOST, ON_SLIDE = 20, 2
"""Methods drawn at most, those that do most first; a slide has one more, which fails or does least."""
NOTHING = {"change": None, "what": None}
ROW_NAME = 24
"""Characters of a line of a row's name in the table of shades."""
LEAST_STEP = 0.05
"""Gaps that differ by less may have one shade."""
SLIDE_WRAP = 38
"""Characters of a line of a row's label on a slide, where it says what a method does."""


@figure(facts.optimism)
def optimism(material: Material) -> Chart:
    """Balanced accuracy and both gaps of each rule: on the patients that chose it, on others, and of one rule on new patients."""
    rules, gap = material["rules"], material["gap"]
    if material.size == "slide":
        rules = {rule: rules[rule] for rule in _foremost(rules, material["ours"])}
    dots, measure = [], replace(material.measure, row=max(TALL, material.measure.row))
    shifts = dict(zip(JUDGED, (-0.28, 0.0, 0.28), strict=True))
    for rule, figures in rules.items():
        known = [(part, which) for part, values in figures.items() if values for which in JUDGED]
        for part, which in known:
            value = figures[part][which]
            if value is not None:
                value = value if isinstance(value, Estimate) else Estimate(value)
                row, shift = f"|{material.language.rule(rule[1])}", shifts[which] * measure.row
                dots.append(dot(row, value, JUDGED[which], part, shift=shift))
    panels = {"balanced": Panel(marks.PERCENT, str(material("heading", part="balanced")), 0.02, 0.06)}
    for metric in ERRORS if gap else ():
        panels[metric] = Panel(marks.POINTS, str(material("heading", part=metric)), rules=[0])
    entries = [(str(material(which)), look) for which, look in JUDGED.items()]
    return dot_panels(material, dots, panels, entries=entries, measure=measure)


def _foremost(rules: dict, ours: Method | None) -> list[Method]:
    """Those that are flattered most, and the one that is read, in their order."""
    ranked = sorted(rules, key=lambda rule: (rule != ours, -rules[rule]["balanced"]["optimism"].value))[:FEW]
    return [rule for rule in rules if rule in ranked]


@figure(facts.wrong_groups)
def wrong_groups(material: Material) -> Chart:
    """The gap under each rule by the share of patients whose group is told wrong; without a rule, a dashed line."""
    gap, ours, most, measure = material["gap"], material["ours"], material["most"], material.measure
    # of the other rules, the one that ends lowest is named for all
    others = {rule: list(gaps.values())[-1].value for rule, gaps in material["lines"].items() if rule != ours}
    named = min(others, key=others.get, default=None)
    lines = [
        Line(str(material("ours_name")), list(gaps.items()), OURS)
        if rule == ours
        else Line(str(material("others_name")) if rule == named else "", list(gaps.items()), OTHER, faint=True)
        for rule, gaps in material["lines"].items()
    ]
    without = [(share, Estimate(gap["estimate"])) for share in (0.0, most)]
    lines.append(Line(str(material("none_name")), without, OTHER, faint=True))
    low, high = reach(lines, step=0.05, least=0.1)
    name = max(len(line.name) for line in lines) * 0.5 * measure.small
    across = ({**marks.PERCENT, "values": list(material["lines"][ours])}, (0.0, most))
    size = (measure.width - name - 70, 300 if material.size == "page" else 360)
    up = (marks.THOUSAND, (min(low, 0.0), max(high, 0.0)))
    return line_panel(material, lines, across, up, size, heading=str(material("up")), at=gap["estimate"])


@figure(gather)
def changes(material: Material) -> Chart:
    """A row for each method: the change of balanced accuracy, of the TPR gap and of the FPR gap; grey is what chance does."""
    e, language, slide = material["e"], material.language, material.size == "slide"
    methods, dots, panels = _foremost_methods(e, slide), [], {}
    for effect in methods:
        for metric in FIGURES:
            outcome = effect["outcomes"].get(metric, NOTHING)
            row = f"|{_name(effect, language, plain=slide)}"
            dots.append(dot(row, outcome["change"], VERDICTS[_look(outcome)], metric))
    for metric in FIGURES:
        ends = {"step": 0.02, "least": 0.08} if metric == BALANCED else {"step": 0.1, "least": 0.2, "scale": "gaps"}
        heading, band = str(material("heading", metric=metric)), e["floor"][metric]
        axis = marks.THOUSAND if slide and metric in ERRORS else marks.POINTS
        rules = [0, e["goals"][metric]] if metric in e["goals"] else [0]
        panels[metric] = Panel(axis, heading, rules=rules, band=band, **ends)
    seen = {_look(outcome) for effect in methods for outcome in effect["outcomes"].values()}
    entries = [(str(material("mark", mark=name)), look) for name, look in VERDICTS.items() if name in seen]
    measure = roomy(material.measure, [mark["row"] for mark in dots])
    measure = replace(measure, wrap=SLIDE_WRAP, tallest=112) if slide else measure
    # numbers that do not fit are hidden, and would still lie beyond the slide
    ticks = 3 if slide else 4
    return dot_panels(material, dots, panels, entries=entries, measure=measure, spacing=20, ticks=ticks)


def _foremost_methods(e: Effects, slide: bool) -> list[Effect]:
    """What is drawn where there is no room for all: those of which anything is told, and others as far as there is room."""
    if slide:
        ranked = sorted(e["methods"], key=lambda effect: not effect["recommended"])  # our choice first
        return ranked[:ON_SLIDE] + [worst for worst in [fails_most(ranked[ON_SLIDE:])] if worst]
    kept = {effect["method"] for effect in [*e["told"], *e["silent"]][:MOST]}
    return [effect for effect in e["methods"] if effect["method"] in kept]


def _name(effect: Effect, language: Language, plain: bool) -> str:
    """Of rules by the page's attribute, or by none, the name alone; that they go by it stands in the caption.

    With `plain` what a method does, in words for everybody, and its name in brackets.
    """
    weighting, rule, _ = effect["method"]
    name = language.rule(rule) if weighting == BASELINE_WEIGHTING else language.weighting(weighting)
    does = language.does(weighting, rule) if plain else ""
    return f"{does} ({name})" if does else name


def _look(outcome: Outcome) -> str:
    what = outcome["what"]
    if what is None or outcome["change"] is None:
        return NOT_TOLD
    side = "harms" if what in HARMFUL else "helps" if what in (NARROWED, IMPROVED) else "differs"
    return side if outcome["sure"] or side == "differs" else f"{side} perhaps"


@figure(choice.front)
def front(material: Material) -> Chart:
    """Balanced accuracy against the gap that is left; the options of the decision page are named, the recommended one is marked."""
    points, measure = material["points"], material.measure
    slide = material.size == "slide"
    width, height = measure.width - 90, 290 if slide else 330
    x_ends = span([0.0, *(point["gap"] for point in points)], step=0.05, least=0.1)
    low, high = span([point["accuracy"] for point in points], step=0.02, least=0.08)
    middle, line = sum(x_ends) / 2, 1.4 * measure.small
    # the baseline has a mark of its own; the rule of a name that stands higher passes beside those that stand lower
    named = [point for point in points if point["named"] and point["kind"] != choice.UNTREATED]
    named = sorted(named, key=lambda point: abs(point["gap"] - middle))
    names = [(point, fitted(str(material("name", own=point)), width / 2, measure)) for point in named]
    band = line * (0.5 + sum(len(lines) for _, lines in names)) if names else 0.0
    unit = (high - low) / height
    across = alt.Axis(title=str(material("across")), tickCount=5, **(marks.OF_1000 if slide else marks.GAP))
    up = alt.Axis(title=str(material("up")), tickCount=5, grid=True, **marks.PERCENT)
    x = alt.X("gap:Q", scale=alt.Scale(domain=list(x_ends), nice=False), axis=across)
    ends = [low, high + band * unit]
    y = alt.Y("accuracy:Q", scale=alt.Scale(domain=ends, nice=False, zero=False), axis=up)
    rows = [
        {name: point[name] for name in ("gap", "accuracy", "named", "recommended")}
        | {"tip": str(material("tip", own=point))}
        | drawn_as(LOOKS[point["kind"]])
        for point in sorted(points, key=lambda point: point["named"])
    ]
    base = alt.Chart(pl.DataFrame(rows)).encode(x, y)
    cloud = filled(base, strokeWidth=1.5, aria=True).encode(
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
        layers += [name.mark_rule(stroke=INK, strokeWidth=1).encode(y2="mark:Q")]
        layers += [name.mark_text(**style, **marks.HALO), name.mark_text(**style)]
    kinds = {point["kind"] for point in points}
    entries = [(str(material(f"key_{name.replace(' ', '_')}")), look) for name, look in LOOKS.items() if name in kinds]
    cloud = alt.layer(*layers, cloud, ring, width=width, height=height + band)
    return over(cloud, key(entries, measure), spacing=20)


@figure(choice.who_gains)
def who_gains(material: Material) -> Chart:
    """Under each option, of 1,000 sick and of 1,000 healthy of each group, how many fewer (or more) are got wrong."""
    d, dots, panels = material["d"], [], {}
    for change in material["gains"]:
        gain, look = change["gain"], group_look(d.attribute, change["group"])
        look = Look(look.colour if gain.seen else GREY, look.shape, hollow=not gain.shown)
        row = f"{material(change['error'])}|{material.language.group(change['group'], d.attribute)}"
        dots.append(dot(row, gain, look, change["option"]))
        heading = str(material("option", o=d.rivals[change["option"]]))
        panels[change["option"]] = Panel(marks.THOUSAND, heading, 0.1, 0.2, rules=[0], scale="people")
    entries = [(str(material(word)), Look(GREY, "circle", hollow=word == "unsure")) for word in ("sure", "unsure")]
    return dot_panels(material, dots, panels, entries=entries, spacing=28, margin=20)


@figure(choice.crossed)
def crossed(material: Material) -> Chart:
    """A row for each weighting, a column for each rule: the gap that is left, in shade and number, and what balanced accuracy becomes."""
    cells, measure, language = material["cells"], material.measure, material.language
    weightings, rules = ({name: k for k, name in enumerate(material[names])} for names in ("weightings", "rules"))
    small = measure.small
    names = {name: wrapped(language.weighting(name), ROW_NAME) for name in weightings}
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
