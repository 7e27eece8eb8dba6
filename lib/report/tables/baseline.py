"""The untouched classifier: each demand of fairness as one figure, and the groups of two attributes at once."""

from great_tables import GT

from lib.report.facts import baseline as facts
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of


@table(facts.of_parity)
def parity(material: Material) -> GT:
    """A row for each demand, a column for each attribute."""
    own, attributes = material.language, material["attributes"]
    rows = [
        {"demand": material("demand", own=demand)}
        | {a.name: material("value", own=demand, value=demand.values[a.name]) for a in attributes}
        for demand in material["demands"]
    ]
    labels = {a.name: own.attribute(a) for a in attributes}
    return table_of(rows, labels, own, stub="demand", right=list(labels))


@table(facts.of_crossings)
def pooled_crossings(material: Material) -> GT:
    """A row for each crossing: of the sick found and of the healthy alarmed, by themselves and drawn together."""
    columns = ("patients", "tpr_raw", "tpr", "fpr_raw", "fpr")
    rows = []
    for crossing in material["found"]:
        cells = {name: material("rate", c=crossing, metric=name) for name in ("tpr", "fpr")}
        cells |= {f"{name}_raw": material("raw", c=crossing, metric=name) for name in ("tpr", "fpr")}
        rows.append(cells | {name: material(name, c=crossing) for name in ("group", "heading", "patients")})
    labels = {name: material("head", name=name) for name in columns}
    return table_of(rows, labels, material.language, stub="group", heading="heading", right=columns)
