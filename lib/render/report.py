"""The whole report in `_book/`: HTML book, PDF and slides by Quarto, or the draft."""

import logging
import shutil
from pathlib import Path

from lib.render.quarto import find_quarto, quarto

log = logging.getLogger(__name__)
OUTPUT = "_book"
DECK = "defense.html"


def render_report(root: Path) -> list[Path]:
    """Render everything that can be rendered here; returns the files a reader opens first."""
    found = find_quarto()
    if found.program is None:
        from lib.render.draft import render_draft

        log.warning("%s A draft is rendered instead.", found.why)
        shutil.rmtree(root / OUTPUT, ignore_errors=True)
        return [path for path in render_draft(root, root / OUTPUT, why=found.why) if path]
    quarto(found.program, root, "render")
    return [root / OUTPUT / "index.html", *sorted((root / OUTPUT).glob("*.pdf")), _slides(found.program, root)]


def render_slides(root: Path) -> Path:
    """Render the deck alone. Raises RuntimeError, one sentence, without Quarto."""
    found = find_quarto()
    if found.program is None:
        raise RuntimeError(f"The slides need Quarto: {found.why} `make report` renders a draft of them.")
    return _slides(found.program, root)


def _slides(program: Path, root: Path) -> Path:
    quarto(program, root, "render", "--profile", "slides")
    return root / OUTPUT / "chapters" / "slides" / DECK


def preview(root: Path) -> None:
    """Quarto's live preview of the book, until it is stopped."""
    found = find_quarto()
    if found.program is None:
        raise RuntimeError(f"The preview needs Quarto: {found.why}")
    quarto(found.program, root, "preview")
