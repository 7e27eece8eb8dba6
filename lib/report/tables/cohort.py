"""Tables of the cohort and of the weightings: what went in."""

from great_tables import GT

from lib.names import OVERALL
from lib.report.facts import cohort
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of

SIZES = ("images", "patients", "sick")


@table(cohort.checks)
def checks(material: Material) -> GT:
    """What was looked for in the folder and the CSV and found, how often, and what was done."""
    rows = [{name: material(name, c=own) for name in ("check", "rows", "action")} for own in material["found"]]
    heads = {name: material(f"{name}_head") for name in ("check", "rows", "action")}
    shown = table_of(rows, heads, material.language, right=["rows"])
    return shown.tab_source_note(str(material("silent_note"))) if material["silent"] else shown


@table(cohort.composition)
def composition(material: Material) -> GT:
    """Images, patients and share of sick of each group, in training and in validation."""
    rows: dict[tuple, dict[str, str]] = {}
    for own in material["members"]:
        heading = (
            "" if own.attribute == OVERALL else material.language.sentence(material.language.attribute(own.attribute))
        )
        row = rows.setdefault((own.attribute, own.group), {"heading": heading, "group": material("group_name", m=own)})
        row |= {f"{own.split}_{name}": material(name, m=own) for name in SIZES}
    splits = material["splits"]
    heads = {f"{split}_{name}": material(f"{name}_head") for split in splits for name in SIZES}
    gt = table_of(list(rows.values()), heads, material.language, stub="group", heading="heading", right=list(heads))
    for split in splits:
        gt = gt.tab_spanner(material.language.split(split), [f"{split}_{name}" for name in SIZES])
    return gt


@table(cohort.catalogue)
def catalogue(material: Material) -> GT:
    """Every weighting of the catalogue that differs from the others here: effective share of the images, largest weight."""
    columns = ("share", "largest", "note")
    rows = [{name: material(name, w=own) for name in ("weighting", *columns)} for own in material["weightings"]]
    heads = {name: material(f"{name}_head") for name in columns}
    shown = table_of(rows, heads, material.language, stub="weighting", right=["share", "largest"])
    return shown.tab_source_note(str(material("rest_note")))
