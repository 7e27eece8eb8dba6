"""The defense: how long each slide takes, and who did what."""

from pathlib import Path

from great_tables import GT

from lib.report.tables.cells import table
from lib.report.words import Words
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
        return Words(f"{clock(seconds)} · {clock(self.passed)} of {clock(self.total)}")


def clock(seconds: int) -> str:
    """`1:30`."""
    return f"{seconds // 60}:{seconds % 60:02}"


def organisation(root: Path = ROOT) -> GT:
    """Who did what, and when: the table `[group]` of `study.toml`, a row for each member."""
    rows = read_settings(root)["group"].get("members", [])
    labels = {"who": "who", "did": "did what", "when": "when"}
    shown = table([{key: str(row.get(key, "")) for key in labels} for row in rows], labels)
    if any(row["who"] in PLACEHOLDERS for row in rows):
        return shown.tab_source_note("THESE NAMES ARE PLACEHOLDERS: write yours into study.toml, [group].")
    return shown
