"""The decision page in words: the same facts and the same sentences wherever they are told."""

from lib.report.exhibits import read, say
from lib.report.words.language import Words
from lib.results import Results


def decision(study: Results, *parts: str) -> Words:
    return say(study, "decision", *parts)


__all__ = ["decision", "read"]
