"""What if: deciding by the score at another cut-off, another seed, more epochs, the least sure referred; and where the truth is known?"""

from dataclasses import replace

from lib.names import BASELINE_WEIGHTING
from lib.report.facts import study, trust
from lib.report.facts import whatif as facts
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.facts.values import Estimate
from lib.report.figures.layout import Chart, in_lines
from lib.report.figures.lines import Line, line_panel, reach
from lib.report.figures.marks import PERCENT, THOUSAND, Panel, dot, dot_panels, roomy
from lib.report.registry import Material, figure
from lib.report.theme import LABELS, PALE, Look, group_look

PATIENT, IMAGE = LABELS[1], Look(PALE, "square", hollow=True)
PLANTED = {
    1.0: ("full", LABELS[1], -8.0),
    0.5: ("half", LABELS[0], 0.0),
    0.0: ("not", Look(PALE, "square"), 8.0),
}
"""How much of a bias is planted: its word, its look, and how far from the middle of the row it stands."""


@figure(facts.net_benefit)
def net_benefit(material: Material) -> Chart:
    """What deciding by the score gains over calling all or nobody, by cut-off, in each group."""
    columns, attribute = min(3, len(material["groups"])), material["d"].attribute
    size = ((material.measure.width - 60 * columns) / columns, 150 if material.size == "page" else 260)
    curves = {group: list(curve.items()) for group, curve in material["groups"].items()}
    lines = {group: Line("", curve, group_look(attribute, group)) for group, curve in curves.items()}
    across = ({"format": ".1f", "values": [0.1, 0.3, 0.5, 0.7, 0.9]}, (0.05, 0.95))
    up = (THOUSAND, reach(list(lines.values()), step=0.05, least=0.1))
    named = [(material.language.group(group, attribute), [line]) for group, line in lines.items()]
    panels = [line_panel(material, own, across, up, size, heading=name, at=0.0) for name, own in named]
    return in_lines(panels, columns, 20)


@figure(facts.seed_decisions)
def seed_decisions(material: Material) -> Chart:
    """How often two networks that differ by their seed alone decide differently, by group and label."""
    attribute, labels, dots = material["d"].attribute, {"sick": SICK, "healthy": HEALTHY}, []
    for group, chances in material["groups"].items():
        for among in (among for among in labels if among in chances):
            look = replace(group_look(attribute, group), hollow=among == "healthy")
            shift = (-0.18 if among == "sick" else 0.18) * material.measure.row
            dots.append(dot(f"|{material.language.group(group, attribute)}", chances[among], look, shift=shift))
    panel = Panel(PERCENT, str(material("axis")), holds=[0])
    entries = [(str(material(among)), LABELS[label]) for among, label in labels.items()]
    return dot_panels(material, dots, panel, entries=entries, margin=20)


@figure(study.training)
def training(material: Material) -> Chart:
    """AUC on tuning patients and training loss by epoch: the untouched networks, and thin the other weightings."""
    size, panels = ((material.measure.width - 130) / 2, 170 if material.size == "page" else 300), []
    for what, curves in material["figures"].items():
        lines = [Line("", own, LABELS[1], faint=name != BASELINE_WEIGHTING) for name, own in curves.items()]
        across = ({"values": material["epochs"], "format": "d"}, (material["epochs"][0], material["epochs"][-1]))
        up = ({"format": ".2f"}, reach(lines, step=0.02, least=0.06))
        panels.append(line_panel(material, lines, across, up, size, heading=str(material(what))))
    return in_lines(panels, 2, 30)


@figure(facts.abstention)
def abstention(material: Material) -> Chart:
    """By the share of decisions that is referred: who is referred, and the errors of the rest, by group."""
    rates, measure, attribute = material["rates"], material.measure, material["d"].attribute
    called = {group: material.language.group(group, attribute) for curves in rates.values() for group in curves}
    name = max(map(len, called.values())) * 0.55 * measure.small
    size = ((measure.width - 3 * name - 160) / 3, 170 if material.size == "page" else 320)
    panels = []
    for metric in ("referred", "tpr", "fpr"):
        curves = {group: list(own.items()) for group, own in rates[metric].items()}
        lines = [Line(called[g], own, group_look(attribute, g), band=False) for g, own in curves.items()]
        low, high = reach(lines, step=0.1, least=0.2)
        shares = sorted({share for line in lines for share, _ in line.points})
        across, up = ({**PERCENT, "values": shares}, (0.0, shares[-1])), (PERCENT, (max(0.0, low), min(1.0, high)))
        panels.append(line_panel(material, lines, across, up, size, heading=str(material(metric))))
    return in_lines(panels, 3, 16)


@figure(trust.gather)
def coverage(material: Material) -> Chart:
    """A row for each sort of interval: the mean over settings (in numbers, too), and from the worst to the best; the dashed line is 95 %."""
    dots = []
    for sort in (sort for sort in material["found"] if sort["core"] or material.size == "page"):
        heading = material("main" if sort["core"] else "further")
        row = f"{heading}|{material.language.named(sort['sort'], 'intervals')}"
        image = material["images"].get(sort["sort"])
        for covered, look, shift in ((sort, PATIENT, -4.0), (image, IMAGE, 4.0)):
            if covered is not None:
                held = Estimate(*map(covered.get, ("mean", "worst", "best")))
                mean = material.language.percent(covered["mean"], 0) if look is PATIENT else ""
                dots.append(dot(row, held, look, shift=shift if image else 0.0, aside=mean))
    entries = [(str(material("patient")), PATIENT), *([(str(material("image")), IMAGE)] if material["images"] else [])]
    panel = Panel(PERCENT, rules=[0.95], holds=[1.0], least=0.0)
    measure = replace(material.measure, row=14, tallest=14)  # many rows, one page
    aside = str(material("aside"))
    return dot_panels(material, dots, panel, entries=entries, measure=measure, ticks=5, asides=aside)


@figure(trust.planted)
def planted(material: Material) -> Chart:
    """A row for each bias: how often it is claimed where it is planted in full (in numbers, too), by half, and not at all."""
    dots = []
    for rate in (rate for rate in material["rates"] if rate["value"] in PLANTED):
        _, look, shift = PLANTED[rate["value"]]
        row = f"|{material.language.named(rate['bias'], 'planted')}"
        share = material.language.percent(rate["share"], 0) if rate["value"] == 1 else ""
        dots.append(dot(row, Estimate(rate["share"], rate["low"], rate["high"]), look, shift=shift, aside=share))
    entries = [(str(material(name)), look) for name, look, _ in PLANTED.values()]
    measure = replace(material.measure, row=max(30, material.measure.row))
    if material.size == "slide":
        measure = roomy(measure, ())
    panel, aside = Panel(PERCENT, domain=(0.0, 1.0)), str(material("full"))
    return dot_panels(material, dots, panel, entries=entries, measure=measure, asides=aside)
