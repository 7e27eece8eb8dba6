"""Chapters once their cells have run: those frozen by Quarto where they are up to date, the others run here, in one process.

This file is the process, too: started in a project with paths of chapters, it writes what their parts are as JSON. It imports
nothing of the project, so that `from lib ...` in a cell means the project's own.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
CELL = re.compile(r"^(`{3,})\{python\}[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`\{python\}\s+([^`]+?)\s*`(?!`)")
OPTION = re.compile(r"^#\|\s?([\w-]+):\s*(.*?)\s*$\n?", re.MULTILINE)
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#$@~^|])")
Part = dict[str, Any]
"""`text`: Markdown, inline expressions evaluated; or `code` with its `options` and `outputs`, each a dict of kinds of display."""


class DraftError(RuntimeError):
    """The draft cannot be made; the message is one sentence that says what failed and where."""


def executed(root: Path, chapters: list[str]) -> dict[str, str]:
    """The Markdown of each chapter, its cells run, without its YAML head. Raises `DraftError` at the first cell that fails."""
    texts = {name: text for name in chapters if (text := frozen(root, name)) is not None}
    ran = run_chapters(root, [name for name in chapters if name not in texts])
    texts |= {name: "".join(shown(part) for part in parts) for name, parts in ran.items()}
    return {name: FRONT_MATTER.sub("", texts[name]) for name in chapters}


def frozen(root: Path, chapter: str) -> str | None:
    """The chapter as Quarto froze it, its text and what it depends on being what they were; else None."""
    from lib.render.thaw import up_to_date

    text = (root / chapter).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    if not CELL.search(text) and not INLINE.search(text):
        return text
    try:
        file = root / "_freeze" / Path(chapter).with_suffix("") / "execute-results" / "html.json"
        kept = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    same = kept.get("hash") == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return kept["result"]["markdown"] if same and up_to_date(root, Path(chapter)) else None


def run_chapters(root: Path, chapters: list[str]) -> dict[str, list[Part]]:
    """Run the chapters, each with names of its own, and return their parts. Raises `DraftError`, one sentence."""
    if not chapters:
        return {}
    start = f"import runpy; runpy.run_path({str(Path(__file__).resolve())!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", start, *chapters], cwd=root, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["its process died."]
        raise DraftError(lines[-1])
    return json.loads(done.stdout)


def parts_of(text: str) -> Iterator[tuple[str, int, bool]]:
    """A chapter cut at its cells: (text or code, line in the file, whether it is code) in turn."""
    end = match.end() if (match := FRONT_MATTER.match(text)) else 0
    for cell in CELL.finditer(text, end):
        yield text[end : cell.start()], text.count("\n", 0, end) + 1, False
        yield cell[2], text.count("\n", 0, cell.start(2)) + 1, True
        end = cell.end()
    yield text[end:], text.count("\n", 0, end) + 1, False


def shown(part: Part) -> str:
    """A part as Markdown."""
    if "text" in part:
        return part["text"]
    if part["options"].get("include") == "false" or part["options"].get("output") == "false":
        return ""
    return "\n\n".join(_display(output) for output in part["outputs"])


def _display(output: dict[str, str]) -> str:
    """One display as Markdown: its Markdown if it has one, else SVG, PNG, HTML, text."""
    if "text/markdown" in output:
        return output["text/markdown"]
    if "image/png" in output:
        return f"![]({'data:image/png;base64,' + ''.join(output['image/png'].split())})"
    for kind in ("image/svg+xml", "text/html"):
        if kind in output:
            return f"````````{{=html}}\n{output[kind]}\n````````"
    return f"````````\n{output.get('text/plain', '')}\n````````"


# ---- the process


def main(chapters: list[str]) -> None:
    """Run chapters and write their parts on stdout; a cell that fails ends it with one sentence on stderr."""
    from IPython.core.interactiveshell import InteractiveShell

    sys.path.insert(0, os.getcwd())
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    ran = {name: list(_run(shell, name, Path(name).read_text("utf-8"))) for name in chapters}
    json.dump(ran, sys.__stdout__, ensure_ascii=True)


def _run(shell: Any, name: str, text: str) -> Iterator[Part]:
    shell.reset(new_session=False)
    for source, line, is_code in parts_of(text):
        if not is_code:
            yield {"text": INLINE.sub(lambda match: _in_words(shell, match[1], name), source)}
            continue
        options = dict(OPTION.findall(source))
        code = OPTION.sub("", source).strip("\n")
        outputs = [] if options.get("eval") == "false" else _outputs(shell, code, f"{name}, line {line}")
        yield {"code": code, "options": options, "outputs": outputs}


def _outputs(shell: Any, code: str, place: str) -> list[dict[str, str]]:
    from IPython.utils.capture import capture_output

    values: list[dict[str, str]] = []
    shell.display_trap.hook = lambda value: value is None or values.append(shell.display_formatter.format(value)[0])
    with capture_output() as captured, redirect_stderr(StringIO()):
        result = shell.run_cell(code)
    if error := result.error_before_exec or result.error_in_exec:
        sys.exit(f"{place}: {type(error).__name__}: {' '.join(str(error).split())}")
    said = [{"text/plain": captured.stdout}] if captured.stdout.strip() else []
    shown = [*said, *(output.data for output in captured.outputs), *values]
    return [{kind: text for kind, text in data.items() if isinstance(text, str)} for data in shown]


def _in_words(shell: Any, expression: str, name: str) -> str:
    """An inline expression as Quarto tells it: a plain value is text, not Markdown; an object that knows its Markdown gives that."""
    try:
        value = eval(expression, shell.user_ns)
    except Exception as error:
        sys.exit(f"{name}, inline expression `{expression}`: {type(error).__name__}: {' '.join(str(error).split())}")
    markdown = getattr(value, "_repr_markdown_", None)
    return markdown() if callable(markdown) else SPECIAL.sub(r"\\\1", str(value))


if __name__ == "__main__":
    main(sys.argv[1:])
