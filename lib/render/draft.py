"""The draft: the report as one HTML page, one PDF and one page of slides, where Quarto cannot be had.

The same chapters are run through Jupyter (`draft_cells.py`), joined, and given to pandoc, with a filter for what is
Quarto's own (`draft.lua`: numbers, references, callouts), and to Typst. A banner says that it is a draft, why, and how
to get the whole. It is a fallback: search, one page per chapter, themes and reveal.js are Quarto's and are not remade.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pypandoc
import typst
import yaml
from tqdm import tqdm

from lib.render.book import write_book
from lib.render.draft_cells import DraftError, run_chapter

HERE = Path(__file__).parent
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
INCLUDE = re.compile(r"^\{\{<\s*include\s+(\S+)\s*>\}\}\s*$", re.MULTILINE)
SHORTCODE = re.compile(r"\{\{<\s*(.*?)\s*>\}\}")
FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One line of the table of contents: a chapter file, or the title of a part (then `path` is None)."""

    path: str | None = None
    part: str | None = None
    appendix: bool = False


@dataclass(frozen=True)
class Book:
    """What the draft needs of `_quarto.yml`. Paths are relative to the project."""

    title: str
    authors: list[str]
    entries: list[Entry]
    metadata: dict[str, Any]  # for pandoc: bibliography, csl, lang, language, subtitle


def render_draft(
    project: Path, output: Path, *, why: str, progress: Callable[..., Iterable[Any]] = tqdm
) -> tuple[Path, Path, Path | None]:
    """Run every chapter of the book in `project` and write the draft into `output`.

    Parameters: `project` a folder with `_quarto.yml`; `why` the sentence of the banner that says what is missing;
    `progress` wraps the chapters as `tqdm` does. Returns the paths of the page, the PDF and the slides (None when the
    project has no slides). Raises `DraftError`, one sentence, when a cell fails, or pandoc or Typst refuses the text.
    """
    project, output = project.resolve(), output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    write_book(project)  # what Quarto's pre-render script does
    book, decks = read_book(project), read_decks(project)
    notes: list[str] = []
    texts: dict[str, str] = {}
    files = [entry.path for entry in book.entries if entry.path] + decks[:1]
    for path in progress(files, desc="Draft", unit="chapter"):
        texts[path] = _chapter(project, path, notes, titled=path not in decks)

    parts = []
    for entry in book.entries:
        if entry.path:
            parts.append(f'::: {{.draft-chapter path="{entry.path}" appendix="{str(entry.appendix).lower()}"}}\n:::\n')
            parts.append(texts[entry.path])
        else:
            parts.append(f"# {entry.part} {{.unnumbered .part}}\n")
    text = "\n\n".join(parts)
    metadata = {"title": book.title, "author": book.authors, "draft-mode": "book", "draft-why": why, **book.metadata}
    metadata["link-citations"] = True

    pdf = output / "report-draft.pdf"
    _write_pdf(_pandoc(text, "typst", metadata, project, notes), pdf, project, book, why, notes)
    page = output / "index.html"
    page.write_text(
        _pandoc(text, "html5", {**metadata, "draft-note": _unique(notes)}, project, notes), encoding="utf-8"
    )
    slides = None
    if decks:
        slides = output / Path(decks[0]).with_suffix(".html")  # where Quarto puts it: links to it hold
        slides.parent.mkdir(parents=True, exist_ok=True)
        head = _front_matter((project / decks[0]).read_text(encoding="utf-8"))
        own = [key for key in ("title", "subtitle", "author", "date") if key in head]
        shown = {key: head[key] for key in own if not SHORTCODE.search(str(head[key]))}  # else it is the book's
        marker = f'::: {{.draft-chapter path="{decks[0]}"}}\n:::\n\n'
        metadata |= {"draft-mode": "slides", "pagetitle": str(shown.get("title", book.title)), **shown}
        deck = _pandoc(marker + texts[decks[0]], "dzslides", metadata, project, notes)
        slides.write_text(deck, encoding="utf-8")
    for note in _unique(notes):
        log.warning("%s", note)
    return page, pdf, slides


def read_book(project: Path) -> Book:
    """The book that `_quarto.yml` describes, with its `metadata-files` merged in. Raises `DraftError` if it is none."""
    config = _yaml(project / "_quarto.yml")
    for extra in config.get("metadata-files", []):
        config = _merged(config, _yaml(project / extra))
    book = config.get("book")
    if not isinstance(book, dict) or "chapters" not in book:
        raise DraftError(f"{project / '_quarto.yml'} describes no book: book.chapters is needed.")
    authors = book.get("author", config.get("author", []))
    authors = authors if isinstance(authors, list) else [authors]
    names = [str(author.get("name", "")) if isinstance(author, dict) else str(author) for author in authors]
    metadata: dict[str, Any] = {"lang": config.get("lang", "en"), "language": config.get("language", {})}
    metadata |= {key: str(book[key]) for key in ("subtitle", "date") if key in book}
    if metadata.get("date") in ("today", "now", "last-modified"):
        metadata["date"] = date.today().isoformat()
    bibliography = config.get("bibliography", book.get("bibliography", []))
    bibliography = [bibliography] if isinstance(bibliography, str) else bibliography
    if bibliography:
        metadata["bibliography"] = [str(project / file) for file in bibliography]
    if "csl" in config:
        metadata["csl"] = str(project / config["csl"])
    entries = _entries(book["chapters"]) + _entries(book.get("appendices", []), appendix=True)
    return Book(str(book.get("title", project.name)), names, entries, metadata)


