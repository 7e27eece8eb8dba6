"""The draft: the book, its PDF and its deck where Quarto cannot be had, made by pandoc and Typst of the same chapters.

Cells that Quarto froze are not run again. Pages, chapters and numbers are those of the book; search and the dark theme are
Quarto's and are not remade. A note on each page says that it is a draft and how to get the whole.
"""

import json
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypandoc
import typst
import yaml

from lib.files import write_whole
from lib.messages import message
from lib.render.book import DECK, LANGUAGE, book_settings, page_words, twin_of, words_for_browser
from lib.render.cells import DraftError, executed

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TYPOGRAPHY = f"--lua-filter={ROOT / 'chapters' / 'typography.lua'}"
SHORTCODE = re.compile(r"\{\{<\s*(.*?)\s*>\}\}")
FOOTNOTE = re.compile(r"\[\^([^\]\s]+)\]")
FENCE = re.compile(r"^(`{3,}|~{3,})")
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*(?:\{([^}]*)\})?\s*$")
LABEL = re.compile(r"\{#((?:fig|tbl|eq|sec)-[\w-]+)")
REFERENCE = re.compile(r"(?<![\w\\])(-?)@((?:fig|tbl|eq|sec)-[\w-]*\w)")
NO_BREAK = "\N{NO-BREAK SPACE}"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chapter:
    """A chapter in its place: the file, where its page goes, its number (`2`, `A`; none for the first page) and its text."""

    path: str
    page: str
    number: str
    text: str

    @property
    def title(self) -> str:
        return next((line.title for line in _lines(self.text) if line.level), self.path)


def render_draft(root: Path, output: Path, *, why: str, code: str = LANGUAGE) -> list[Path]:
    """Write the draft of an edition of the book in `root` into `output`; returns the files that a reader opens first.

    `why` there is no Quarto is logged. Raises `DraftError`, one sentence, when a cell fails, or pandoc or Typst
    refuses the text.
    """
    log.warning(message("{why} A draft is rendered instead.", why))
    root = root.resolve()
    config = yaml.safe_load((root / "_quarto.yml").read_text("utf-8"))
    settings = book_settings(root, code) if (root / "study.toml").is_file() else config
    words, book = page_words(ROOT, code), settings["book"]
    quarto = words["quarto"] | settings.get("language", {})
    deck = twin_of(DECK, code)
    decks = [deck] if (root / deck).is_file() else []
    main, appendices = (list(book.get(key, [])) for key in ("chapters", "appendices"))
    texts = executed(root, [*main, *appendices, *decks])
    chapters = numbered(main, appendices, texts)
    labels = labels_of(chapters, quarto)
    head = {
        "title": book["title"],
        "subtitle": book.get("subtitle", ""),
        "author": book.get("author", []),  # pandoc takes one name, too; a report of predictions is signed by nobody
        "lang": settings.get("lang", code),
        "spaced-punctuation": settings.get("spaced-punctuation", False),
        "words": words["page"],
        "toc-title": quarto.get("toc-title-document", "Contents"),
        "numbers": {label: name for label, (_, name) in labels.items() if not label.startswith("sec")},
    }
    if "bibliography" in config:
        head |= {"bibliography": str(root / config["bibliography"]), "link-citations": True}
        head["reference-section-title"] = quarto.get("section-title-references", "References")
    for chapter in chapters:
        page = {"pagetitle": f"{_plain(chapter.title)} – {book['title']}"} | _contents(chapters, chapter)
        write_whole(output / chapter.page, _converted(resolved(chapter, labels), "html5", root, head | page))
    pdf = output / f"{book.get('output-file', 'report')}.pdf"
    title, parts = quarto.get("section-title-appendices", "Appendices"), []
    for chapter in chapters:
        if chapter.number == "A":
            parts.append(f'```{{=typst}}\n#show: appendices.with("{title}", hide-parent: true)\n```')
        parts.append(resolved(chapter, labels, whole=True))
    _write_pdf(_converted("\n\n".join(parts), "typst-citations", root, head), pdf, root)
    made = [output / chapters[0].page, pdf]
    for path in decks:
        talk = Chapter(path, Path(path).with_suffix(".html").as_posix(), "", SHORTCODE.sub("", texts[path]))
        slides = _converted(resolved(talk, labels), "revealjs", root, head | {"pagetitle": book["title"]})
        write_whole(output / talk.page, slides)
        made.append(output / talk.page)
    return made


