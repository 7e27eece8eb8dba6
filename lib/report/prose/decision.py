"""The decision page in words: the same object and the same sentences wherever they are told."""

from lib.report.facts import decide
from lib.report.words import Words
from lib.report.words.templates import tell
from lib.results import Results

PARTS = ("answer", "wrong", "sure", "why", "help", "use", "choice", "change", "blind", "sensitive")


def decision(study: Results, *parts: str) -> Words:
    """Some parts of the page (`PARTS`), in a line; without parts the whole page, in paragraphs."""
    facts = decide(study)
    if not parts:
        return tell("decision", d=facts)
    return Words(" ".join(text for part in parts if (text := tell("decision", part, d=facts))))
