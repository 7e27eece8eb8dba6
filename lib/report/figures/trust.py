"""How often intervals hold the truth where it is known, and how often planted biases are found."""

from lib.report.facts import planted as plants
from lib.report.facts import trust as facts
from lib.report.figures.marks import PERCENT, Chart, dot, dot_panel, key, label_width, over, under_headings
from lib.report.registry import Material, figure
from lib.report.theme import LABELS, PALE, Look

PATIENT, IMAGE = LABELS[1][1], Look(PALE, "square", hollow=True)
FULL, HALF, NOT = LABELS[1][1], LABELS[0][1], Look(PALE, "square")
LOWEST = 0.75


@figure(facts.gather)
def coverage(material: Material) -> Chart:
    """A row for each sort of interval: the mean over settings, and from the worst setting to the best; the dashed line is 95 %."""
    own, measure = material.language, material.measure
    found = [c for c in material["found"] if c.core or material.size == "page"]
    heads = {True: str(material("main")), False: str(material("further"))}
    rows = {c.sort: f"{heads[c.core]}|{own.named(c.sort, 'intervals')}" for c in found}
    dots = []
    for c in found:
        image = material["images"].get(c.sort)
        for told, look, shift in ((c, PATIENT, -4.0), (image, IMAGE, 4.0)):
            if told is not None:
                ends = [max(LOWEST, value) for value in (told.mean, told.worst, told.best)]
                dots.append(dot(rows[c.sort], *ends, look, shift=shift if image else 0.0))
    labels = under_headings(rows.values())
    panel = dot_panel(
        dots,
        labels,
        measure=measure,
        width=measure.width - label_width(labels, measure),
        domain=(LOWEST, 1.0),
        axis=PERCENT,
        at=0.95,
        ticks=5,
        own=own,
    )
    marks = [(str(material("patient")), PATIENT), *([(str(material("image")), IMAGE)] if material["images"] else [])]
    return over(panel, key(marks, measure, width=panel.width))


@figure(plants.gather)
def planted(material: Material) -> Chart:
    """A row for each bias: how often it is claimed where it is planted in full, by half, and not at all."""
    own, measure = material.language, material.measure
    looks = {1.0: (FULL, -5.0), 0.5: (HALF, 0.0), 0.0: (NOT, 5.0)}
    rows = {rate.bias: f"|{own.named(rate.bias, 'planted')}" for rate in material["rates"]}
    dots = [
        dot(rows[r.bias], r.share, r.low, r.high, looks[r.value][0], shift=looks[r.value][1])
        for r in material["rates"]
        if r.value in looks
    ]
    labels = list(rows.values())
    panel = dot_panel(
        dots,
        labels,
        measure=measure,
        width=measure.width - label_width(labels, measure),
        domain=(0.0, 1.0),
        axis=PERCENT,
        own=own,
    )
    marks = [(str(material(name)), look) for name, look in (("full", FULL), ("half", HALF), ("not", NOT))]
    return over(panel, key(marks, measure, width=panel.width))
