"""The whole report in `_book/`: HTML book, PDF and slides by Quarto, or the draft."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import yaml

from lib.files import alone_with, whole_folder
from lib.messages import message
from lib.render.book import (
    DECK,
    LANGUAGE,
    OUTPUT,
    chapters_of,
    output_of,
    page_words,
    profile_of,
    twin_of,
    words_for_browser,
    write_book,
)
from lib.render.pages import link_twins, work_from_disk
from lib.render.quarto import find_quarto, quarto
from lib.results import read_manifest
from lib.settings import languages, read_settings

log = logging.getLogger(__name__)
DRAFT = "_draft"
RENDERING = "data/rendering"
"""One at a time in a clone: renderings share `_book`, `_freeze` and `.quarto`."""
PREDICTIONS = Path(__file__).parent / "predictions"
"""The page of an audit of predictions, and its settings."""


def render_report(root: Path, code: str = LANGUAGE) -> list[Path]:
    """Render everything that can be rendered here of an edition; returns the files a reader opens first.

    Without Quarto a draft is rendered into a folder of its own: a book that is there stays as it is.
    """
    installed = find_quarto()
    if installed.program is None:
        return _draft(root, code, installed.why)
    with _alone(root / RENDERING):
        write_book(root, code)
        output = root / output_of(code)
        _clear(output, {other for other in languages(root) if output_of(other) != output_of(code)})
        quarto(installed.program, root, "render", "--no-clean", "--profile", profile_of(code))
        _add_examples(root, output, code)
        deck = _slides(installed.program, root, code)
    return [output / "index.html", *sorted(output.glob("*.pdf")), deck]


def _draft(root: Path, code: str, why: str) -> list[Path]:
    from lib.render.draft import render_draft

    target = root / DRAFT / code
    with _alone(root / DRAFT), whole_folder(target) as building:
        made = render_draft(root, building, why=why, code=code)
        _add_examples(root, building, code)
    return [target / path.relative_to(building) for path in made]


def _add_examples(root: Path, output: Path, code: str) -> None:
    """Where study.toml asks for them; only then is what reads cohorts and networks imported, which takes seconds."""
    if (root / "study.toml").is_file() and read_settings(root)["report"].get("examples"):
        from lib.render.examples import add_examples

        add_examples(root, output, code)


def _clear(output: Path, kept: set[str]) -> None:
    """Empty the folder of an edition but for the other editions in it, which Quarto would delete, too."""
    for path in output.iterdir() if output.is_dir() else ():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    text = message("Another rendering (or a preview) is under way in this clone: waiting for it.")
    with alone_with(place, while_waiting=cache(lambda: log.info(text))):
        yield


def render_predictions(root: Path, bundle: Path, code: str = LANGUAGE) -> list[Path]:
    """Render the report of an audit of predictions into `report/` beside its `bundle`.

    It is made in a folder of its own: a study's book, and what is frozen of it, stay as they are. Returns the files that a
    reader opens first.
    """
    target, installed = bundle.parent / "report", find_quarto()
    with tempfile.TemporaryDirectory(prefix="report-") as temporary:
        project = Path(temporary).resolve()
        _pages(project, bundle, code)
        shutil.copy(root / "_brand.yml", project)
        for name in ("report.css", "report.html", "references.bib", "typography.lua", "pdf"):
            copy = shutil.copytree if (root / "chapters" / name).is_dir() else shutil.copy
            (project / "chapters").mkdir(exist_ok=True)
            copy(root / "chapters" / name, project / "chapters" / name)
        with _working_on(bundle, root):
            if installed.program is None:
                from lib.render.draft import render_draft

                render_draft(project, project / OUTPUT, why=installed.why, code=code)
            else:
                quarto(installed.program, project, "render")
                work_from_disk(project / OUTPUT)
        with _alone(target), whole_folder(target) as building:
            shutil.copytree(project / OUTPUT, building, dirs_exist_ok=True)
    return [target / "index.html", *sorted(target.glob("*.pdf"))]


def _pages(project: Path, bundle: Path, code: str) -> None:
    """The pages in a language, but for chapters on what was not asked: other methods, adjusted decisions, and the choice."""
    pages = PREDICTIONS if code == LANGUAGE else PREDICTIONS / code
    if not pages.is_dir():
        raise ValueError(f"The report of predictions has no pages in {code!r}; they would stand in {pages}.")
    book = yaml.safe_load((PREDICTIONS / "_quarto.yml").read_text("utf-8"))
    words = page_words(PREDICTIONS.parents[2], code)
    if code != LANGUAGE:
        translated = yaml.safe_load((pages / "_quarto.yml").read_text("utf-8"))
        book |= translated | {"book": book["book"] | translated["book"], "language": words["quarto"]}
    book["references-title"] = words["quarto"].get("section-title-references", "References")
    book["format"]["html"]["include-in-header"] = [{"text": words_for_browser(words)}]
    settings = read_manifest(bundle)["settings"]
    methods, rules = len(settings["training"]["weightings"]) > 1, len(settings["audit"]["postprocessings"]) > 1
    has_content = {"methods.qmd": methods, "adjusted.qmd": rules, "decision.qmd": methods or rules}
    book["book"]["chapters"] = [name for name in book["book"]["chapters"] if has_content.get(name, True)]
    for name in book["book"]["chapters"]:
        shutil.copy(pages / name, project / name)
    (project / "_quarto.yml").write_text(json.dumps(book, indent=2, ensure_ascii=False) + "\n", "utf-8")  # JSON is YAML


@contextmanager
def _working_on(bundle: Path, root: Path) -> Iterator[None]:
    """Cells run elsewhere find `lib` of this project and the bundle."""
    before = dict(os.environ)
    os.environ["COHORT"] = bundle.parent.name
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), before.get("PYTHONPATH", "")])
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def render_slides(root: Path, code: str = LANGUAGE) -> Path:
    """Render the deck of an edition; without Quarto that of the draft."""
    installed = find_quarto()
    if installed.program is None:
        return _draft(root, code, installed.why)[-1]
    with _alone(root / RENDERING):
        return _slides(installed.program, root, code)


def _slides(program: Path, root: Path, code: str) -> Path:
    write_book(root, code)
    quarto(program, root, "render", "--profile", profile_of(code, deck=True))
    link_twins(root)
    return (root / output_of(code) / twin_of(DECK, code)).with_suffix(".html")


def preview(root: Path, code: str = LANGUAGE) -> None:
    """Quarto's live preview of an edition, until it is stopped.

    Pages that are not there yet are rendered first: otherwise the first save would run every chapter, frozen or not.
    """
    installed = find_quarto()
    if installed.program is None:
        raise RuntimeError(f"The preview needs Quarto: {installed.why}")
    with _alone(root / RENDERING):
        write_book(root, code)
        others = chapters_of(root, code)[1:]
        pages = [root / output_of(code) / name for name in ("index.html", *others)]
        if not all(page.with_suffix(".html").is_file() for page in pages):
            quarto(installed.program, root, "render", "--no-clean", "--to", "html", "--profile", profile_of(code))
        quarto(installed.program, root, "preview", "--profile", profile_of(code))
