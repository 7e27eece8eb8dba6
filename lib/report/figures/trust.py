"""How often intervals hold the truth where it is known, and how often planted biases are found."""

from lib.report.facts import planted as plants
from lib.report.facts import trust as facts
from lib.report.facts.values import Estimate
from lib.report.figures.layout import Chart
from lib.report.figures.marks import PERCENT, Panel, dot, dot_panels
from lib.report.registry import Material, figure
from lib.report.theme import LABELS, PALE, Look

PATIENT, IMAGE = LABELS[1], Look(PALE, "square", hollow=True)
PLANTED = {
    1.0: ("full", LABELS[1], -5.0),
    0.5: ("half", LABELS[0], 0.0),
    0.0: ("not", Look(PALE, "square"), 5.0),
}
"""How much of a bias is planted: its word, its look, and how far from the middle of the row it stands."""
LOWEST = 0.75


@figure(facts.gather)
def coverage(material: Material) -> Chart:
    """A row for each sort of interval: the mean over settings, and from the worst setting to the best; the dashed line is 95 %."""
    rows, dots = [], []
    for sort in (sort for sort in material["found"] if sort.core or material.size == "page"):
        heading = str(material("main" if sort.core else "further"))
        rows.append(f"{heading}|{material.language.named(sort.sort, 'intervals')}")
        image = material["images"].get(sort.sort)
        for covered, look, shift in ((sort, PATIENT, -4.0), (image, IMAGE, 4.0)):
            if covered is not None:
                ends = (max(LOWEST, share) for share in (covered.mean, covered.worst, covered.best))
                dots.append(dot(rows[-1], Estimate(*ends), look, shift=shift if image else 0.0))
    entries = [(str(material("patient")), PATIENT), *([(str(material("image")), IMAGE)] if material["images"] else [])]
    panel = Panel(dots, (LOWEST, 1.0), PERCENT, at=0.95)
    return dot_panels(material, rows, [panel], entries=entries, ticks=5)


@figure(plants.gather)
def planted(material: Material) -> Chart:
    """A row for each bias: how often it is claimed where it is planted in full, by half, and not at all."""
    rows = {rate.bias: f"|{material.language.named(rate.bias, 'planted')}" for rate in material["rates"]}
    dots = []
    for rate in (rate for rate in material["rates"] if rate.value in PLANTED):
        _, look, shift = PLANTED[rate.value]
        dots.append(dot(rows[rate.bias], Estimate(rate.share, rate.low, rate.high), look, shift=shift))
    entries = [(str(material(name)), look) for name, look, _ in PLANTED.values()]
    return dot_panels(material, rows.values(), [Panel(dots, (0.0, 1.0), PERCENT)], entries=entries)
