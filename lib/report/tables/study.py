"""Tables of how the study was made: networks and settings."""

from great_tables import GT

from lib.report.facts import networks
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of

COLUMNS = ("networks", "kept", "time", "tune", "auc", "balanced")


@table(networks.runs)
def runs(material: Material) -> GT:
    """The networks of each weighting, from the least to the most; the epoch kept where networks had a choice."""
    chosen = any(own.epochs != 1 for own in material["runs"])
    columns = [name for name in COLUMNS if name != "kept" or chosen]
    rows = [{name: material(name, r=own) for name in ("weighting", *columns)} for own in material["runs"]]
    heads = {name: material(f"{name}_head") for name in columns}
    return table_of(rows, heads, material.language, stub="weighting", right=columns)


@table(networks.settings)
def settings(material: Material) -> GT:
    """Settings, hardware and versions of the study, as the manifest has them."""
    language = material.language
    rows = [
        {
            "heading": language.sentence(language.named(section, "sections")),
            "name": language.named(name, "settings"),
            "value": material("value", values=networks.plain(value)),
        }
        for section, entries in material["sections"].items()
        for name, value in entries.items()
    ]
    return table_of(rows, {"value": material("value_head")}, language, stub="name", heading="heading")
