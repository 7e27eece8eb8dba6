"""The recommended method beside those that cannot be told from it and those that cost too much."""

from great_tables import GT

from lib.report.facts.choice import recommendation as facts
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of

COLUMNS = ("needs", "loss", "gap", "change")


@table(facts)
def recommendation(material: Material) -> GT:
    """A row for each candidate, under its role; loss and change with intervals that hold for all candidates together."""
    rows = [{name: material(name, c=own) for name in ("role", "method", *COLUMNS)} for own in material["candidates"]]
    labels = {name: material(f"{name}_head") for name in COLUMNS}
    return table_of(rows, labels, material.language, stub="method", heading="role", right=["loss", "gap", "change"])
