"""What rules that adjust decisions do: judged where they were fitted and elsewhere, told wrong groups, loosened."""

from lib.names import BASELINE_WEIGHTING
from lib.report.facts import rules as facts
from lib.report.facts.values import Estimate
from lib.report.figures.lines import Line, line_panel, reach
from lib.report.figures.marks import (
    GAP,
    PERCENT,
    POINTS,
    Chart,
    around_zero,
    dot,
    dot_panel,
    in_lines,
    key,
    label_width,
    over,
    span,
)
from lib.report.registry import Material, figure
from lib.report.theme import GREY, PALE, VERDICTS, Look

PROMISED, KEPT, DEPLOYED = Look(GREY, "circle", hollow=True), Look("#2f74b5", "circle"), Look("#bb3f57", "diamond")
OURS, OTHER = Look(VERDICTS["improves"].colour, "diamond"), Look(PALE, "circle")
FEW = 6
"""Rules for which a slide has room."""


@figure(facts.optimism)
def optimism(material: Material) -> Chart:
    """Balanced accuracy and the gap of each rule: on the patients that chose it, on others, and of one rule on new patients."""
    told, gap, measure = material["rules"], material["gap"], material.measure
    if material.size == "slide":
        told = {rule: told[rule] for rule in _foremost(told, material["ours"])}
    rows = {rule: f"|{material.language.rule(rule.name)}" for rule in told}
    across = measure.width - label_width(rows.values(), measure)
    what = ["balanced", "gap"] if gap and any(own["gap"] for own in told.values()) else ["balanced"]
    width = (across - 24 * (len(what) - 1)) / len(what)
    looks = (("naive", PROMISED), ("held_out", KEPT), ("deployed", DEPLOYED))
    panels = []
    for k, part in enumerate(what):
        dots, ends = [], []
        for rule, own in told.items():
            if own[part] is None:
                continue
            for which, look in looks:
                value = getattr(own[part], which)
                if value is None:
                    continue
                mark = value if isinstance(value, Estimate) else Estimate(value)
                dots.append(dot(rows[rule], mark.value, mark.low, mark.high, look))
                ends += [mark.value, mark.low, mark.high]
        domain = around_zero(ends) if part == "gap" else span(ends, step=0.02, least=0.06)
        panels.append(
            dot_panel(
                dots,
                list(rows.values()),
                measure=measure,
                width=width,
                domain=domain,
                heading=str(material(f"{part}_axis")),
                axis=POINTS if part == "gap" else PERCENT,
                labelled=k == 0,
                at=0 if part == "gap" else None,
            )
        )
    entries = [(str(material(which)), look) for which, look in looks]
    return over(in_lines(panels, len(panels), 24), key(entries, measure, width=across))


def _foremost(told: dict, ours: facts.Rule | None) -> list[facts.Rule]:
    """Those that are flattered most, and the one that is read, in their order."""
    ranked = sorted(told, key=lambda rule: (rule != ours, -told[rule]["balanced"].optimism.value))[:FEW]
    return [rule for rule in told if rule in ranked]


@figure(facts.wrong_groups)
def wrong_groups(material: Material) -> Chart:
    """The gap under each rule by the share of patients whose group is told wrong; without a rule, a dashed line."""
    gap, ours, measure = material["gap"], material["ours"], material.measure
    lines = [
        Line(
            "" if rule != ours else str(material("ours_name")),
            list(own.items()),
            OURS if rule == ours else OTHER,
            faint=rule != ours,
        )
        for rule, own in material["lines"].items()
    ]
    without = Line(
        str(material("none_name")),
        [(share, Estimate(gap.value)) for share in (0.0, material["most"])],
        OTHER,
        faint=True,
    )
    lines.append(without)
    low, high = reach(lines, step=0.05, least=0.1)
    name = max(len(own.name) for own in lines) * 0.5 * measure.small
    return line_panel(
        lines,
        measure=measure,
        width=measure.width - name - 70,
        height=300 if material.size == "page" else 360,
        across=str(material("across")),
        x_axis={**PERCENT, "values": list(material["lines"][ours])},
        y_axis=POINTS,
        x_domain=(0.0, material["most"]),
        y_domain=(min(low, 0.0), max(high, 0.0)),
        heading=str(material("up")),
        at=gap.value,
    )


@figure(facts.relaxation)
def relaxation(material: Material) -> Chart:
    """Balanced accuracy against the gap that is left, as the allowed difference grows; a curve for each weighting."""
    curves, measure = material["curves"], material.measure
    bounds = span([d for own in curves.values() for _, d, _ in own], step=0.05, least=0.1)
    ours = [(disparity, e) for _, disparity, e in curves[BASELINE_WEIGHTING]]
    lines = [
        Line("", [(d, e) for _, d, e in own], OTHER, faint=True)
        for name, own in curves.items()
        if name != BASELINE_WEIGHTING
    ]
    lines.append(Line("", ours, OURS))
    return line_panel(
        lines,
        measure=measure,
        width=measure.width - 60,
        height=300,
        across=str(material("across")),
        x_axis={**GAP, "tickCount": 5},
        y_axis=PERCENT,
        x_domain=bounds,
        y_domain=reach(lines, step=0.02, least=0.06),
        heading=str(material("up")),
    )
