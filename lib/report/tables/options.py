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

    rows = [
        {
            "option": cell("option", o=own),
            "needs": cell("needs", o=own),
            **{f"missed {s.group}": cell("people", share=s.missed) for s in own.shares if s.missed is not None},
            **{f"alarmed {s.group}": cell("people", share=s.alarmed) for s in own.shares if s.alarmed is not None},
            "price": cell("price", o=own),
            "evidence": cell("evidence", o=own),
        }
        for own in facts.options
    ]
    groups = facts.attribute.groups
    labels = {"needs": cell("needs_head")}
    labels |= {f"missed {group}": cell("missed_head", group=group) for group in groups}
    labels |= {f"alarmed {group}": cell("alarmed_head", group=group) for group in groups}
    labels |= {"price": cell("price_head"), "evidence": cell("evidence_head")}
    return table(
        rows, labels, stub="option", right=[name for name in labels if name.split()[0] in ("missed", "alarmed")]
    )