def numbered(main: list[str], appendices: list[str], texts: dict[str, str]) -> list[Chapter]:
    """Chapters with their numbers: the first page and others that ask for none have none, appendices have letters."""
    chapters = []
    for paths, mark in ((main, str), (appendices, lambda count: chr(64 + count))):
        count = 0
        for path in paths:
            text = SHORTCODE.sub(
                "", FOOTNOTE.sub(lambda note, path=path: f"[^{Path(path).stem}-{note[1]}]", texts[path])
            )
            first = next((line for line in _lines(text) if line.level), Line(""))
            numbered = "unnumbered" not in first.attributes
            count += numbered
            page = "index.html" if Path(path).name.startswith("index.") else Path(path).with_suffix(".html").as_posix()
            chapters.append(Chapter(path, page, mark(count) if numbered else "", text))
    return chapters


@dataclass(frozen=True)
class Line:
    """A line of a chapter: whether it is prose and not code, and as a heading its level, title, attributes and number."""

    text: str
    prose: bool = True
    level: int = 0
    title: str = ""
    attributes: str = ""
    number: str = ""


def _lines(text: str, number: str = "") -> Iterator[Line]:
    """The lines of a chapter of that number."""
    fence, counts = "", [0] * 7
    for line in text.splitlines():
        mark, heading = FENCE.match(line), HEADING.match(line)
        if fence or mark:
            yield Line(line, prose=False)
            fence = ("" if line.strip() == fence else fence) if fence else mark[1]
        elif heading:
            level, attributes = len(heading[1]), heading[3] or ""
            counts = [*counts[:level], counts[level] + 1, *[0] * (6 - level)]
            numbered = number and "unnumbered" not in attributes
            section = ".".join([number, *map(str, counts[2 : level + 1])]) if numbered else ""
            yield Line(line, True, level, heading[2], attributes, section)
        else:
            yield Line(line)


def labels_of(chapters: list[Chapter], names: dict[str, str]) -> dict[str, tuple[str, str]]:
    """What references lead to: the page, and what it is called (`Figure 2.1`), by the label."""
    english = {"fig-title": "Figure", "tbl-title": "Table", "eq-prefix": "Equation"}
    english |= {"ch-prefix": "Chapter", "apx-prefix": "Appendix", "sec-prefix": "Section"}
    words = {key: names.get(f"crossref-{key}", word) for key, word in english.items()}
    labels = {}
    for chapter in chapters:
        counts = {"fig": 0, "tbl": 0, "eq": 0}
        for line in _lines(chapter.text, chapter.number):
            for label in LABEL.findall(line.text) if line.prose else ():
                kind = label.split("-")[0]
                if kind != "sec":
                    counts[kind] += 1
                    key = f"{kind}-prefix" if kind == "eq" else f"{kind}-title"
                    number = ".".join(filter(None, [chapter.number, str(counts[kind])]))
                else:
                    top = "apx-prefix" if chapter.number.isalpha() else "ch-prefix"
                    key, number = "sec-prefix" if line.level > 1 else top, line.number
                name = f"{words[key]}{NO_BREAK}{number}" if number else _plain(line.title) or label
                labels[label] = (chapter.page, name)
    return labels


def resolved(chapter: Chapter, labels: dict[str, tuple[str, str]], *, whole: bool = False, only: bool = False) -> str:
    """The chapter with references as links, and numbers before its headings.

    `whole`: for one document that numbers its headings itself; `only`: the words of a reference alone, no link.
    """

    def link(reference: re.Match[str]) -> str:
        if reference[2] not in labels:
            log.warning("%s: nothing is labelled %s.", chapter.path, reference[2])
            return f"**{reference[2]}**"
        page, name = labels[reference[2]]
        if only:
            return name
        place = "" if whole or page == chapter.page else _way(page, chapter)
        return f"[{name.split(NO_BREAK)[-1] if reference[1] else name}]({place}#{reference[2]})"

    lines = []
    for line in _lines(chapter.text, chapter.number):
        text = line.text
        if line.number and not whole:
            number = f"[{line.number}]{{.header-section-number}}"
            text = f"{'#' * line.level} {number} {line.title} {{{line.attributes}}}"
        if line.prose:
            table = re.match(r"^: (.*\{#(tbl-[\w-]+).*)$", text)
            if table and table[2] in labels and not whole:
                text = f": **{labels[table[2]][1]}.** {table[1]}"
            text = REFERENCE.sub(link, text)
        lines.append(text)
    return "\n".join(lines)


