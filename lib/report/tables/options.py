"""The three things that can be done, side by side: what each needs, what it does to people, and its price."""

from great_tables import GT

from lib.report.facts import decide
from lib.report.tables.cells import table
from lib.report.words.templates import tell
from lib.results import Results


def options(results: Results) -> GT:
    """A row for each option of the decision page; of 1,000 sick of each group those missed, of 1,000 healthy those alarmed."""
    facts = decide(results)

    def cell(part: str, **more: object) -> str:
        return tell("tables/options", part, d=facts, **more)

    columns = ("needs", "missed", "alarmed", "price", "evidence")
    rows = [{"option": cell("option", o=own)} | {name: cell(name, o=own) for name in columns} for own in facts.options]
    return table(rows, {name: cell(f"{name}_head") for name in columns}, stub="option")
