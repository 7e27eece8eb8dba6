"""Text from files made harmless where it is shown: names and groups for every output at once, CSV cells, terminals."""

import unicodedata

import polars as pl

LOOKALIKES = str.maketrans('<>`*[]{}$#@\\|~^&"', "‹›ˋ∗()()＄＃＠/¦∼ˆ＆”")
"""Signs that open markup in HTML, Markdown, Typst or Quarto, and what is shown in their place."""
LONGEST = 80
FORMULA = r"^[=+\-@\t\r]"


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
    return frame.with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))
