"""The decision page in words, and what pictures show: the same facts and the same sentences wherever they are told."""

from lib.report.facts import decide
from lib.report.facts.pictures import of_figure
from lib.report.words import Words
from lib.report.words.templates import tell
from lib.results import Results


def decision(study: Results, *parts: str) -> Words:
    """Some parts of the page (blocks of `words/<language>/decision.md.j2`), in a line; without parts the page, in paragraphs."""
    facts = decide(study)
    if not parts:
        return tell("decision", d=facts)
    return Words(" ".join(text for part in parts if (text := tell("decision", part, d=facts))))


def read(study: Results, figure: str) -> Words:
    """What a picture (people, radiographs, saliency, scores, roc, misses) shows, in one or two sentences."""
    facts = of_figure(figure, study)
    template = f"figures/{figure}"
    if facts is None:
        return Words(f"No picture: {tell(template, 'absent')}.")
    return tell(template, "read", **facts)
