"""What commands tell: English in the code, other languages in `lib/report/words/<language>/messages.po` (gettext)."""

import string
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).resolve().parent / "report" / "words"
OWN = "en"
"""The language of the sentences in the code, which needs no catalogue."""


class UserError(ValueError):
    """What is wrong, where, and what is allowed: a sentence and the values of its places, as `message` takes them."""

    def __init__(self, text: str, *values: Any) -> None:
        super().__init__(message(text, *values))


def speak(code: str) -> None:
    """Tell messages in this language from now on; what its catalogue lacks, in English."""
    _Spoken.code = code


def message(text: str, *values: Any) -> str:
    """The English `text` in the language that is spoken, its `{places}` filled in with `values` in their order.

    A language may put the places in another order. Numbers with a format (`{count:,}`) are written as it writes them,
    None is a dash. Without values `text` is taken as it is.
    """
    told = catalogue(_Spoken.code).get(text, text)
    if not values:
        return told
    return _Writer().vformat(told, (), dict(zip(places(text), values, strict=True)))


def places(text: str) -> list[str]:
    """The names of what is to be filled in, in the order in which they come first."""
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(text) if name))


@cache
def catalogue(code: str) -> dict[str, str]:
    """The messages of a language by the English ones, in its typography; empty where it has none."""
    path = WORDS / code / "messages.po"
    if not path.is_file():
        return {}
    from babel.messages.pofile import read_po

    from lib.report.words.language import language

    with path.open("rb") as file:
        return {told.id: language(code).finished(told.string) for told in read_po(file) if told.id and told.string}


class _Spoken:
    code = OWN


class _Writer(string.Formatter):
    def format_field(self, value: Any, spec: str) -> str:
        told = "-" if value is None else format(value, spec)
        if _Spoken.code == OWN or not spec or not isinstance(value, int | float):
            return told
        from lib.report.words.language import language

        marks = language(_Spoken.code).number_format
        return told.translate(str.maketrans({",": marks["thousands"], ".": marks["decimal"]}))
