"""What goes with what: attributes with the label and with each other, grey levels with the groups."""

from dataclasses import replace

import altair as alt

from lib.report.facts import cohort
from lib.report.figures.marks import Chart, dot, dot_panel, label_width, span, under_headings
from lib.report.registry import Material, figure
from lib.report.theme import LABELS, group_look


@figure(cohort.associations)
def associations(material: Material) -> Chart:
    """Cramer's V of each attribute with the label, and of every two attributes; full where it is shown."""
    ties, measure = material["ties"], material.measure
    look = LABELS[1][1]

    def row(tie: cohort.Tie) -> str:
        return f"{material('with_label' if tie.other is None else 'between')}|{material('pair', tie=tie)}"

    rows = under_headings(row(tie) for tie in ties)
    dots = [
        dot(
            row(tie),
            *(tie.strength,) * 3,
            replace(look, hollow=not tie.sure),
            missing="" if tie.strength is not None else material.language.phrase("not_estimable"),
        )
        for tie in ties
    ]
    for mark, tie in zip(dots, ties, strict=True):
        mark["aside"] = material.language.verdict(tie.verdict)
    noted = max(measure.aside, max(len(mark["aside"]) for mark in dots) * 0.55 * measure.small)
    width = measure.width - label_width(rows, measure) - noted
    panel = dot_panel(
        dots,
        rows,
        measure=measure,
        width=width,
        domain=(0.0, max(0.2, span([tie.strength for tie in ties], step=0.05)[1])),
        axis={"format": ".2f", "title": str(material("axis"))},
        asides=str(material("aside")),
        aside=noted,
        own=material.language,
    )
    return panel


@figure(cohort.exposure)
def exposure(material: Material) -> Chart:
    """Mean grey level and contrast of the images by group of the attribute of the decision page, and label."""
    shown, attribute, measure = material["shown"], material["attribute"], material.measure

    def row(own: cohort.Grey) -> str:
        return f"{material.language.group(own.group, attribute)}|{material('row', label=own.label)}"

    rows = under_headings(row(own) for own in shown)
    names = list(dict.fromkeys(own.measure for own in shown))
    width = (measure.width - label_width(rows, measure) - 30 * (len(names) - 1)) / len(names)
    panels = []
    for name in names:
        part = [own for own in shown if own.measure == name]
        dots, values = [], []
        for own in part:
            look = replace(group_look(attribute.name, own.group), hollow=LABELS[own.label][1].hollow)
            level = own.level
            own_values = (level.value, level.low, level.high) if level else (None, None, None)
            values += own_values
            dots.append(dot(row(own), *own_values, look, missing="" if level else str(material("no_image"))))
        panels.append(
            dot_panel(
                dots,
                rows,
                measure=measure,
                width=width,
                domain=span(values, step=0.01, least=0.04),
                heading=str(material("measure", name=name)),
                axis={"format": ".2f"},
                labelled=name == names[0],
                own=material.language,
            )
        )
    return alt.hconcat(*panels, spacing=30)
