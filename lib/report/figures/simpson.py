"""A difference as it is beside the same with the groups alike in another attribute: does it keep its side?"""

from dataclasses import replace

import altair as alt

from lib.report.facts import strata
from lib.report.figures.marks import (
    POINTS,
    Chart,
    around_zero,
    dot,
    dot_panel,
    key,
    label_width,
    over,
    under_headings,
)
from lib.report.registry import Material, figure
from lib.report.theme import LABELS, Look

WHOLE, ALIKE = Look(LABELS[1][1].colour, "circle"), Look(LABELS[1][1].colour, "diamond", hollow=True)


@figure(strata.simpson)
def simpson(material: Material) -> Chart:
    """Differences by the attribute of the decision page, in the share of sick, TPR and FPR, aggregate and standardised."""
    shown, attribute, language = material["shown"], material["attribute"], material.language
    measure = replace(material.measure, row=round(1.5 * material.measure.row))

    def row(own: strata.Strata) -> str:
        return f"{language.contrast(own.contrast, attribute)}|{material('within', s=own)}"

    rows = under_headings(row(own) for own in shown)
    metrics = [name for name in strata.METRICS if any(own.metric == name for own in shown)]
    width = (measure.width - label_width(rows, measure) - 24 * (len(metrics) - 1)) / len(metrics)
    ends = [v for s in shown for e in (s.whole, s.alike) if e for v in (e.value, e.low, e.high)]
    panels = []
    for metric in metrics:
        dots = []
        for own in (own for own in shown if own.metric == metric):
            for told, look, shift in ((own.whole, WHOLE, -0.2 * measure.row), (own.alike, ALIKE, 0.2 * measure.row)):
                values = (told.value, told.low, told.high) if told else (None, None, None)
                missing = "" if told or look is WHOLE else language.phrase("not_estimable")
                dots.append(dot(row(own), *values, look, shift=shift, missing=missing))
        panels.append(
            dot_panel(
                dots,
                rows,
                measure=measure,
                width=width,
                domain=around_zero(ends),
                heading=str(material("metric", name=metric)),
                axis=POINTS,
                labelled=metric == metrics[0],
                at=0,
                own=language,
            )
        )
    entries = [(str(material("whole")), WHOLE), (str(material("alike")), ALIKE)]
    return over(
        alt.hconcat(*panels, spacing=24), key(entries, measure, width=measure.width - label_width(rows, measure))
    )
