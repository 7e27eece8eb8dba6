"""Quarto's post-render script: pages work from disk, without a server, and link to their twins in the other editions.

A browser loads no module script and no data from a page that lies on disk. Quarto's one module script is written again
as a plain one, and the index of the search as a script that pages ask when they cannot fetch it. A link to a twin is
there when, and only when, what it leads to is: links are made anew after each edition. Standard library only.
"""

import html
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from lib.render.book import output_of, page_words  # noqa: E402
from lib.settings import languages  # noqa: E402

MODULES = ("quarto-html/quarto.js", "quarto-html/tabsets/tabsets.js")
PLAIN = "quarto-html/quarto-plain.js"
TAG = re.compile(
    r'<script src="(?P<to>[^"]*site_libs/)(?P<what>' + "|".join(map(re.escape, MODULES)) + r')" type="module"></script>'
)
INDEX, INDEX_SCRIPT = "search.json", "search.js"
SEARCH, REFUSAL = "quarto-search/quarto-search.js", 'window.location.protocol === "file:" && !shownWarning'
"""Where Quarto refuses to search on pages from disk, which `search.js` makes needless."""
LINKS = re.compile(r'<p class="twins">.*?</p>\n?', re.DOTALL)
PLACE = re.compile(r'(<main\b[^>]*>|<section id="title-slide"[^>]*>)\n?')


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

    def plain(tag: re.Match[str]) -> str:
        """One deferred script, as modules are, in the place of both."""
        return f'<script src="{tag["to"]}{PLAIN}" defer></script>' if tag["what"] == MODULES[0] else ""

    return sum(_changed(page, TAG.sub(plain, page.read_text("utf-8"))) for page in output.rglob("*.html"))


def _changed(page: Path, text: str) -> bool:
    """Whether `text`, which the page holds from now on, differs from what it held."""
    differs = page.read_text("utf-8") != text
    if differs:
        page.write_text(text, "utf-8")
    return differs


def link_twins(root: Path) -> int:
    """Link the pages of all editions in `_book` with each other; returns how many links there are."""
    codes, links = languages(root), 0
    pages = {code: _pages(root, code) for code in codes}
    for code in codes:
        for name, page in pages[code].items():
            twins = [(other, pages[other][name]) for other in codes if other != code and name in pages[other]]
            paragraph = "".join(_link(root, page, other, twin) for other, twin in twins)
            text = LINKS.sub("", page.read_text("utf-8"))
            if twins:
                text = PLACE.sub(lambda m, p=paragraph: f'{m[1]}\n<p class="twins">{p}</p>\n', text, count=1)
            _changed(page, text)
            links += len(twins)
    return links


def _pages(root: Path, code: str) -> dict[str, Path]:
    """The pages of an edition by the name that twins share: the path without the folder of the language."""
    home = root / output_of(code)
    files = [path for path in (*home.glob("*.html"), *(home / "chapters").rglob("*.html")) if path.is_file()]
    return {path.relative_to(home).as_posix().replace(f"chapters/{code}/", "chapters/", 1): path for path in files}


def _link(root: Path, page: Path, code: str, twin: Path) -> str:
    to = Path(os.path.relpath(twin, page.parent)).as_posix()
    label = page_words(root, code)["page"].get("twin", code)
    return f'<a href="{html.escape(to)}" lang="{code}" hreflang="{code}">{html.escape(label)}</a>'


if __name__ == "__main__":
    try:
        work_from_disk(Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]))
    except ValueError as error:
        print(f"{error}: the pages need a server, such as `quarto preview`.", file=sys.stderr)
    link_twins(ROOT)
