"""The untouched classifier: each demand of fairness as one figure, groups of two attributes, parts of gaps, label errors."""

from great_tables import GT

from lib.report.facts import baseline, weightings, whatif
from lib.report.registry import Material, table
from lib.report.tables.cells import heads, listing, table_of


@table(baseline.of_parity)
def parity(material: Material) -> GT:
    """A row for each demand, a column for each attribute."""
    language, attributes = material.language, material["attributes"]
    rows = [
        {"demand": material("demand", own=demand)}
        | {a.name: material("value", own=demand, value=demand["values"][a.name]) for a in attributes}
        for demand in material["demands"]
    ]
    labels = {attribute.name: language.attribute(attribute) for attribute in attributes}
    return table_of(rows, labels, language, stub="demand", right=list(labels))


@table(baseline.of_crossings)
def pooled_crossings(material: Material) -> GT:
    """A row for each crossing: of the sick found and of the healthy alarmed, by themselves and drawn together."""
    columns = ("patients", "tpr_raw", "tpr", "fpr_raw", "fpr")
    rows = []
    for crossing in material["found"]:
        cells = {name: material(name, c=crossing) for name in ("group", "heading", "patients")}
        for metric in ("tpr", "fpr"):
            cells[metric] = material("rate", c=crossing, metric=metric)
            cells[f"{metric}_raw"] = material("raw", c=crossing, metric=metric)
        rows.append(cells)
    labels = heads(material, columns)
    return table_of(rows, labels, material.language, stub="group", heading="heading", right=columns)


@table(weightings.why)
def why_gaps(material: Material) -> GT:
    """A row for each gap: the whole, what lies in the place of the cut-off, and what lies in how well each group is ranked."""
    rows, columns = [{"p": part} for part in material["parts"]], ("whole", "cut", "ranking")
    return listing(material, rows, columns, stub="gap", heading="attribute", right=columns)


@table(whatif.label_errors)
def label_errors(material: Material) -> GT:
    """A row for each gap that is told: how many labels would have to be wrong."""
    return listing(material, [{"t": t} for t in material["shown"]], ("whose", "alike", "fewest", "looks"), stub="gap")
