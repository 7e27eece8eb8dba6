"""Quarto's last post-render script: each page and deck links to its twin in the other editions that are rendered.

Standard library only, and run again after each edition: a link is there when, and only when, what it leads to is.
"""

import html
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from lib.render.book import OUTPUT, output_of, page_words  # noqa: E402
from lib.settings import languages  # noqa: E402

LINKS = re.compile(r'<p class="twins">.*?</p>\n?', re.DOTALL)
PLACE = re.compile(r'(<main\b[^>]*>|<section id="title-slide"[^>]*>)\n?')


def link_twins(root: Path, folder: Path | None = None) -> int:
    """Link the pages of all editions in `folder` (by default `_book`) with each other; returns how many links there are."""
    codes, links = languages(root), 0
    pages = {code: _pages(root, code, folder) for code in codes}
    for code in codes:
        for name, page in pages[code].items():
            twins = [(other, pages[other][name]) for other in codes if other != code and name in pages[other]]
            links_there = "".join(_link(root, page, other, twin) for other, twin in twins)
            before = page.read_text("utf-8")
            after = LINKS.sub("", before)
            if links_there:
                after = PLACE.sub(lambda m, p=links_there: f'{m[1]}\n<p class="twins">{p}</p>\n', after, count=1)
            if after != before:
                page.write_text(after, "utf-8")
            links += len(twins)
    return links


def _pages(root: Path, code: str, folder: Path | None) -> dict[str, Path]:
    """The pages of an edition by the name that twins share: the path without the folder of the language."""
    home = (folder or root / OUTPUT) / Path(output_of(code)).relative_to(OUTPUT)
    files = [path for path in (*home.glob("*.html"), *(home / "chapters").rglob("*.html")) if path.is_file()]
    return {path.relative_to(home).as_posix().replace(f"chapters/{code}/", "chapters/", 1): path for path in files}


def _link(root: Path, page: Path, code: str, twin: Path) -> str:
    to = Path(os.path.relpath(twin, page.parent)).as_posix()
    label = page_words(root, code)["page"].get("twin", code)
    return f'<a href="{html.escape(to)}" lang="{code}" hreflang="{code}">{html.escape(label)}</a>'


if __name__ == "__main__":
    link_twins(ROOT)
