"""The settings in which intervals cover too seldom or too often."""

from great_tables import GT

from lib.report.facts import trust as facts
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of


@table(facts.missed)
def missed_aims(material: Material) -> GT:
    """A row for each setting that misses the aim of 93 to 97 %, the worst first, none left out."""
    columns = ("cohorts", "covered", "worst")
    rows = [
        {name: material(name, s=setting) for name in ("sort", "setting", *columns)} for setting in material["found"]
    ]
    labels = {name: material("head", name=name) for name in columns}
    return table_of(rows, labels, material.language, stub="setting", heading="sort", right=columns)
