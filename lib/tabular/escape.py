"""Text from files made harmless where it is shown: names and groups for every output at once, CSV cells, terminals."""

import unicodedata
from collections.abc import Mapping

import polars as pl

LOOKALIKES: Mapping[int, str] = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "*": "\N{ASTERISK OPERATOR}",
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "$": "\N{FULLWIDTH DOLLAR SIGN}",
        "#": "\N{FULLWIDTH NUMBER SIGN}",
        "@": "\N{FULLWIDTH COMMERCIAL AT}",
        "\\": "/",
        "|": "\N{BROKEN BAR}",
        "~": "\N{TILDE OPERATOR}",
        "^": "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}",
        "&": "\N{FULLWIDTH AMPERSAND}",
        '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
    }
)
"""Signs that open markup in HTML, Markdown, Typst or Quarto, and what is shown in their place."""
LONGEST = 80
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def for_terminal(text: str) -> str:
    """The text without what would steer a terminal, or turn the direction of writing; lines and tabs are kept."""
    return "".join(
        c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    )


def plain_name(text: str) -> str:
    """A name from a file as text and nothing else, in a terminal, in HTML, Markdown, Typst and Quarto alike.

    Signs of markup are shown by look-alikes, but for `<` and `>` before a number (`<40`), which open nothing; long names
    are cut. Method names, groups and column names go through here once, where they are read.
    """
    line = " ".join(for_terminal(text).split())
    before_number = line[:1] in "<>" and line[1:].lstrip("= ")[:1].isdigit() and not set(line[1:]) & set("<>")
    shown = line[:1] + line[1:].translate(LOOKALIKES) if before_number else line.translate(LOOKALIKES)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def for_csv(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before text that a spreadsheet would take for a formula (OWASP: CSV injection)."""
    words = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.slice(0, 1).is_in(FORMULA))
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name in words
    )
