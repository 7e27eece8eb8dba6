"""The weightings by what the network sees under each, and the parts of every gap."""

from great_tables import GT

from lib.report.facts import weightings as facts
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of


@table(facts.gather)
def weightings(material: Material) -> GT:
    """A row for each weighting: effective share of the images, how often the first group is seen, how often each is sick there."""
    w = material["w"]
    rows = [
        {name: material(name, own=own, group=w.groups[0], other=w.groups[1]) for name in ("weighting", *COLUMNS)}
        for own in (w.start, *w.others)
    ]
    labels = {name: material("head", name=name, group=w.groups[0], other=w.groups[1]) for name in COLUMNS}
    return table_of(rows, labels, material.language, stub="weighting", right=COLUMNS)


COLUMNS = ("effective", "often", "sick", "sick_other", "tie")


@table(facts.why)
def why_gaps(material: Material) -> GT:
    """A row for each gap: the whole, what lies in the place of the cut-off, and what lies in how well each group is ranked."""
    rows = [
        {name: material(name, p=part) for name in ("attribute", "gap", "whole", "cut", "ranking")}
        for part in material["parts"]
    ]
    columns = ("whole", "cut", "ranking")
    labels = {name: material("head", name=name) for name in columns}
    return table_of(rows, labels, material.language, stub="gap", heading="attribute", right=columns)
