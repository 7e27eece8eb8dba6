"""What commands print: English in the code, other languages in `lib/report/words/<language>/messages.po` (gettext)."""

import string
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lib.report.words.writing import Writing

ROOT = Path(__file__).resolve().parent.parent
WORDS = Path("lib", "report", "words")
LANGUAGE = "en"
"""The language of the sentences in the code, which needs no catalogue; and of the report where no other is chosen."""
LONGEST = 1000
"""Characters of an error."""


class UserError(ValueError):
    """What is wrong, where, and what is allowed: a sentence and the values of its places, as `message` takes them.

    It stays on one line, even if what it quotes from a file does not, holds no control character, and is cut where a cell of
    megabytes is quoted.
    """

    def __init__(self, text: str, *values: Any) -> None:
        line = " ".join(message(text, *values).splitlines())
        line = line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"
        super().__init__("".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else " " for c in line))


class SettingsError(UserError):
    """`study.toml` cannot be used."""


def languages(root: Path = ROOT) -> tuple[str, ...]:
    """The languages that the report can be had in: `LANGUAGE`, and those that `lib/report/words` has words for."""
    return tuple(sorted({path.parent.name for path in (root / WORDS).glob("*/names.toml")} | {LANGUAGE}))


def speak(code: str) -> None:
    """Print messages in this language from now on; what its catalogue lacks, in English."""
    _Formatter.language = code


def message(text: str, *values: Any) -> str:
    """The English `text` in the language that is spoken, its `{places}` filled in with `values` in their order.

    A language may put the places in another order. Numbers with a format (`{count:,}`) are written as it writes them, lists
    with commas, None is a dash. Without values `text` is taken as it is.
    """
    translation = catalogue(_Formatter.language).get(text, text)
    if not values:
        return translation
    return _Formatter().vformat(translation, (), dict(zip(places(text), values, strict=True)))


def places(text: str) -> list[str]:
    """The names of what is to be filled in, in the order in which they come first."""
    return list(dict.fromkeys(name for _, name, _, _ in string.Formatter().parse(text) if name))


@cache
def catalogue(code: str) -> dict[str, str]:
    """The messages of a language by the English ones, in its typography; empty where it has none."""
    path = ROOT / WORDS / code / "messages.po"
    if not path.is_file():
        return {}
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return {entry.id: _writing(code).finished(entry.string) for entry in read_po(file) if entry.id and entry.string}


@cache
def _writing(code: str) -> "Writing":
    from lib.report.words.writing import Writing

    return Writing(tomllib.loads((ROOT / WORDS / code / "names.toml").read_text("utf-8")))


class _Formatter(string.Formatter):
    language = LANGUAGE

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        text = "-" if value is None else format(value, spec)
        if self.language == LANGUAGE or not spec or not isinstance(value, int | float):
            return text
        signs = _writing(self.language).number_format
        return text.translate(str.maketrans({",": signs["thousands"], ".": signs["decimal"]}))