def _way(page: str, chapter: Chapter) -> str:
    return Path(os.path.relpath(page, Path(chapter.page).parent)).as_posix()


def _plain(markdown: str) -> str:
    return re.sub(r"[*_`]", "", markdown)


def _contents(chapters: list[Chapter], here: Chapter) -> dict[str, Any]:
    """The list of chapters as a page shows it, and the ways to the chapters before and after."""
    place = chapters.index(here)
    entries = [
        {"href": _way(one.page, here), "number": one.number, "title": _plain(one.title), "here": one == here}
        for one in chapters
    ]
    beside = {"previous": place - 1, "next": place + 1}
    return {"contents": entries} | {way: entries[at] for way, at in beside.items() if 0 <= at < len(entries)}


WRITERS = {
    "html5": (
        "draft.html",
        ["chapters/report.css", "lib/render/draft.css"],
        ["chapters/report.html", "chapters/widgets.html"],
    ),
    "revealjs": (
        "draft-slides.html",
        ["chapters/report.css", "chapters/slides/slides.scss", "lib/render/draft-slides.css"],
        ["lib/render/draft-slides-keys.html"],
    ),
    "typst-citations": ("draft.typ", [], []),  # citations are text already
}
"""What a format of pandoc is made with: template, style sheets, and what stands at the end of a page."""


def _converted(text: str, to: str, root: Path, metadata: dict[str, Any]) -> str:
    """`text` (Markdown) in the format `to`, standalone and self-contained."""
    template, sheets, after = WRITERS[to]
    options = [f"--to={to}", "--standalone", f"--lua-filter={HERE / 'draft.lua'}", TYPOGRAPHY]
    options += [f"--resource-path={root}", *(f"--include-after-body={ROOT / name}" for name in after)]
    options += ["--citeproc"] if "bibliography" in metadata else []
    options += ["--slide-level=2"] if to == "revealjs" else []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        # a template finds only what lies beside it
        for name in (f"lib/render/{template}", "chapters/pdf/typst-show.typ"):
            shutil.copy(ROOT / name, folder)
        (folder / "metadata.json").write_text(json.dumps(metadata), "utf-8")
        options += [f"--template={folder / template}", f"--metadata-file={folder / 'metadata.json'}"]
        if sheets:
            style = "\n".join((ROOT / name).read_text("utf-8") for name in sheets)
            script = words_for_browser({"page": metadata["words"]})
            (folder / "head.html").write_text(f"<style>\n{style}</style>\n{script}\n", "utf-8")
            options += ["--mathml", f"--include-in-header={folder / 'head.html'}"]
        return pandoc(text, *options)


def pandoc(text: str, *options: str) -> str:
    """What pandoc makes of Markdown; its warnings are logged. Raises `DraftError` where it refuses."""
    command = [pypandoc.get_pandoc_path(), "--from=markdown", "--wrap=none", *options]
    plain = {"LC_ALL": "C.UTF-8"} if os.environ.get("LC_ALL") in ("C", "POSIX") else {}  # for paths with accents
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", env=os.environ | plain)
    if done.returncode:
        raise DraftError(f"pandoc refused the text: {done.stderr.strip().splitlines()[-1]}")
    for line in done.stderr.splitlines():
        log.warning("%s", line)
    return done.stdout


def _write_pdf(source: str, pdf: Path, root: Path) -> None:
    """Typst `source` as a PDF that meets PDF/UA-1; where Typst finds that it does not, as a plain PDF, with a warning."""
    try:
        try:
            typst.compile(source.encode(), output=str(pdf), root=str(root), pdf_standards=["ua-1"])
        except typst.TypstError as error:
            log.warning("The PDF does not meet PDF/UA-1: %s", error.message)
            typst.compile(source.encode(), output=str(pdf), root=str(root))
    except typst.TypstError as error:
        raise DraftError(f"Typst could not write the PDF: {error.message}") from error
