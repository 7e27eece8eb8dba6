"""Who is in the cohort: the share of sick in each group, and the ages."""

import altair as alt
import polars as pl

from lib.names import OVERALL
from lib.report.facts import cohort
from lib.report.figures.marks import PERCENT, Chart, dot, dot_panel, label_width, span, under_headings
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GROUND, LABELS, group_look


@figure(cohort.composition)
def prevalence(material: Material) -> Chart:
    """Share of sick by group, in training and in validation, everyone's as a rule."""
    everyone, splits, measure = material["members"], material["splits"], material.measure
    language = material.language

    def row(own: cohort.Members) -> str:
        name = str(material("group_name", m=own))
        return f"|{name}" if own.attribute == OVERALL else f"{language.attribute(own.attribute)}|{name}"

    rows = under_headings(row(own) for own in everyone)
    width = (measure.width - label_width(rows, measure) - 24 * (len(splits) - 1)) / len(splits)
    known = [value for own in everyone if (s := own.sick) for value in (s.value, s.low, s.high)]
    panels = []
    for split in splits:
        own_split = [own for own in everyone if own.split == split]
        dots = []
        for own in own_split:
            look = group_look(OVERALL if own.attribute == OVERALL else own.attribute.name, own.group)
            s, missing = own.sick, "" if own.sick else str(material("no_image"))
            values = (s.value, s.low, s.high) if s else (None, None, None)
            dots.append(dot(row(own), *values, look, missing=missing))
        overall = next((own.sick.value for own in own_split if own.attribute == OVERALL and own.sick), None)
        panels.append(
            dot_panel(
                dots,
                rows,
                measure=measure,
                width=width,
                domain=span(known, step=0.05, least=0.2),
                heading=language.split(split),
                axis=PERCENT,
                labelled=split == splits[0],
                at=overall,
                own=language,
            )
        )
    return alt.hconcat(*panels, spacing=24)


@figure(cohort.ages)
def ages(material: Material) -> Chart:
    """Ages of the sick and of the healthy, as shares of each, in ten-year bins; each line carries its name."""
    own, measure = material["ages"], material.measure
    x_axis = alt.Axis(values=list(range(0, 130, 10)), grid=False)
    layers = []
    for label, (_, look) in LABELS.items():
        starts = sorted(own.bins[label])
        if not starts:
            continue
        frame = pl.DataFrame({"middle": [s + 5 for s in starts], "share": [own.share(label, s) for s in starts]})
        line = alt.Chart(frame).encode(
            x=alt.X("middle:Q", title=str(material("across")), axis=x_axis),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(tickCount=4, grid=True, **PERCENT)),
        )
        layers.append(line.mark_line(color=look.colour, strokeWidth=2, strokeDash=[5, 4] if look.hollow else [1, 0]))
        filling = GROUND if look.hollow else look.colour
        layers.append(line.mark_point(fill=filling, fillOpacity=1, stroke=look.colour, strokeWidth=2))
    plot = alt.layer(*layers, width=measure.width - 50, height=210 if material.size == "page" else 290)
    return alt.vconcat(_names(material), plot, spacing=6)


def _names(material: Material) -> alt.LayerChart:
    """What the two lines are: drawn as they are, each beside its name."""
    measure, layers = material.measure, []
    for k, (label, (_, look)) in enumerate(sorted(LABELS.items(), reverse=True)):
        left = k * measure.width / 2
        place = {"x": alt.XValue(left), "y": alt.YValue(8)}
        base = alt.Chart(pl.DataFrame({"t": [str(material("line", label=label))]})).encode(**place)
        dash = [5, 4] if look.hollow else [1, 0]
        layers.append(base.mark_rule(color=look.colour, strokeWidth=2, strokeDash=dash).encode(x2=alt.value(left + 34)))
        text = base.mark_text(align="left", dx=42, opacity=FAINT + 0.15)
        layers.append(text.encode(text="t:N"))
    return alt.layer(*layers, width=measure.width - 50, height=16)
