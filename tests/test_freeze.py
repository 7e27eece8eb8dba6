"""The committed frozen cells are those of the present chapters, code and results: none is stale, none is left over."""

import hashlib
import json
from pathlib import Path

import pytest
from conftest import COHORT_OF_CALLER, ROOT

from lib.render.thaw import chapters, stale

FREEZER = ROOT / "_freeze"
CHAPTERS = [chapter.as_posix() for chapter in chapters(ROOT)]


@pytest.fixture(autouse=True)
def committed_cells():
    if not FREEZER.is_dir():
        pytest.skip("nothing is frozen yet: `make report` makes _freeze")
    if COHORT_OF_CALLER:
        pytest.skip("COHORT is set: the committed cells are those of study.toml's cohort")


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
    assert frozen_chapters() <= {Path(chapter).with_suffix("").as_posix() for chapter in CHAPTERS}
