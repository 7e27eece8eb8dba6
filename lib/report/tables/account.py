"""What is left of the gaps: by three ways of judging it, by attribute, at lower cut-offs; in a year, and at other prevalences."""

from great_tables import GT

from lib.report.facts import account
from lib.report.registry import Material, table
from lib.report.tables.cells import listing


@table(account.left)
def left(material: Material) -> GT:
    """A row for each way of judging what our choice leaves, the untouched classifier first."""
    rows = [{"way": "before", "gaps": material["before"]}]
    rows += [{"way": way, "gaps": gaps} for way, gaps in material["ways"].items()]
    return listing(material, rows, ("missed", "alarmed", "varies", "judged"), stub="name")


@table(account.attributes)
def attributes(material: Material) -> GT:
    """A row for each attribute: what the image shows of it, its tie with the label, its widest gaps, before and after our choice."""
    after = ("missed_after", "alarmed_after") if material["choice"] else ()
    rows = [{"own": line} for line in material["lines"]]
    return listing(material, rows, ("visible", "tie", "missed", "alarmed", *after), stub="name")


@table(account.sensitive)
def sensitive(material: Material) -> GT:
    """A row for everyone and for each group, under each cut-off."""
    rows = [{"point": point, "own": group} for point in material["points"] for group in point["groups"]]
    columns = ("missed", "alarmed", "spared")
    return listing(material, rows, columns, stub="name", heading="heading", right=columns)


@table(account.worth)
def predictive(material: Material) -> GT:
    """A row for everyone and for each group: predictive values at each prevalence."""
    columns = [f"{value}_{k}" for value in ("sick", "healthy") for k in range(len(material["prevalences"]) + 1)]
    rows = [{"own": line} for line in material["lines"]]
    return listing(material, rows, columns, stub="name", right=columns)


@table(account.yearly)
def yearly(material: Material) -> GT:
    """A row for each group under each option."""
    rows, columns = [{"own": line} for line in material["lines"]], ("found", "alarmed")
    return listing(material, rows, columns, stub="name", heading="heading", right=columns)
