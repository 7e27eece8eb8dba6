"""Dots in small multiples: who is in the cohort, what goes with what, and the untouched classifier group by group."""

from collections.abc import Mapping
from dataclasses import replace

import altair as alt
import polars as pl

from lib.names import OVERALL
from lib.report.facts import baseline as facts
from lib.report.facts import cohort
from lib.report.facts.values import Estimate
from lib.report.figures import marks
from lib.report.figures.layout import Chart, over, written
from lib.report.figures.marks import Panel, dot, dot_panels, roomy, row_of, span
from lib.report.registry import Material, figure
from lib.report.theme import FAINT, GREY, GROUND, LABELS, Look, group_look

WHOLE, ALIKE = Look(LABELS[1].colour, "circle"), Look(LABELS[1].colour, "diamond", hollow=True)


@figure(cohort.composition)
def prevalence(material: Material) -> Chart:
    """Share of sick by group, in training and in validation, everyone's as a rule."""
    language, dots, everyone = material.language, [], {}
    for group in material["members"]:
        row = row_of(language, group["attribute"], str(material("group_name", m=group)))
        look, split = group_look(group["attribute"], group["group"]), group["split"]
        dots.append(dot(row, group["sick"], look, split, missing=str(material("no_image"))))
        if group["attribute"] == OVERALL and group["sick"]:
            everyone[split] = [group["sick"].value]
    panels = {
        split: Panel(marks.PERCENT, language.split(split), least=0.2, rules=everyone.get(split, ()), scale="sick")
        for split in material["splits"]
    }
    return dot_panels(material, dots, panels)


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
    dots = []
    for tie in material["ties"]:
        row = f"{material('between' if tie['other'] else 'with_label')}|{material('pair', tie=tie)}"
        strength = None if tie["strength"] is None else Estimate(tie["strength"])
        look, verdict = replace(LABELS[1], hollow=not tie["sure"]), material.language.verdict(tie["verdict"])
        dots.append(dot(row, strength, look, aside=verdict))
    domain = (0.0, max(0.2, span([tie["strength"] for tie in material["ties"]], step=0.05)[1]))
    panel = Panel({"format": ".2f", "title": str(material("axis"))}, domain=domain)
    return dot_panels(material, dots, panel, asides=str(material("aside")))


@figure(cohort.exposure)
def exposure(material: Material) -> Chart:
    """Mean grey level and contrast of the images by group of the attribute of the decision page, and label."""
    attribute, dots, panels = material["attribute"], [], {}
    for grey in material["shown"]:
        row = f"{material.language.group(grey['group'], attribute)}|{material('row', label=grey['label'])}"
        look = replace(group_look(attribute, grey["group"]), hollow=LABELS[grey["label"]].hollow)
        name = grey["measure"]
        dots.append(dot(row, grey["level"], look, name, missing=str(material("no_image"))))
        panels[name] = Panel({"format": ".2f"}, str(material("measure", name=name)), step=0.01, least=0.04)
    return dot_panels(material, dots, panels, spacing=30)


@figure(cohort.simpson)
def simpson(material: Material) -> Chart:
    """Differences by the attribute of the decision page, in the share of sick, TPR and FPR, aggregate and standardised."""
    dots, measure = [], replace(material.measure, row=round(1.5 * material.measure.row))
    for stratum in material["shown"]:
        contrast, metric = material.language.contrast(stratum["contrast"], material["attribute"]), stratum["metric"]
        row = f"{contrast}|{material('within', s=stratum)}"
        dots.append(dot(row, stratum["whole"], WHOLE, metric, shift=-0.2 * measure.row, missing=""))
        dots.append(dot(row, stratum["alike"], ALIKE, metric, shift=0.2 * measure.row))
    panels = {
        name: Panel(marks.POINTS, str(material("metric", name=name)), rules=[0], scale="differences")
        for name in cohort.STRATIFIED
    }
    entries = [(str(material("whole")), WHOLE), (str(material("alike")), ALIKE)]
    return dot_panels(material, dots, panels, entries=entries, measure=measure)


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
    language, dots, panels = material.language, [], {}
    for line in material["lines"]:
        attribute, named = line["attribute"], language.contrast if line["contrast"] else language.group
        row = row_of(language, attribute, named(line["contrast"] or line["group"], attribute) if attribute else "")
        for name in scales:
            cell, look = line["cells"][name], group_look(attribute, line["group"])
            if everyone is None:
                look = DIFFERENCES.get(cell.verdict if cell else None, DIFFERENCES["not told"])
            dots.append(dot(row, cell, look, name))
    for name, (axis, held, step) in scales.items():
        rules = [held] if everyone is None else [everyone[name]] if name in everyone else []
        heading, scale = str(material("heading", name=name)), "rates" if name in RATES else name
        panels[name] = Panel(axis, heading, step, 2 * step, rules, holds=[held], scale=scale)
    verdicts = {
        cell.verdict for line in material["lines"] for name, cell in line["cells"].items() if cell and name in scales
    }
    entries = [(language.verdict(word), look) for word, look in DIFFERENCES.items() if word in verdicts]
    return dot_panels(material, dots, panels, entries=[] if everyone else entries)


@figure(facts.of_networks)
def seed_spread(material: Material) -> Chart:
    """Balanced accuracy and AUC of every network, a row for each weighting; lines span the networks of one."""
    language, dots = material.language, []
    for name, metrics in list(material["networks"].items())[: 14 if material.size == "page" else 5]:
        for metric, each in metrics.items():
            known = [Estimate(value, min(each), max(each)) for value in each]
            dots += [dot(f"|{language.weighting(name)}", value, LABELS[1], metric) for value in known]
    axes = {"balanced_accuracy": marks.PERCENT, "auc": marks.AUC}
    panels = {metric: Panel(axis, language.metric(metric), 0.01, 0.04) for metric, axis in axes.items()}
    measure = roomy(material.measure, [mark["row"] for mark in dots])
    return dot_panels(material, dots, panels, measure=measure, spacing=30)
