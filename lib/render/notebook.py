"""The whole report as one executed notebook: text, figures and tables inside; run again, it computes the same from the results."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import yaml

from lib.render.book import LANGUAGE, book_settings, chapters_of, output_of, page_words
from lib.render.cells import Part, run_chapters, shown
from lib.render.draft import HERE, TYPOGRAPHY, labels_of, numbered, pandoc, resolved
from lib.report.exhibit import LABEL, for_notebook

FILE = "report.ipynb"
MARK = "CELL{}HERE"
WIDGET = "WIDGETHERE"
"""Stands for what only pages can draw: it is left out, with the paragraph that leads to it (`notebook.lua`)."""
START = """# {comment}
import os, sys
from pathlib import Path

home = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "lib" / "report").is_dir())
os.chdir(home)
sys.path.insert(0, str(home))
{cohort}
from lib.report.exhibit import in_notebook

in_notebook({numbers})
print({title!r})"""


def write_notebook(root: Path, code: str = LANGUAGE) -> Path:
    """Write the notebook of an edition beside its pages. Raises `DraftError`, one sentence, where a cell fails."""
    settings, words = book_settings(root, code), page_words(root, code)
    book = settings["book"]
    paths = chapters_of(root, code)
    ran = run_chapters(root, paths)
    texts = {path: "".join(shown(part) for part in parts) for path, parts in ran.items()}
    chapters = numbered(book["chapters"], book.get("appendices", []), texts)
    labels = labels_of(chapters, words["quarto"] | settings["language"])
    numbers = {label: name for label, (_, name) in labels.items() if not label.startswith("sec")}

    captions = "".join(str(data) for parts in ran.values() for part in parts for data in part.get("outputs", []))
    bibliography = root / yaml.safe_load((root / "_quarto.yml").read_text("utf-8"))["bibliography"]
    about = [f"--metadata=lang:{code}", f"--bibliography={bibliography}", "--citeproc"]
    numbers |= _cited(sorted(set(re.findall(r"\[@[\w@;, -]+\]", captions))), about)

    cells, pieces = _Cells(), []
    for chapter in chapters:
        marked = "".join(cells.marked(part) for part in ran[chapter.path])
        pieces.append(resolved(replace(chapter, text=marked), labels, only=True))
    text = _markdown("\n\n".join(pieces), about, settings)
    cohort = f'os.environ["COHORT"] = {os.environ["COHORT"]!r}\n' if os.environ.get("COHORT") else ""
    start = START.format(comment=words["page"]["notebook"], cohort=cohort, numbers=numbers, title=book["title"])
    notebook = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            "title": book["title"],
        }
    )
    by = ", ".join(book["author"])
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"# {book['title']}\n\n{book['subtitle']}\n\n{by}"))
    notebook.cells.append(_code(start, [nbformat.v4.new_output("stream", name="stdout", text=book["title"] + "\n")]))
    for place, piece in enumerate(re.split(MARK.format(r"(\d+)"), text)):
        if place % 2:
            source, outputs = cells.shown[int(piece)]
            notebook.cells.append(_code(source, [_output(data, numbers) for data in outputs]))
        elif piece.strip():
            notebook.cells.append(nbformat.v4.new_markdown_cell(piece.strip()))
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{place}"  # else random: the same report is the same file
        if cell.cell_type == "code":
            cell["execution_count"] = 1 + sum(other.cell_type == "code" for other in notebook.cells[:place])
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output["execution_count"] = cell["execution_count"]
    nbformat.validate(notebook)
    file = root / output_of(code) / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, file)
    return file


class _Cells:
    """The cells that show something; code that shows nothing, such as imports, goes once into the next that does."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, list[dict[str, str]]]] = []
        self._waiting: list[str] = []
        self._seen: set[str] = set()

    def marked(self, part: Part) -> str:
        """A part as text: a cell as a mark in its place."""
        if "text" in part:
            return part["text"]
        if not part["outputs"]:
            self._waiting += [] if part["code"] in self._seen else [part["code"]]
            self._seen.add(part["code"])
            return ""
        if any('hidden><script type="application/json">' in data.get("text/markdown", "") for data in part["outputs"]):
            return f"\n\n{WIDGET}\n\n"
        self.shown.append(("\n\n".join([*self._waiting, part["code"]]), part["outputs"]))
        self._waiting.clear()
        return f"\n\n{MARK.format(len(self.shown) - 1)}\n\n"


def _code(source: str, outputs: list[Any]) -> Any:
    return nbformat.v4.new_code_cell(source, outputs=outputs, metadata={"jupyter": {"source_hidden": True}})


def _output(data: dict[str, str], numbers: dict[str, str]) -> Any:
    """What a cell displays, as a notebook that is run displays it."""
    markdown = data.get("text/markdown", "")
    if "text/html" not in data and LABEL.search(markdown):
        data = {"text/html": for_notebook(markdown, numbers)}
    return nbformat.v4.new_output("execute_result", data=data)


def _cited(citations: list[str], about: list[str]) -> dict[str, str]:
    """Citations in captions as they read: `[@kish1965]` is `(Kish 1965)`; captions are no Markdown that pandoc sees."""
    plain = pandoc("\n\n".join(citations), *about, "--to=plain", "--metadata=suppress-bibliography:true")
    return dict(zip(citations, plain.strip().split("\n\n"), strict=True)) if citations else {}


def _markdown(text: str, about: list[str], settings: dict[str, Any]) -> str:
    """Pandoc's Markdown as that of notebooks: citations written out, boxes as quotations, no divisions."""
    references = settings["references-title"]
    options = ["--to=gfm+tex_math_dollars-raw_html", f"--metadata=reference-section-title:{references}"]
    options += [f"--lua-filter={HERE / 'notebook.lua'}", TYPOGRAPHY]
    options += [f"--metadata=spaced-punctuation:{str(settings['spaced-punctuation']).lower()}"]
    return pandoc(f'---\nnocite: "@*"\n---\n\n{text}', *about, *options)  # captions cite, too
