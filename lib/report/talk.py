"""The defense: how long each slide takes, who did what, and what is told on slides alone."""

from typing import Any

from great_tables import GT

from lib.report.facts.choice import again
from lib.report.facts.effects import RULE, WEIGHTING, effects
from lib.report.facts.pictures import of_figure
from lib.report.facts.rules import adjusting
from lib.report.facts.study import provenance, study_facts
from lib.report.facts.weightings import mechanism
from lib.report.registry import Facts, Material, sentences, table
from lib.report.tables.cells import table_of
from lib.report.words.language import Words
from lib.results import Results
from lib.settings import ROOT, read_settings

PLACEHOLDERS = ("First member", "Second member", "Third member", "Fourth member")
"""Names that `study.toml` comes with."""


class Clock:
    """Tells on each slide how long it takes and what has passed, of a talk of so many minutes: call it once a slide."""

    def __init__(self, minutes: float):
        self.total, self.passed = round(60 * minutes), 0

    def __call__(self, seconds: int) -> Words:
        """A slide of so many seconds. Raises ValueError when the slides take longer than the talk."""
        self.passed += seconds
        if self.passed > self.total:
            raise ValueError(f"the slides take {clock(self.passed)} so far, the talk {clock(self.total)}.")
        return Words(f"{clock(seconds)} · {clock(self.passed)} / {clock(self.total)}")


def clock(seconds: int) -> str:
    """`1:30`."""
    return f"{seconds // 60}:{seconds % 60:02}"


def members(study: Results) -> Facts | None:
    """Who did what, and when: the table `[group]` of `study.toml`; whether names in it are those that it comes with."""
    rows = read_settings(ROOT)["group"].get("members", [])
    return {"members": rows, "placeholders": any(row["who"] in PLACEHOLDERS for row in rows)} if rows else None


@table(members)
def group(material: Material) -> GT:
    """A row for each member."""
    columns = ("who", "did", "when")
    rows = [{key: material("cell", text=str(row.get(key, ""))) for key in columns} for row in material["members"]]
    return table_of(rows, {key: material(key) for key in columns}, material.language, right=())


@sentences("talk")
def talk(study: Results) -> dict[str, Any]:
    """What slides say in their own words, and what is spoken to them. `again`: the gap to expect once the choice is made again; `pictured`: mean
    radiographs are shown; `weighted`, `ruled`: Effects; `put_to_use`: the followed gap under one rule, fitted once. The rest: `mechanism`, `study`."""
    named = members(study)
    own = {
        "kind": provenance(study)["kind"],
        "again": again(study),
        "pictured": of_figure("radiographs", study) is not None,
        "weighted": effects(study, WEIGHTING),
        "ruled": effects(study, RULE),
        "put_to_use": adjusting(study)["put_to_use"],
        "placeholders": named is not None and named["placeholders"],
    }
    return study_facts(study) | mechanism(study) | own
