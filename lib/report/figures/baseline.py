"""The untouched classifier group by group: dots with intervals in small multiples, one panel for each quantity."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from lib.report.facts import baseline as facts
from lib.report.facts.baseline import Line
from lib.report.figures.marks import (
    AUC,
    AUC_CHANGE,
    PERCENT,
    POINTS,
    Chart,
    dot,
    dot_panel,
    in_lines,
    key,
    label_width,
    over,
    roomy,
    span,
    under_headings,
)
from lib.report.registry import Material, figure
from lib.report.theme import GREY, LABELS, Look, group_look

DIFFERENCES = {
    "shown": Look("#7a55ad", "diamond"),
    "suggested": Look("#7a55ad", "diamond", hollow=True),
    "at most": Look(GREY, "square", hollow=True),
    "not told": Look(GREY, "circle", hollow=True),
}


@figure(facts.of_gaps)
def baseline_gaps(material: Material) -> Chart:
    """The differences between groups in TPR, FPR and AUC, each with its verdict; on a slide the two error rates."""
    names = ("tpr", "fpr", "auc") if material.size == "page" else ("tpr", "fpr")
    domains = {"tpr": (0.0, 0.1), "fpr": (0.0, 0.1), "auc": (0.0, 0.05)}
    axes = {"tpr": POINTS, "fpr": POINTS, "auc": AUC_CHANGE}
    return _panels(
        material, names, axes, domains, together=("tpr", "fpr"), look=_verdict_look, at=dict.fromkeys(names, 0.0)
    )


@figure(facts.of_groups)
def baseline_groups(material: Material) -> Chart:
    """TPR, FPR and AUC of each group; the dashed line is everyone's."""
    everyone = {name: own.value for name, own in material["lines"][0].cells.items() if own}
    axes = {"tpr": PERCENT, "fpr": PERCENT, "auc": AUC}
    domains = {"tpr": (0.5, 0.2), "fpr": (0.5, 0.2), "auc": (0.5, 0.1)}
    return _panels(material, facts.LEVELS, axes, domains, together=("tpr", "fpr"), look=_group_look, at=everyone)


@figure(facts.of_calibration)
def calibration(material: Material) -> Chart:
    """How much the mean score of each group is above its share of sick, and the slope, 1 where scores mean what they say."""
    axes = {"mean_error": POINTS, "slope": {"format": ".1f"}}
    domains = {"mean_error": (0.0, 0.1), "slope": (1.0, 0.5)}
    return _panels(material, tuple(axes), axes, domains, look=_verdict_look, at={"mean_error": 0.0, "slope": 1.0})


def _panels(
    material: Material,
    names: Sequence[str],
    axes: Mapping[str, Mapping[str, Any]],
    domains: Mapping[str, tuple[float, float]],
    *,
    look: Callable[[Line, str], Look],
    at: Mapping[str, float],
    together: tuple[str, ...] = (),
) -> Chart:
    """One panel for each name, rows under their attributes. `domains`: what an axis must hold, and its step; those `together`
    share one. A key names the verdicts that occur, where looks are those of verdicts."""
    lines, own, measure = material["lines"], material.language, material.measure
    rows = {id(line): _row(line, material) for line in lines}
    labels = under_headings(rows.values())
    width = (measure.width - label_width(labels, measure) - 24 * (len(names) - 1)) / len(names)
    panels, marks = [], set()
    for name in names:
        shared = together if name in together else (name,)
        ends = [e for line in lines for n in shared if (c := line.cells[n]) for e in (c.value, c.low, c.high)]
        held, step = domains[name]
        dots = []
        for line in lines:
            cell, drawn = line.cells[name], look(line, name)
            marks.add(cell.verdict if cell else None)
            ends_of = (cell.value, cell.low, cell.high) if cell else (None, None, None)
            dots.append(dot(rows[id(line)], *ends_of, drawn))
        panels.append(
            dot_panel(
                dots,
                labels,
                measure=measure,
                width=width,
                domain=span([held, *ends], step=step, least=2 * step),
                heading=str(material("heading", name=name)),
                axis=axes[name],
                labelled=name == names[0],
                at=at.get(name),
                ticks=4,
                own=own,
            )
        )
    entries = [(own.verdict(word), style) for word, style in DIFFERENCES.items() if word in marks]
    told = key(entries, measure, width=len(names) * (width + 24) - 24) if look is _verdict_look and entries else None
    return over(in_lines(panels, len(panels), 24), told)


def _row(line: Line, material: Material) -> str:
    own = material.language
    if line.attribute is None:
        return f"|{own.phrase('everyone')}"
    name = own.contrast(line.contrast, line.attribute) if line.contrast else own.group(line.group, line.attribute)
    return f"{own.attribute(line.attribute)}|{name}"


def _verdict_look(line: Line, name: str) -> Look:
    cell = line.cells[name]
    return DIFFERENCES.get(cell.verdict if cell else None, DIFFERENCES["not told"])


def _group_look(line: Line, name: str) -> Look:
    return group_look(line.attribute.name if line.attribute else "overall", line.group or "all")


@figure(facts.of_networks)
def seed_spread(material: Material) -> Chart:
    """Balanced accuracy and AUC of every network, a row for each weighting; lines span the networks of one."""
    own, measure = material.language, material.measure
    found = dict(list(material["networks"].items())[: 14 if material.size == "page" else 5])
    labels = {name: f"|{own.weighting(name)}" for name in found}
    measure = roomy(measure, labels.values())
    width = (measure.width - label_width(labels.values(), measure) - 30) / 2
    panels = []
    for metric, axis in (("balanced_accuracy", PERCENT), ("auc", AUC)):
        dots = []
        for name, values in found.items():
            told = values[metric]
            ends = (min(told, default=None), max(told, default=None))
            dots += [dot(labels[name], value, *ends, LABELS[1][1]) for value in told]
        panels.append(
            dot_panel(
                dots,
                list(labels.values()),
                measure=measure,
                width=width,
                domain=span([v for values in found.values() for v in values[metric]], step=0.01, least=0.04),
                heading=own.metric(metric),
                axis=axis,
                labelled=metric == "balanced_accuracy",
                own=own,
            )
        )
    return alt.hconcat(*panels, spacing=30)
