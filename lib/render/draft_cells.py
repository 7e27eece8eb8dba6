"""One chapter's cells run in a Jupyter kernel, and the chapter's text with what they displayed in their place."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

INLINE = re.compile(r"(?<!`)`\{python\}\s+([^`]+?)\s*`(?!`)")
OPTION = re.compile(r"^#\|\s?(.*)$")

# Defined in every kernel before the chapter's own cells. As in Quarto, a plain value is text (its punctuation is not
# Markdown), and an object that knows its Markdown gives that.
INLINE_DISPLAY = r"""
def __draft_inline__(value):
    import re
    from IPython.display import display
    markdown = getattr(value, "_repr_markdown_", None)
    markdown = markdown() if callable(markdown) else None
    text = re.sub(r"([\\`*_{}\[\]<>#$@~^|])", r"\\\1", str(value)) if markdown is None else markdown
    display({"text/markdown": text}, raw=True)
"""


class DraftError(RuntimeError):
    """The draft cannot be made; the message is one sentence that says what failed and where."""


def run_chapter(text: str, *, name: str, project: Path) -> str:
    """Markdown of a chapter: its text, each code cell replaced by its display, each inline expression by its value.

    Parameters: `text` the whole `.qmd`, whose YAML head is left out; `name` what errors call it; `project` the
    directory that the kernel works in, so that `from lib import ...` means the project's. One kernel per chapter, as
    in Quarto; the environment is inherited. Raises `DraftError` at the first cell that fails: chapter, cell and error.
    """
    notebook, template = _notebook(text)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=None,
        resources={"metadata": {"path": str(project)}},
        extra_arguments=["--log-level=ERROR"],  # its start-up remarks would tear the progress bar
    )
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                place = cell.metadata["place"]
                raise DraftError(f"{name}, {place}: {error.ename}: {_one_line(error.evalue)}") from error
            except DeadKernelError as error:
                raise DraftError(f"{name}, {cell.metadata['place']}: the kernel died.") from error
    return "".join(part if isinstance(part, str) else _shown(notebook.cells[part]) for part in template)


def _notebook(text: str) -> tuple[nbformat.NotebookNode, list[str | int]]:
    """The code to run, in order, and the chapter as a list of texts and of indices of cells displayed there."""
    notebook = nbformat.v4.new_notebook()
    template: list[str | int] = []

    def add(source: str, place: str, **metadata: Any) -> None:
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"place": place, **metadata}))

    add(INLINE_DISPLAY, "preparing the kernel")
    position = cells = 0
    for cell in jupytext.reads(text, fmt={"extension": ".Rmd"}).cells:
        position = max(text.find(cell.source, position), position)
        line = text.count("\n", 0, position) + 1
        if cell.cell_type == "raw":  # the YAML head
            continue
        if cell.cell_type == "code":
            cells += 1
            options, source = _options(cell.source)
            if options.get("eval", True):
                named = f" ({options['label']})" if "label" in options else ""
                add(source, f"cell {cells}{named}, line {line}", options=options)
                template.append(len(notebook.cells) - 1)
        else:
            for part, is_code in _inline(cell.source):
                if is_code:
                    add(f"__draft_inline__(({part}))", f"inline expression `{part}`", inline=True)
                template.append(len(notebook.cells) - 1 if is_code else part)
        template.append("\n\n")
        position += len(cell.source)
    return notebook, template


def _inline(text: str) -> Iterator[tuple[str, bool]]:
    """A Markdown text cut at its inline expressions: (text, False) and (expression, True) in turn."""
    end = 0
    for match in INLINE.finditer(text):
        yield text[end : match.start()], False
        yield match[1], True
        end = match.end()
    yield text[end:], False


def _options(source: str) -> tuple[dict[str, Any], str]:
    """The `#|` options that open a cell, and the code below them."""
    lines = source.split("\n")
    count = next((i for i, line in enumerate(lines) if not OPTION.match(line)), len(lines))
    head = "\n".join(OPTION.match(line)[1] for line in lines[:count])  # type: ignore[index]
    return yaml.safe_load(head) or {}, "\n".join(lines[count:])


def _shown(cell: nbformat.NotebookNode) -> str:
    """What an executed cell displayed, as Markdown; labelled and captioned when its options say so."""
    if cell.metadata.get("inline"):
        return "".join(output.data["text/markdown"] for output in cell.outputs if "data" in output)
    options = cell.metadata["options"]
    if options.get("include") is False or options.get("output") is False:
        return ""
    as_is = options.get("output") == "asis"
    blocks = [_output(output, alt=str(options.get("fig-alt", "")), as_is=as_is) for output in cell.outputs]
    body = "\n\n".join(block for block in blocks if block)
    label = str(options.get("label", ""))
    caption = options.get("fig-cap") or options.get("tbl-cap") or ""
    if label.startswith(("fig-", "tbl-")) and body and f"{{#{label}" not in body:
        return f":::::: {{#{label}}}\n{body}\n\n{caption}\n::::::"
    return body


def _output(output: nbformat.NotebookNode, *, alt: str, as_is: bool) -> str:
    """One output of a cell as Markdown: its Markdown if it has one, else SVG, PNG, HTML, text. Warnings are dropped."""
    if output.output_type == "stream":
        if output.name != "stdout" or not output.text.strip():
            return ""
        return output.text if as_is else _fenced("", output.text)
    data = output.get("data", {})
    if "text/markdown" in data:
        return data["text/markdown"]
    if "image/svg+xml" in data:
        svg = data["image/svg+xml"]
        return f"{_fenced('{=html}', svg)}\n\n{_fenced('{=typst}', _typst_image(_typst_string(svg), 'svg', alt))}"
    if "image/png" in data:
        png = "".join(data["image/png"].split())
        image = f'<img src="data:image/png;base64,{png}" alt="{html.escape(alt)}">'
        pixels = ", ".join(map(str, base64.b64decode(png)))
        return f"{_fenced('{=html}', image)}\n\n{_fenced('{=typst}', _typst_image(f'({pixels})', 'png', alt))}"
    if "text/html" in data:
        return _fenced("{=html}", data["text/html"])
    return _fenced("", data["text/plain"]) if "text/plain" in data else ""


def _typst_image(content: str, kind: str, alt: str) -> str:
    return f'#image(bytes({content}), format: "{kind}", width: 100%, alt: {_typst_string(alt)})'


def _typst_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fenced(kind: str, text: str) -> str:
    """`text` in a code fence longer than any run of backticks inside it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def _one_line(message: str) -> str:
    return " ".join(message.split())
