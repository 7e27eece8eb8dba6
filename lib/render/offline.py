"""Quarto's post-render script: make the pages work when opened from disk, without a server.

A browser loads no module script and no data from a page that lies on disk. Quarto's one module script is written again
as a plain one, and the index of the search as a script that pages ask when they cannot fetch it. Standard library only.
"""

import json
import os
import re
import sys
from pathlib import Path

MODULES = ("quarto-html/quarto.js", "quarto-html/tabsets/tabsets.js")
PLAIN = "quarto-html/quarto-plain.js"
TAG = re.compile(
    r'<script src="(?P<to>[^"]*site_libs/)(?P<what>' + "|".join(map(re.escape, MODULES)) + r')" type="module"></script>'
)
INDEX, INDEX_SCRIPT = "search.json", "search.js"
SEARCH, REFUSAL = "quarto-search/quarto-search.js", 'window.location.protocol === "file:" && !shownWarning'
"""Where Quarto refuses to search on pages from disk, which `search.js` makes needless."""


def plain_script(quarto: str, tabsets: str) -> str:
    """The two module scripts as one plain script. Raises ValueError when they import or export anything else."""
    tabsets = tabsets.replace("export function init", "function init")
    quarto = re.sub(r"^import \* as tabsets from [^\n]*$", "", quarto, flags=re.MULTILINE)
    if re.search(r"^\s*(import|export)\b", f"{quarto}\n{tabsets}", re.MULTILINE):
        raise ValueError("Quarto's scripts import or export more than was foreseen")
    return (
        f"(function () {{\nconst tabsets = (function () {{\n{tabsets}\nreturn {{ init }};\n}})();\n{quarto}\n}})();\n"
    )


def work_from_disk(output: Path) -> int:
    """Change the pages of `output`, which Quarto has just written; returns how many were changed."""
    libs = output / "site_libs"
    if (index := output / INDEX).is_file():
        content = json.dumps(json.loads(index.read_text("utf-8")), ensure_ascii=False)
        (output / INDEX_SCRIPT).write_text(f"window.searchIndex = {content};\n", "utf-8")
        if (search := libs / SEARCH).is_file():
            search.write_text(search.read_text("utf-8").replace(REFUSAL, "false"), "utf-8")
    if not all((libs / name).is_file() for name in MODULES):
        return 0
    script = plain_script(*((libs / name).read_text("utf-8") for name in MODULES))
    (libs / PLAIN).write_text(script, "utf-8")
    changed = 0
    for page in output.rglob("*.html"):
        before = page.read_text("utf-8")
        after = TAG.sub(_plain_tag, before)
        if after != before:
            page.write_text(after, "utf-8")
            changed += 1
    return changed


def _plain_tag(tag: re.Match[str]) -> str:
    """One deferred script, as modules are, in the place of both."""
    return f'<script src="{tag["to"]}{PLAIN}" defer></script>' if tag["what"] == MODULES[0] else ""


if __name__ == "__main__":
    try:
        work_from_disk(Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]))
    except ValueError as error:
        print(f"{error}: the pages need a server, such as `quarto preview`.", file=sys.stderr)
