"""Quarto's first pre-render script: the table `[report]` of `study.toml` becomes `_report.yml`, part of `_quarto.yml`.

Quarto reads its settings again after the pre-render scripts, so new names and chapters show in the same rendering.
Frozen cells do not depend on them. `python -m lib` writes the file before it starts Quarto, too: where an old one lists a
chapter that was deleted since, Quarto stops before any script runs. Standard library only: it must run with any Python.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from lib.settings import SettingsError, read_settings  # noqa: E402

FILE = "_report.yml"
HOME = "index.qmd"
"""The one chapter that `_quarto.yml` lists itself: Quarto refuses a book without a first page before any script runs."""


def book_settings(root: Path) -> dict[str, Any]:
    """What `[report]` says, in Quarto's names. Raises `SettingsError`, one sentence, for a chapter that is not there."""
    report = read_settings(root)["report"]
    for key in ("chapters", "appendices"):
        for chapter in report.get(key, []):
            if not (root / chapter).is_file():
                raise SettingsError(
                    f"{root / 'study.toml'}, [report]: {key} lists {chapter!r}, but there is no such file."
                )
    book = {"title": report["title"], "subtitle": report["subtitle"], "author": report["authors"]}
    book |= {key: report[key] for key in ("chapters", "appendices") if report.get(key)}
    return {
        "lang": report.get("lang", "en"),
        "language": report.get("language", {}),
        "book": book,
        "report": {"authors": ", ".join(report["authors"])},  # the deck's shortcode cannot show a list
    }


def chapters_of(root: Path) -> list[str]:
    """Every file of the book, in order, relative to `root`."""
    book = book_settings(root)["book"]
    return [HOME, *book.get("chapters", []), *book.get("appendices", [])]


def write_book(root: Path) -> None:
    """Write `_report.yml`, unless it is up to date: a preview reloads everything when it changes.

    A book without `study.toml` has its names in its `_quarto.yml`: nothing is written for it.
    """
    if not (root / "study.toml").is_file():
        return
    file = root / FILE
    text = json.dumps(book_settings(root), indent=2, ensure_ascii=False) + "\n"  # JSON is YAML
    if not file.is_file() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")


if __name__ == "__main__":
    try:
        write_book(ROOT)
    except SettingsError as error:
        sys.exit(str(error))
