"""The whole report in `_book/`: HTML book, PDF and slides by Quarto, or the draft."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from lib.files import alone_with
from lib.render.book import chapters_of, write_book
from lib.render.offline import work_from_disk
from lib.render.quarto import find_quarto, quarto

log = logging.getLogger(__name__)
OUTPUT = "_book"
DRAFT = "_draft"
DECK = "defense.html"
PREDICTIONS = Path(__file__).parent / "predictions"
"""The page of an audit of predictions, and its settings."""


def render_report(root: Path) -> list[Path]:
    """Render everything that can be rendered here; returns the files a reader opens first.

    Without Quarto a draft is rendered into a folder of its own: a book that is there stays as it is.
    """
    found = find_quarto()
    if found.program is None:
        from lib.render.draft import render_draft

        log.warning("%s A draft is rendered instead, into %s.", found.why, root / DRAFT)
        with _alone(root / DRAFT), tempfile.TemporaryDirectory(prefix=".draft-", dir=root) as temporary:
            made = render_draft(root, Path(temporary), why=found.why)
            _take_the_place(Path(temporary), root / DRAFT)
        return [root / DRAFT / path.relative_to(Path(temporary).resolve()) for path in made if path]
    with _rendering(root):
        write_book(root)
        quarto(found.program, root, "render")
        deck = _slides(found.program, root)
    return [root / OUTPUT / "index.html", *sorted((root / OUTPUT).glob("*.pdf")), deck]


def _rendering(root: Path) -> AbstractContextManager[None]:
    """One rendering at a time in a clone: they share `_book`, `_freeze` and `.quarto`."""
    return _alone(root / "data" / "rendering")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    told = []

    def waiting() -> None:
        if not told:
            told.append(True)
            log.info("Another rendering (or a preview) is under way in this clone: waiting for it.")

    with alone_with(place, waiting):
        yield


def _take_the_place(made: Path, target: Path) -> None:
    """Put the folder that was made where it belongs: what was there goes only when the new one is whole."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    shutil.copytree(made, fresh, dirs_exist_ok=True)
    fresh.chmod(0o755)
    previous = fresh.with_name(f"{fresh.name}-previous")
    if target.exists():
        target.rename(previous)
    fresh.rename(target)
    shutil.rmtree(previous, ignore_errors=True)


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
        with _alone(target):
            _take_the_place(project / OUTPUT, target)
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
    with _rendering(root):
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
    with _rendering(root):
        write_book(root)
        pages = [(root / OUTPUT / chapter).with_suffix(".html") for chapter in chapters_of(root)]
        if not all(page.is_file() for page in pages):
            quarto(found.program, root, "render", "--to", "html")
        quarto(found.program, root, "preview")