def read_decks(project: Path) -> list[str]:
    """The slide files that the `slides` profile renders; none when there is no such profile."""
    profile = project / "_quarto-slides.yml"
    if not profile.exists():
        return []
    return [file for file in _yaml(profile).get("project", {}).get("render", []) if (project / file).exists()]


def _entries(chapters: list[Any], *, appendix: bool = False) -> list[Entry]:
    found: list[Entry] = []
    for chapter in chapters:
        if isinstance(chapter, str):
            found.append(Entry(path=chapter, appendix=appendix))
        elif "part" in chapter:
            part = str(chapter["part"])
            found.append(Entry(path=part, appendix=appendix) if part.endswith(".qmd") else Entry(part=part))
            found += _entries(chapter.get("chapters", []), appendix=appendix)
        else:
            found.append(Entry(path=str(chapter["file"]), appendix=appendix))
    return found


def _chapter(project: Path, path: str, notes: list[str], *, titled: bool) -> str:
    """One chapter run, as Markdown that can stand beside the others: own title, own footnotes, no shortcodes."""
    file = project / path
    if not file.exists():
        raise DraftError(f"_quarto.yml names {path}, which does not exist.")
    text = file.read_text(encoding="utf-8")
    text = INCLUDE.sub(lambda match: (file.parent / match[1]).read_text(encoding="utf-8"), text)
    title = _front_matter(text).get("title")
    body = run_chapter(text, name=path, project=project)
    for shortcode in SHORTCODE.findall(body):
        if shortcode != "pagebreak":
            notes.append(f"{path}: the shortcode {shortcode.split()[0]} is Quarto's and was left out")
    body = SHORTCODE.sub("", body)
    body = FOOTNOTE.sub(lambda match: f"[^{re.sub(r'[^A-Za-z0-9]', '-', path)}-{match[1]}]", body)
    return f"# {title}\n\n{body}" if title and titled else body


def _pandoc(text: str, to: str, metadata: dict[str, Any], project: Path, notes: list[str]) -> str:
    """`text` (Markdown) in the format `to`, standalone and self-contained; adds to `notes` what was not honoured."""
    template = {"html5": "draft.html", "typst": "draft.typ", "dzslides": "draft-slides.html"}[to]
    writer = "typst-citations" if to == "typst" else to  # the filter has already turned citations into text
    command = [pypandoc.get_pandoc_path(), "--from=markdown", f"--to={writer}", "--standalone", "--wrap=none"]
    command += [f"--template={HERE / template}", f"--lua-filter={HERE / 'draft.lua'}", f"--resource-path={project}"]
    if to != "typst":
        command += ["--mathml", "--embed-resources"]
    if to == "html5":
        command += ["--toc", "--toc-depth=2"]
    if to == "dzslides":
        command += ["--slide-level=2"]
    # Only what is meant as Markdown goes through the metadata file; the sentence `why` may hold a path or a command.
    markdown = {key: value for key, value in metadata.items() if key != "draft-why"}
    with tempfile.TemporaryDirectory() as folder:
        head = Path(folder) / "metadata.json"
        head.write_text(json.dumps(markdown), encoding="utf-8")
        command += [f"--metadata-file={head}", f"--metadata=draft-why:{metadata['draft-why']}"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", cwd=project)
    if done.returncode:
        raise DraftError(f"pandoc could not write {to}: {' '.join(done.stderr.split())}")
    for line in done.stderr.splitlines():
        if line.startswith("draft: ") or line.startswith("[WARNING] "):
            notes.append(line.split(" ", 1)[1])
    return done.stdout


def _write_pdf(source: str, pdf: Path, project: Path, book: Book, why: str, notes: list[str]) -> None:
    """Typst `source` as a PDF that meets PDF/UA-1; where Typst finds that it does not, as a plain PDF, with a note."""
    inputs = {"title": book.title, "authors": "\n".join(book.authors), "why": why}
    options: dict[str, Any] = {"output": str(pdf), "root": str(project), "sys_inputs": inputs}
    try:
        try:
            typst.compile(source.encode(), pdf_standards=["ua-1"], **options)
        except typst.TypstError as error:
            notes.append(f"the PDF does not meet PDF/UA-1 ({error.message})")
            typst.compile(source.encode(), **options)
    except typst.TypstError as error:
        raise DraftError(f"Typst could not write the PDF: {error.message}") from error


def _front_matter(text: str) -> dict[str, Any]:
    match = FRONT_MATTER.match(text)
    return (yaml.safe_load(match[1]) or {}) if match else {}


def _yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise DraftError(f"{path} does not exist.")
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Two settings as Quarto joins them: key by key, lists one after the other; of two other values `over` wins."""
    both = {**under, **over}
    for key in under.keys() & over.keys():
        if isinstance(under[key], dict) and isinstance(over[key], dict):
            both[key] = _merged(under[key], over[key])
        elif isinstance(under[key], list) and isinstance(over[key], list):
            both[key] = under[key] + [item for item in over[key] if item not in under[key]]
    return both


def _unique(lines: list[str]) -> list[str]:
    return list(dict.fromkeys(lines))
