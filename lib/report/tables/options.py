"""The three things that can be done, side by side: what each needs, what it does to people, and its price."""

from great_tables import GT

from lib.report.facts import decide
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of

COLUMNS = ("needs", "missed", "alarmed", "price", "evidence")


@table(lambda study: {"d": d} if (d := decide(study)).options else None)
def options(material: Material) -> GT:
    """A row for each option of the decision page; of 1,000 sick of each group those missed, of 1,000 healthy those alarmed."""
    rows = [{name: material(name, o=option) for name in ("option", *COLUMNS)} for option in material["d"].options]
    return table_of(rows, {name: material(f"{name}_head") for name in COLUMNS}, material.language, stub="option")
