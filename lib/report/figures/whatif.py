"""What if: deciding by the score at another cut-off, another seed, the least sure referred."""

from lib.names import OVERALL
from lib.report.facts import whatif as facts
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.figures.lines import Line, decimals, line_panel, reach
from lib.report.figures.marks import (
    PERCENT,
    Chart,
    dot,
    dot_panel,
    in_lines,
    key,
    label_width,
    over,
    span,
)
from lib.report.registry import Material, figure
from lib.report.theme import LABELS, Look, group_look

THOUSAND = {
    "labelExpr": "(datum.value > 0 ? '+' : datum.value < 0 ? '\N{MINUS SIGN}' : '') + format(abs(1000 * datum.value), 'd')"
}


def _look(material: Material, group: str) -> Look:
    return group_look(OVERALL if group == "all" else material["d"].attribute.name, group)


def _called(material: Material, group: str) -> str:
    """A group as a label has it; everyone for `all`."""
    return material.language.group(group, OVERALL if group == "all" else material["d"].attribute)


@figure(facts.net_benefit)
def net_benefit(material: Material) -> Chart:
    """What deciding by the score gains over calling all or nobody, by cut-off, in each group."""
    groups, measure = material["groups"], material.measure
    columns = min(3, len(groups))
    width = (measure.width - 60 * columns) / columns
    lines = {g: Line("", list(curve.items()), _look(material, g)) for g, curve in groups.items()}
    domain = reach(list(lines.values()), step=0.05, least=0.1)
    panels = [
        line_panel(
            [line],
            measure=measure,
            width=width,
            height=150 if material.size == "page" else 260,
            across=str(material("across")),
            x_axis={**decimals(material.language), "values": [0.1, 0.3, 0.5, 0.7, 0.9]},
            y_axis=THOUSAND,
            x_domain=(0.05, 0.95),
            y_domain=domain,
            heading=_called(material, group),
            at=0.0,
        )
        for group, line in lines.items()
    ]
    return in_lines(panels, columns, 20)


@figure(facts.seed_decisions)
def seed_decisions(material: Material) -> Chart:
    """How often two networks that differ by their seed alone decide differently, by group and label."""
    groups, measure = material["groups"], material.measure
    rows = {group: f"|{_called(material, group)}" for group in groups}
    parts = (("sick", SICK, -0.18), ("healthy", HEALTHY, 0.18))
    dots, ends = [], [0.0]
    for group, own in groups.items():
        look = _look(material, group)
        for among, label, shift in parts:
            if (e := own.get(among)) is not None:
                mark = Look(look.colour, look.shape, hollow=label == HEALTHY)
                dots.append(dot(rows[group], e.value, e.low, e.high, mark) | {"shift": shift * measure.row})
                ends += [e.value, e.low, e.high]
    width = measure.width - label_width(rows.values(), measure) - 20
    panel = dot_panel(
        dots,
        list(rows.values()),
        own=material.language,
        measure=measure,
        width=width,
        domain=span(ends, step=0.05, least=0.1),
        axis=PERCENT,
        heading=str(material("axis")),
    )
    entries = [(str(material(among)), LABELS[label][1]) for among, label, _ in parts]
    return over(panel, key(entries, measure, width=width))


@figure(facts.abstention)
def abstention(material: Material) -> Chart:
    """By the share of decisions that is referred: who is referred, and the errors of the rest, by group."""
    rates, measure = material["rates"], material.measure
    name = max(len(_called(material, g)) for own in rates.values() for g in own) * 0.55 * measure.small + 10
    width = (measure.width - 3 * name - 130) / 3
    panels = []
    for metric in ("referred", "tpr", "fpr"):
        lines = [
            Line(_called(material, group), list(own.items()), _look(material, group), band=False)
            for group, own in rates[metric].items()
        ]
        low, high = reach(lines, step=0.1, least=0.2)
        panels.append(
            line_panel(
                lines,
                measure=measure,
                width=width,
                height=170 if material.size == "page" else 320,
                across=str(material("across")),
                x_axis={**PERCENT, "values": sorted({x for own in lines for x, _ in own.points})},
                y_axis=PERCENT,
                x_domain=(0.0, max(x for own in lines for x, _ in own.points)),
                y_domain=(max(0.0, low), min(1.0, high)),
                heading=str(material(metric)),
            )
        )
    return in_lines(panels, 3, 16)
