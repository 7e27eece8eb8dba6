"""Tables of rules that adjust decisions: where they cut, what one of them would do, what calibrated odds replace."""

from great_tables import GT

from lib.report.facts import rules as facts
from lib.report.facts import whatif
from lib.report.registry import Material, table
from lib.report.tables.cells import table_of


def _heads(material: Material, columns: tuple[str, ...]) -> dict[str, str]:
    return {name: material(f"{name}_head") for name in columns}


@table(facts.thresholds)
def thresholds(material: Material) -> GT:
    """A row for each rule, a column for each group: mean, smallest and largest cut-off."""
    attribute = material["d"].attribute
    rows = [
        {"rule": material("rule", r=rule)} | {group: material("cut", c=cut) for group, cut in cuts.items()}
        for rule, cuts in material["rules"].items()
    ]
    labels = {group: material.language.group(group, attribute) for group in attribute.groups}
    return table_of(rows, labels, material.language, stub="rule", right=list(labels))


@table(facts.deployed)
def deployed(material: Material) -> GT:
    """A row for each rule: the gap of the mean over folds and networks, of one rule on new patients, and between cohorts."""
    columns = ("held_out", "deployed", "apart")
    rows = [
        {"rule": material("rule", r=rule)}
        | {name: material(name, own=own, sd=material["spread"].get(rule)) for name in columns}
        for rule, own in material["rules"].items()
    ]
    return table_of(rows, _heads(material, columns), material.language, stub="rule", right=list(columns))


@table(facts.replaced)
def replaced_scores(material: Material) -> GT:
    """A row for each group under each cost: what is replaced by what, and what becomes of the sick."""
    columns = ("cost", "wanted", "share", "level", "found")
    rows = [{name: material(name, own=own) for name in ("rule", "group", *columns)} for own in material["shown"]]
    return table_of(
        rows, _heads(material, columns), material.language, stub="group", heading="rule", right=list(columns)
    )


@table(whatif.label_errors)
def label_errors(material: Material) -> GT:
    """A row for each gap that is told: how many labels would have to be wrong."""
    columns = ("whose", "alike", "fewest", "looks")
    rows = [{name: material(name, t=own) for name in ("gap", *columns)} for own in material["shown"]]
    return table_of(rows, _heads(material, columns), material.language, stub="gap")
