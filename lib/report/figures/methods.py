"""What methods do to balanced accuracy and to the gaps by the page's attribute, and what choosing among them rests on."""

from dataclasses import replace

import altair as alt
import polars as pl

from lib.names import BASELINE_WEIGHTING, ERRORS, HARMFUL, IMPROVED, NARROWED, NOT_TOLD
from lib.report.facts import choice
from lib.report.facts import rules as facts
from lib.report.facts.effects import BALANCED, FIGURES, Effect, Effects, Outcome, fails_most, gather
from lib.report.facts.values import Estimate
from lib.report.figures import marks
from lib.report.figures.layout import BOLD, Chart, filled, fitted, over
from lib.report.figures.lines import Line, line_panel, reach
from lib.report.figures.marks import Panel, around_zero, dot, dot_panels, drawn_as, key, roomy, span
from lib.report.registry import Material, figure
from lib.report.theme import GREY, INK, PALE, VERDICTS, Look, group_look
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
SLIDE_WRAP = 38
"""Characters of a line of a row's label on a slide, where it says what a method does."""


@figure(facts.optimism)
def optimism(material: Material) -> Chart:
    """Balanced accuracy and both gaps of each rule: on the patients that chose it, on others, and of one rule on new patients."""
    rules, gap = material["rules"], material["gap"]
    if material.size == "slide":
        rules = {rule: rules[rule] for rule in _foremost(rules, material["ours"])}
    rows = {rule: f"|{material.language.rule(rule.name)}" for rule in rules}
    measure, panels = replace(material.measure, row=max(TALL, material.measure.row)), []
    shifts = dict(zip(JUDGED, (-0.28, 0.0, 0.28), strict=True))
    gaps = [metric for metric in ERRORS if gap and any(figures[metric] for figures in rules.values())]
    for part in ("balanced", *gaps):
        dots, values = [], []
        for rule, figures in rules.items():
            for which, look in JUDGED.items():
                value = figures[part] and figures[part][which]
                if value is not None:
                    values.append(value if isinstance(value, Estimate) else Estimate(value))
                    dots.append(dot(rows[rule], values[-1], look, shift=shifts[which] * measure.row))
        heading = str(material("heading", part=part))
        if part in gaps:
            panels.append(Panel(dots, around_zero(values), marks.POINTS, heading, at=0))
        else:
            panels.append(Panel(dots, span(values, step=0.02, least=0.06), marks.PERCENT, heading))
    entries = [(str(material(which)), look) for which, look in JUDGED.items()]
    return dot_panels(material, rows.values(), panels, entries=entries, measure=measure)


def _foremost(rules: dict, ours: facts.Rule | None) -> list[facts.Rule]:
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
    methods = _foremost_methods(e, slide)
    rows = {effect["method"]: f"|{_name(effect, language, plain=slide)}" for effect in methods}
    outcomes = {m: {effect["method"]: effect["outcomes"].get(m, NOTHING) for effect in methods} for m in FIGURES}
    changed = {metric: [own["change"] for own in by.values()] for metric, by in outcomes.items()}
    gaps = [change for metric in ERRORS for change in changed[metric]]
    domains = dict.fromkeys(ERRORS, around_zero([*gaps, *e["goals"].values()], step=0.1, least=0.2))
    domains[BALANCED] = around_zero(changed[BALANCED], step=0.02, least=0.08)
    panels = []
    for metric in FIGURES:
        dots = [dot(rows[method], own["change"], VERDICTS[_look(own)]) for method, own in outcomes[metric].items()]
        rules = {"at": 0, "goals": [e["goals"][metric]] if metric in e["goals"] else [], "band": e["floor"][metric]}
        axis = marks.THOUSAND if slide and metric in ERRORS else marks.POINTS
        heading = str(material("heading", metric=metric))
        panels.append(Panel(dots, domains[metric], axis, heading, **rules))
    seen = {_look(outcome) for effect in methods for outcome in effect["outcomes"].values()}
    entries = [(str(material("mark", mark=name)), look) for name, look in VERDICTS.items() if name in seen]
    measure = roomy(material.measure, rows.values())
    measure = replace(measure, wrap=SLIDE_WRAP, tallest=112) if slide else measure
    # numbers that do not fit are hidden, and would still lie beyond the slide
    ticks = 3 if slide else 4
    return dot_panels(material, rows.values(), panels, entries=entries, measure=measure, spacing=20, ticks=ticks)


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
    d, gains = material["d"], material["gains"]

    def row(error: str, group: str) -> str:
        return f"{material(error)}|{material.language.group(group, d.attribute)}"

    def look(group: str, gain: Estimate) -> Look:
        own = group_look(d.attribute.name, group)
        return Look(own.colour if gain.seen else GREY, own.shape, hollow=not gain.shown)

    errors = [error for error in ("missed", "alarmed") if any(gain["error"] == error for gain in gains)]
    options = sorted({gain["option"] for gain in gains})
    domain = around_zero([gain["gain"] for gain in gains], step=0.1, least=0.2)
    panels = []
    for option in options:
        own = [(gain["error"], gain["group"], gain["gain"]) for gain in gains if gain["option"] == option]
        dots = [dot(row(error, group), gain, look(group, gain)) for error, group, gain in own]
        panels.append(Panel(dots, domain, marks.THOUSAND, str(material("option", o=d.rivals[option])), at=0.0))
    entries = [(str(material(word)), Look(GREY, "circle", hollow=word == "unsure")) for word in ("sure", "unsure")]
    rows = [row(error, group) for error in errors for group in d.attribute.groups]
    return dot_panels(material, rows, panels, entries=entries, spacing=28, margin=20)
