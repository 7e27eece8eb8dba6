"""The whole report in `_book/`: HTML book, PDF and slides by Quarto, or the draft."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.render.book import chapters_of, write_book
from lib.render.offline import work_from_disk
from lib.render.quarto import find_quarto, quarto

log = logging.getLogger(__name__)
OUTPUT = "_book"
DECK = "defense.html"
PREDICTIONS = Path(__file__).parent / "predictions"
"""The page of an audit of predictions, and its settings."""


def render_report(root: Path) -> list[Path]:
    """Render everything that can be rendered here; returns the files a reader opens first."""
    found = find_quarto()
    if found.program is None:
        from lib.render.draft import render_draft

        log.warning("%s A draft is rendered instead.", found.why)
        shutil.rmtree(root / OUTPUT, ignore_errors=True)
        return [path for path in render_draft(root, root / OUTPUT, why=found.why) if path]
    write_book(root)
    quarto(found.program, root, "render")
    return [root / OUTPUT / "index.html", *sorted((root / OUTPUT).glob("*.pdf")), _slides(found.program, root)]


def render_predictions(root: Path, bundle: Path) -> list[Path]:
    """Render the one-page report of an audit of predictions into `report/` beside its `bundle`.

    It is made in a folder of its own: a study's book, and what is frozen of it, stay as they are. Returns the files that a
    reader opens first.
    """
    target, found = bundle.parent / "report", find_quarto()
    with tempfile.TemporaryDirectory(prefix="report-") as temporary:
        project = Path(temporary).resolve()
        shutil.copytree(PREDICTIONS, project, dirs_exist_ok=True)
        shutil.copy(root / "_brand.yml", project)
        for name in ("report.css", "report.html", "references.bib", "pdf"):
            copy = shutil.copytree if (root / "chapters" / name).is_dir() else shutil.copy
            (project / "chapters").mkdir(exist_ok=True)
            copy(root / "chapters" / name, project / "chapters" / name)
        with _working_on(bundle, root):
            if found.program is None:
                from lib.render.draft import render_draft

                log.warning("%s A draft is rendered instead.", found.why)
                render_draft(project, project / OUTPUT, why=found.why)
            else:
                quarto(found.program, project, "render")
                work_from_disk(project / OUTPUT)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(project / OUTPUT, target)
    return [target / "index.html", *sorted(target.glob("*.pdf"))]


@contextmanager
def _working_on(bundle: Path, root: Path) -> Iterator[None]:
    """Cells run elsewhere find `lib` of this project and the bundle."""
    wanted = {
        "COHORT": bundle.parent.name,
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ |= wanted
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def render_slides(root: Path) -> Path:
    """Render the deck alone. Raises RuntimeError, one sentence, without Quarto."""
    found = find_quarto()
    if found.program is None:
        raise RuntimeError(f"The slides need Quarto: {found.why} `make report` renders a draft of them.")
    return _slides(found.program, root)


def _slides(program: Path, root: Path) -> Path:
    write_book(root)
    quarto(program, root, "render", "--profile", "slides")
    return root / OUTPUT / "chapters" / "slides" / DECK


def preview(root: Path) -> None:
    """Quarto's live preview of the book, until it is stopped.

    Pages that are not there yet are rendered first: otherwise the first save would run every chapter, frozen or not.
    """
    found = find_quarto()
    if found.program is None:
        raise RuntimeError(f"The preview needs Quarto: {found.why}")
    write_book(root)
    pages = [(root / OUTPUT / chapter).with_suffix(".html") for chapter in chapters_of(root)]
    if not all(page.is_file() for page in pages):
        quarto(found.program, root, "render", "--to", "html")
    quarto(found.program, root, "preview")
