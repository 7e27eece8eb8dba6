"""Dots in small multiples: who is in the cohort, what goes with what, and the untouched classifier group by group."""

from collections.abc import Mapping
from dataclasses import replace

import altair as alt
import polars as pl

from lib.names import OVERALL
from lib.report.facts import baseline as facts
from lib.report.facts import cohort
from lib.report.facts.values import Estimate, Row
from lib.report.figures import marks
from lib.report.figures.layout import Chart, over, written
from lib.report.figures.marks import Panel, around_zero, dot, dot_panels, roomy, row_of, span
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GREY, GROUND, LABELS, Look, group_look

WHOLE, ALIKE = Look(LABELS[1].colour, "circle"), Look(LABELS[1].colour, "diamond", hollow=True)


@figure(cohort.composition)
def prevalence(material: Material) -> Chart:
    """Share of sick by group, in training and in validation, everyone's as a rule."""
    members, language = material["members"], material.language

    def row(group: Row) -> str:
        return row_of(language, group["attribute"], str(material("group_name", m=group)))

    domain = span([group["sick"] for group in members], step=0.05, least=0.2)
    panels, missing = [], str(material("no_image"))
    for split in material["splits"]:
        own = [group for group in members if group["split"] == split]
        dots = [dot(row(g), g["sick"], group_look(g["attribute"], g["group"]), missing=missing) for g in own]
        everyone = next((g["sick"].value for g in own if g["attribute"] == OVERALL and g["sick"]), None)
        panels.append(Panel(dots, domain, marks.PERCENT, language.split(split), everyone))
    return dot_panels(material, [row(group) for group in members], panels)


@figure(cohort.ages)
def ages(material: Material) -> Chart:
    """Ages of the sick and of the healthy, as shares of each, in ten-year bins; each line carries its name."""
    measure = material.measure
    across = alt.X("middle:Q", title=str(material("across")), axis=alt.Axis(values=list(range(0, 130, 10)), grid=False))
    up = alt.Y("share:Q", title=None, axis=alt.Axis(tickCount=4, grid=True, **marks.PERCENT))
    layers, names = [], []
    for k, (label, look) in enumerate(sorted(LABELS.items(), reverse=True)):
        stroke = {"color": look.colour, "strokeWidth": 2, "strokeDash": [5, 4] if look.hollow else [1, 0]}
        left = k * measure.width / 2
        rule = alt.Chart(pl.DataFrame({"x": [left]})).mark_rule(**stroke)
        names.append(rule.encode(x=alt.XValue(left), x2=alt.value(left + 34), y=alt.YValue(8)))
        name = str(material("line", label=label))
        names.append(written(name, left, 8, dx=42, baseline="middle", opacity=FAINT + 0.15))
        if not (shares := material["shares"][label]):
            continue
        frame = pl.DataFrame({"middle": [start + 5 for start in shares], "share": list(shares.values())})
        line = alt.Chart(frame).encode(across, up)
        dots = {"fill": GROUND if look.hollow else look.colour, "fillOpacity": 1, "stroke": look.colour}
        layers += [line.mark_line(**stroke), line.mark_point(**dots, strokeWidth=2)]
    size = {"width": measure.width - 50, "height": 210 if material.size == "page" else 290}
    return over(alt.layer(*names, width=size["width"], height=16), alt.layer(*layers, **size), spacing=6)


@figure(cohort.associations)
def associations(material: Material) -> Chart:
    """Cramer's V of each attribute with the label, and of every two attributes; full where it is shown."""
    rows, dots = [], []
    for tie in material["ties"]:
        rows.append(f"{material('between' if tie['other'] else 'with_label')}|{material('pair', tie=tie)}")
        strength, look = tie["strength"], replace(LABELS[1], hollow=not tie["sure"])
        strength = None if strength is None else Estimate(strength)
        dots.append(dot(rows[-1], strength, look, aside=material.language.verdict(tie["verdict"])))
    domain = (0.0, max(0.2, span([tie["strength"] for tie in material["ties"]], step=0.05)[1]))
    panel = Panel(dots, domain, {"format": ".2f", "title": str(material("axis"))})
    return dot_panels(material, rows, [panel], asides=str(material("aside")))


@figure(cohort.exposure)
def exposure(material: Material) -> Chart:
    """Mean grey level and contrast of the images by group of the attribute of the decision page, and label."""
    shown, attribute = material["shown"], material["attribute"]

    def row(grey: Row) -> str:
        return f"{material.language.group(grey['group'], attribute)}|{material('row', label=grey['label'])}"

    def look(grey: Row) -> Look:
        return replace(group_look(attribute.name, grey["group"]), hollow=LABELS[grey["label"]].hollow)

    panels, missing = [], str(material("no_image"))
    for name in dict.fromkeys(grey["measure"] for grey in shown):
        greys = [grey for grey in shown if grey["measure"] == name]
        dots = [dot(row(grey), grey["level"], look(grey), missing=missing) for grey in greys]
        domain = span([grey["level"] for grey in greys], step=0.01, least=0.04)
        panels.append(Panel(dots, domain, {"format": ".2f"}, str(material("measure", name=name))))
    return dot_panels(material, [row(grey) for grey in shown], panels, spacing=30)


