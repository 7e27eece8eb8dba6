"""The committed frozen cells are those of the present chapters, code and results: none is stale, none is left over."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

import pytest
from conftest import COHORT_OF_CALLER, ROOT

from lib.render.book import chapters_of
from lib.render.thaw import chapters, stale
from lib.report import exhibits
from lib.settings import languages

FREEZER = ROOT / "_freeze"
PRESENT = [chapter.as_posix() for chapter in chapters(ROOT)]
RENDERED = {chapter for code in languages(ROOT) for chapter in chapters_of(ROOT, code)}
CHAPTERS = [chapter for chapter in PRESENT if chapter in RENDERED or "slides" in chapter]
"""Those that are rendered; a chapter that `study.toml` leaves out may stay frozen, or not."""


@pytest.fixture(autouse=True)
def committed_cells():
    if not FREEZER.is_dir():
        pytest.skip("nothing is frozen yet: `make report` makes _freeze")
    if COHORT_OF_CALLER:
        pytest.skip("COHORT is set: the committed cells are those of study.toml's cohort")


@pytest.fixture(scope="module", autouse=True)
def read_once():
    """The chapters' cells read the same bundle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exhibits.results, "load", cache(exhibits.results.load))
        yield


def frozen_chapters() -> set[str]:
    return {p.parent.parent.relative_to(FREEZER).as_posix() for p in FREEZER.glob("**/execute-results/*.json")}


def quarto_hash(chapter: Path) -> str:
    """Quarto's key (`freezeInputHash` in its command/render/freeze.ts): MD5 of the text with Unix line ends."""
    text = chapter.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_is_frozen_as_it_is(chapter):
    results = FREEZER / Path(chapter).with_suffix("") / "execute-results"
    for output in ("html",) if "slides" in chapter else ("html", "typ"):
        assert (results / f"{output}.json").is_file(), f"{chapter} has no frozen {output}: run `make report`"
        frozen = json.loads((results / f"{output}.json").read_text("utf-8"))
        assert frozen["hash"] == quarto_hash(ROOT / chapter), f"{chapter} changed since it was frozen: `make report`"


def test_no_frozen_chapter_shows_old_results_or_was_made_by_old_code():
    assert list(stale(ROOT)) == [], "run `make report`"


def test_no_chapter_that_is_gone_is_still_frozen():
    assert frozen_chapters() <= {Path(chapter).with_suffix("").as_posix() for chapter in PRESENT}


CELL = re.compile(r"^```\{python\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`\{python\} ([^`]+)`")
OUTPUTS = {"html": "the page", "typ": "the PDF"}


@pytest.mark.parametrize("chapter", [name for name in CHAPTERS if "slides" not in name])
def test_every_number_in_the_text_is_that_of_the_results(chapter):
    """What stands frozen in a sentence is what the sentence says when it is computed now."""
    text = (ROOT / chapter).read_text("utf-8")
    names: dict = {}
    exec(CELL.search(text)[1], names)  # the imports, and the study
    said = [str(eval(expression, names)) for expression in INLINE.findall(text)]
    for output, where in OUTPUTS.items():
        frozen = json.loads(
            (FREEZER / Path(chapter).with_suffix("") / "execute-results" / f"{output}.json").read_text()
        )
        shown = frozen["result"]["markdown"]
        for sentence in said:
            assert sentence in shown, f"{chapter}: {where} does not say: {sentence}"
