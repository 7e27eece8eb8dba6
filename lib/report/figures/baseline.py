"""The untouched classifier group by group: dots with intervals in small multiples, one panel for each quantity."""

from collections.abc import Mapping

from lib.names import OVERALL
from lib.report.facts import baseline as facts
from lib.report.facts.baseline import Line
from lib.report.facts.values import Estimate
from lib.report.figures.layout import Chart
from lib.report.figures.marks import AUC, AUC_CHANGE, PERCENT, POINTS, Axis, Panel, dot, dot_panels, roomy, row_of, span
from lib.report.registry import Material, figure
from lib.report.theme import GREY, LABELS, Look, group_look

DIFFERENCES = {
    "shown": Look("#7a55ad", "diamond"),
    "suggested": Look("#7a55ad", "diamond", hollow=True),
    "at most": Look(GREY, "square", hollow=True),
    "not told": Look(GREY, "circle", hollow=True),
}
RATES = ("tpr", "fpr")
Scales = Mapping[str, tuple[Axis, float, float]]
"""Of each quantity its axis, what the axis must hold, and the step of its ends; the two rates share their ends."""


@figure(facts.of_gaps)
def baseline_gaps(material: Material) -> Chart:
    """The differences between groups in TPR, FPR and AUC, each with its verdict; on a slide the two error rates."""
    scales = {"tpr": (POINTS, 0.0, 0.1), "fpr": (POINTS, 0.0, 0.1), "auc": (AUC_CHANGE, 0.0, 0.05)}
    return _panels(material, {name: scales[name] for name in (RATES if material.size == "slide" else scales)})


@figure(facts.of_groups)
def baseline_groups(material: Material) -> Chart:
    """TPR, FPR and AUC of each group; the dashed line is everyone's."""
    everyone = {name: cell.value for name, cell in material["lines"][0]["cells"].items() if cell}
    scales = {"tpr": (PERCENT, 0.5, 0.2), "fpr": (PERCENT, 0.5, 0.2), "auc": (AUC, 0.5, 0.1)}
    return _panels(material, scales, everyone)


@figure(facts.of_calibration)
def calibration(material: Material) -> Chart:
    """How much the mean score of each group is above its share of sick, and the slope, 1 where scores mean what they say."""
    return _panels(material, {"mean_error": (POINTS, 0.0, 0.1), "slope": ({"format": ".1f"}, 1.0, 0.5)})


def _panels(material: Material, scales: Scales, everyone: Mapping[str, float] | None = None) -> Chart:
    """One panel for each quantity, rows under their attributes, a rule where it is `everyone`'s.

    Without `everyone` the rule is at what the axis must hold, marks are those of verdicts, and a key names those that occur.
    """
    lines, language = material["lines"], material.language
    panels, marks = [], set()
    for name, (axis, held, step) in scales.items():
        together = RATES if name in RATES else (name,)
        domain = span([held, *(line["cells"][n] for line in lines for n in together)], step=step, least=2 * step)
        dots = []
        for line in lines:
            cell = line["cells"][name]
            verdict = cell.verdict if cell else None
            marks.add(verdict)
            look = DIFFERENCES.get(verdict, DIFFERENCES["not told"]) if everyone is None else _group_look(line)
            dots.append(dot(_row(line, material), cell, look))
        at = held if everyone is None else everyone.get(name)
        panels.append(Panel(dots, domain, axis, str(material("heading", name=name)), at))
    entries = [(language.verdict(word), look) for word, look in DIFFERENCES.items() if word in marks and not everyone]
    return dot_panels(material, [_row(line, material) for line in lines], panels, entries=entries)


def _row(line: Line, material: Material) -> str:
    attribute, named = line["attribute"], material.language.contrast if line["contrast"] else material.language.group
    name = named(line["contrast"] or line["group"], attribute) if attribute else ""
    return row_of(material.language, attribute, name)


def _group_look(line: Line) -> Look:
    return group_look(line["attribute"].name if line["attribute"] else OVERALL, line["group"] or "all")


@figure(facts.of_networks)
def seed_spread(material: Material) -> Chart:
    """Balanced accuracy and AUC of every network, a row for each weighting; lines span the networks of one."""
    language = material.language
    networks = dict(list(material["networks"].items())[: 14 if material.size == "page" else 5])
    rows = {name: f"|{language.weighting(name)}" for name in networks}
    panels = []
    for metric, axis in (("balanced_accuracy", PERCENT), ("auc", AUC)):
        dots = []
        for name, figures in networks.items():
            ends = (min(figures[metric], default=None), max(figures[metric], default=None))
            dots += [dot(rows[name], Estimate(value, *ends), LABELS[1]) for value in figures[metric]]
        domain = span([value for figures in networks.values() for value in figures[metric]], step=0.01, least=0.04)
        panels.append(Panel(dots, domain, axis, language.metric(metric)))
    measure = roomy(material.measure, rows.values())
    return dot_panels(material, rows.values(), panels, measure=measure, spacing=30)