@figure(cohort.simpson)
def simpson(material: Material) -> Chart:
    """Differences by the attribute of the decision page, in the share of sick, TPR and FPR, aggregate and standardised."""
    shown, attribute, language = material["shown"], material["attribute"], material.language
    measure = replace(material.measure, row=round(1.5 * material.measure.row))

    def row(stratum: Row) -> str:
        return f"{language.contrast(stratum['contrast'], attribute)}|{material('within', s=stratum)}"

    domain = around_zero([stratum[which] for stratum in shown for which in ("whole", "alike")])
    panels = []
    for metric in (name for name in cohort.STRATIFIED if any(stratum["metric"] == name for stratum in shown)):
        dots = []
        for stratum in (stratum for stratum in shown if stratum["metric"] == metric):
            dots.append(dot(row(stratum), stratum["whole"], WHOLE, shift=-0.2 * measure.row, missing=""))
            dots.append(dot(row(stratum), stratum["alike"], ALIKE, shift=0.2 * measure.row))
        panels.append(Panel(dots, domain, marks.POINTS, str(material("metric", name=metric)), at=0))
    entries = [(str(material("whole")), WHOLE), (str(material("alike")), ALIKE)]
    return dot_panels(material, [row(stratum) for stratum in shown], panels, entries=entries, measure=measure)


DIFFERENCES = {
    "shown": Look("#7a55ad", "diamond"),
    "suggested": Look("#7a55ad", "diamond", hollow=True),
    "at most": Look(GREY, "square", hollow=True),
    "not told": Look(GREY, "circle", hollow=True),
}
RATES = ("tpr", "fpr")
Scales = Mapping[str, tuple[marks.Axis, float, float]]
"""Of each quantity its axis, what the axis must hold, and the step of its ends; the two rates share their ends."""


@figure(facts.of_gaps)
def baseline_gaps(material: Material) -> Chart:
    """The differences between groups in TPR, FPR and AUC, each with its verdict; on a slide the two error rates, of 1,000."""
    if material.size == "slide":
        return _panels(material, dict.fromkeys(RATES, (marks.THOUSAND, 0.0, 0.1)))
    return _panels(material, dict.fromkeys(RATES, (marks.POINTS, 0.0, 0.1)) | {"auc": (marks.AUC_CHANGE, 0.0, 0.05)})


@figure(facts.of_groups)
def baseline_groups(material: Material) -> Chart:
    """TPR, FPR and AUC of each group; the dashed line is everyone's."""
    everyone = {name: cell.value for name, cell in material["lines"][0]["cells"].items() if cell}
    scales = {"tpr": (marks.PERCENT, 0.5, 0.2), "fpr": (marks.PERCENT, 0.5, 0.2), "auc": (marks.AUC, 0.5, 0.1)}
    return _panels(material, scales, everyone)


@figure(facts.of_calibration)
def calibration(material: Material) -> Chart:
    """How much the mean score of each group is above its share of sick, and the slope, 1 where scores mean what they say."""
    return _panels(material, {"mean_error": (marks.POINTS, 0.0, 0.1), "slope": ({"format": ".1f"}, 1.0, 0.5)})


def _panels(material: Material, scales: Scales, everyone: Mapping[str, float] | None = None) -> Chart:
    """One panel for each quantity, rows under their attributes, a rule where it is `everyone`'s.

    Without `everyone` the rule is at what the axis must hold, marks are those of verdicts, and a key names those that occur.
    """
    lines, language = material["lines"], material.language

    def row(line: Row) -> str:
        named = language.contrast if line["contrast"] else language.group
        name = named(line["contrast"] or line["group"], line["attribute"]) if line["attribute"] else ""
        return row_of(language, line["attribute"], name)

    def look(line: Row, cell: Estimate | None) -> Look:
        if everyone is not None:
            return group_look(line["attribute"], line["group"])
        return DIFFERENCES.get(cell.verdict if cell else None, DIFFERENCES["not told"])

    panels = []
    for name, (axis, held, step) in scales.items():
        together = RATES if name in RATES else (name,)
        domain = span([held, *(line["cells"][n] for line in lines for n in together)], step=step, least=2 * step)
        dots = [dot(row(line), line["cells"][name], look(line, line["cells"][name])) for line in lines]
        at = held if everyone is None else everyone.get(name)
        panels.append(Panel(dots, domain, axis, str(material("heading", name=name)), at))
    verdicts = {line["cells"][name].verdict for line in lines for name in scales if line["cells"][name]}
    entries = [(language.verdict(word), own) for word, own in DIFFERENCES.items() if word in verdicts]
    return dot_panels(material, [row(line) for line in lines], panels, entries=[] if everyone else entries)


@figure(facts.of_networks)
def seed_spread(material: Material) -> Chart:
    """Balanced accuracy and AUC of every network, a row for each weighting; lines span the networks of one."""
    language = material.language
    networks = dict(list(material["networks"].items())[: 14 if material.size == "page" else 5])
    rows = {name: f"|{language.weighting(name)}" for name in networks}
    panels = []
    for metric, axis in (("balanced_accuracy", marks.PERCENT), ("auc", marks.AUC)):
        values = {name: own[metric] for name, own in networks.items()}
        known = [(name, Estimate(value, min(own), max(own))) for name, own in values.items() for value in own]
        dots = [dot(rows[name], value, LABELS[1]) for name, value in known]
        domain = span([value for own in values.values() for value in own], step=0.01, least=0.04)
        panels.append(Panel(dots, domain, axis, language.metric(metric)))
    measure = roomy(material.measure, rows.values())
    return dot_panels(material, rows.values(), panels, measure=measure, spacing=30)
