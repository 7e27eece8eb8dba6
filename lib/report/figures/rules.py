"""What methods do to balanced accuracy and to the gaps by the page's attribute; rules judged where they were fitted and elsewhere, and told wrong groups."""

from dataclasses import replace

from lib.names import BASELINE_WEIGHTING, ERRORS, HARMFUL, IMPROVED, NARROWED, NOT_TOLD
from lib.report.facts import rules as facts
from lib.report.facts.effects import BALANCED, FIGURES, Effect, Effects, Outcome, fails_most, gather
from lib.report.facts.values import Estimate
from lib.report.figures.layout import Chart
from lib.report.figures.lines import Line, line_panel, reach
from lib.report.figures.marks import PERCENT, POINTS, THOUSAND, Panel, around_zero, dot, dot_panels, roomy, span
from lib.report.registry import Material, figure
from lib.report.theme import GREY, PALE, VERDICTS, Look
from lib.report.words.language import Language

JUDGED = {
    "naive": Look(GREY, "circle", hollow=True),
    "held_out": Look("#2f74b5", "circle"),
    "deployed": Look("#bb3f57", "diamond"),
}
OURS, OTHER = Look(VERDICTS["helps"].colour, "diamond"), Look(PALE, "circle")
FEW = 6
"""Rules for which a slide has room."""
MOST, ON_SLIDE = 20, 2
"""Methods drawn at most, those that do most first; a slide has one more, which fails or does least."""
SLIDE_WRAP = 40
"""Characters of a line of a row's label on a slide, where it says what a method does."""


@figure(facts.optimism)
def optimism(material: Material) -> Chart:
    """Balanced accuracy and the gap of each rule: on the patients that chose it, on others, and of one rule on new patients."""
    rules, gap = material["rules"], material["gap"]
    if material.size == "slide":
        rules = {rule: rules[rule] for rule in _foremost(rules, material["ours"])}
    rows = {rule: f"|{material.language.rule(rule.name)}" for rule in rules}
    panels = []
    for part in ("balanced", "gap") if gap and any(figures["gap"] for figures in rules.values()) else ("balanced",):
        dots, values = [], []
        for rule, figures in rules.items():
            for which, look in JUDGED.items():
                value = figures[part] and figures[part][which]
                if value is not None:
                    values.append(value if isinstance(value, Estimate) else Estimate(value))
                    dots.append(dot(rows[rule], values[-1], look))
        heading = str(material(f"{part}_axis"))
        if part == "gap":
            panels.append(Panel(dots, around_zero(values), POINTS, heading, at=0))
        else:
            panels.append(Panel(dots, span(values, step=0.02, least=0.06), PERCENT, heading))
    entries = [(str(material(which)), look) for which, look in JUDGED.items()]
    return dot_panels(material, rows.values(), panels, entries=entries)


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
    across = ({**PERCENT, "values": list(material["lines"][ours])}, (0.0, most))
    size = (measure.width - name - 70, 300 if material.size == "page" else 360)
    up = (THOUSAND, (min(low, 0.0), max(high, 0.0)))
    return line_panel(material, lines, across, up, size, heading=str(material("up")), at=gap["estimate"])


@figure(gather)
def changes(material: Material) -> Chart:
    """A row for each method: the change of balanced accuracy, of the TPR gap and of the FPR gap; grey is what chance does."""
    e, language, slide = material["e"], material.language, material.size == "slide"
    methods = _on_slide(e["methods"]) if slide else _foremost_methods(e)
    name = _plain if slide else _name
    rows = {effect["method"]: f"|{name(effect, language)}" for effect in methods}
    gaps = [change for metric in ERRORS for change in _changes(methods, metric)]
    domains = dict.fromkeys(ERRORS, around_zero([*gaps, *e["goals"].values()], step=0.1, least=0.2))
    domains[BALANCED] = around_zero(_changes(methods, BALANCED), step=0.02, least=0.08)
    panels = []
    for metric in FIGURES:
        dots = []
        for effect in methods:
            outcome = effect["outcomes"].get(metric, {})
            change = outcome.get("change")
            dots.append(dot(rows[effect["method"]], change, VERDICTS[_look(outcome) if change else NOT_TOLD]))
        rules = {"at": 0, "goals": [goal for name, goal in e["goals"].items() if name == metric]}
        heading = str(material("heading", metric=metric))
        axis = THOUSAND if slide else POINTS
        panels.append(Panel(dots, domains[metric], axis, heading, **rules, band=e["floor"][metric]))
    seen = {_look(outcome) for effect in methods for outcome in effect["outcomes"].values()}
    entries = [(str(material("mark", mark=name)), look) for name, look in VERDICTS.items() if name in seen]
    measure = roomy(material.measure, rows.values())
    measure = replace(measure, wrap=SLIDE_WRAP, tallest=112) if slide else measure
    # numbers that do not fit are hidden, and would still lie beyond the slide
    ticks = 3 if slide else 4
    return dot_panels(material, rows.values(), panels, entries=entries, measure=measure, spacing=20, ticks=ticks)


def _on_slide(methods: list[Effect]) -> list[Effect]:
    worst = fails_most(methods[ON_SLIDE:])
    return methods[:ON_SLIDE] + ([worst] if worst else [])


def _foremost_methods(e: Effects) -> list[Effect]:
    """What is drawn where there is no room for all: those of which anything is told, and others as far as there is room."""
    kept = {effect["method"] for effect in [*e["told"], *e["silent"]][:MOST]}
    return [effect for effect in e["methods"] if effect["method"] in kept]


def _name(effect: Effect, language: Language) -> str:
    """Of rules by the page's attribute, or by none, the name alone; that they go by it stands in the caption."""
    weighting, rule, _ = effect["method"]
    return language.rule(rule) if weighting == BASELINE_WEIGHTING else language.weighting(weighting)


def _plain(effect: Effect, language: Language) -> str:
    """What a method does, in words for everybody, and its name in brackets."""
    name, does = _name(effect, language), language.does(*effect["method"][:2])
    return f"{does} ({name})" if does else name


def _changes(methods: list[Effect], metric: str) -> list[Estimate | None]:
    return [effect["outcomes"][metric]["change"] for effect in methods if metric in effect["outcomes"]]


def _look(outcome: Outcome) -> str:
    what = outcome["what"]
    if what is None:
        return NOT_TOLD
    side = "harms" if what in HARMFUL else "helps" if what in (NARROWED, IMPROVED) else "differs"
    return side if outcome["sure"] or side == "differs" else f"{side} perhaps"
