"""What rules that adjust decisions do: judged where they were fitted and elsewhere, told wrong groups."""

from lib.report.facts import rules as facts
from lib.report.facts.values import Estimate
from lib.report.figures.layout import Chart
from lib.report.figures.lines import Line, line_panel, reach
from lib.report.figures.marks import PERCENT, POINTS, Panel, around_zero, dot, dot_panels, span
from lib.report.registry import Material, figure
from lib.report.theme import GREY, PALE, VERDICTS, Look

JUDGED = {
    "naive": Look(GREY, "circle", hollow=True),
    "held_out": Look("#2f74b5", "circle"),
    "deployed": Look("#bb3f57", "diamond"),
}
OURS, OTHER = Look(VERDICTS["improves"].colour, "diamond"), Look(PALE, "circle")
FEW = 6
"""Rules for which a slide has room."""


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
                value = getattr(figures[part], which, None)
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
    ranked = sorted(rules, key=lambda rule: (rule != ours, -rules[rule]["balanced"].optimism.value))[:FEW]
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
    without = [(share, Estimate(gap.value)) for share in (0.0, most)]
    lines.append(Line(str(material("none_name")), without, OTHER, faint=True))
    low, high = reach(lines, step=0.05, least=0.1)
    name = max(len(line.name) for line in lines) * 0.5 * measure.small
    across = ({**PERCENT, "values": list(material["lines"][ours])}, (0.0, most))
    size = (measure.width - name - 70, 300 if material.size == "page" else 360)
    up = (POINTS, (min(low, 0.0), max(high, 0.0)))
    return line_panel(material, lines, across, up, size, heading=str(material("up")), at=gap.value)
