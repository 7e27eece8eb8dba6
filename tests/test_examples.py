"""Real examples of the surest errors stand in the pages that are asked for them, and nowhere else."""

import hashlib
import json
import logging
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, rewrite_settings
from PIL import Image

from lib.names import DEFAULTS
from lib.render import report
from lib.render.examples import SIDE, add_examples, surest
from lib.render.quarto import Quarto
from lib.report.words.language import language, languages
from lib.report.words.templates import tell
from lib.settings import study_settings

PLACE = re.compile(r"```\{=html\}\n<div id=\"examples\".*?```", re.DOTALL)
CHAPTERS = {"en": "chapters/discussion.qmd", "fr": "chapters/fr/discussion.qmd"}


@pytest.fixture
def book(tiny_study, tmp_path) -> Path:
    """A book of two pages about the tiny study, with the place for examples that the report's chapter has."""
    shutil.copy(tiny_study.root / "study.toml", tmp_path)
    networks = shutil.ignore_patterns("network.pt")  # which no page needs
    shutil.copytree(tiny_study.root / "data" / "tiny", tmp_path / "data" / "tiny", ignore=networks)
    rewrite_settings(tmp_path, chapters='["chapters/discussion.qmd"]', appendices="[]", examples="true")
    files = {"_quarto.yml": "book: {}\n", "index.qmd": "# Start\n", "index.fr.qmd": "# Accueil\n"}
    for chapter in CHAPTERS.values():
        files[chapter] = f"# Errors\n\nBefore.\n\n{PLACE.search((ROOT / chapter).read_text('utf-8'))[0]}\n\nAfter.\n"
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def draft(book: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of the chapter, rendered."""
    monkeypatch.setattr(report, "find_quarto", lambda: Quarto(None, "Quarto was not found."))
    return (report.render_report(book, code)[0].parent / CHAPTERS[code]).with_suffix(".html")


def kept(root: Path) -> dict[str, str]:
    """Digests of all files that are not rendered pages."""
    files = [path for path in root.rglob("*") if path.is_file() and not {"_draft", ".locks"} & set(path.parts)]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("code", languages())
def test_pages_show_small_copies_of_the_surest_errors_each_patient_once(tiny_study, book, code, monkeypatch):
    before = kept(book)
    page = draft(book, code, monkeypatch)
    strip = BeautifulSoup(page.read_text("utf-8"), "html.parser").find(id="examples")
    own = [path for path in tiny_study.folder.glob("valid/*/*.png")]
    patients, labels = [], []
    for image in strip.find_all("img"):
        copy = Image.open(page.parent / image["src"])
        assert max(copy.size) <= SIDE and image["alt"] and not copy.info
        sources = [path for path in own if np.array_equal(np.asarray(Image.open(path)), np.asarray(copy))]
        patients += [path.name.split("_")[0] for path in sources]
        labels += [path.parent.name for path in sources]
    assert labels and len(set(patients)) == len(patients) == len(strip.find_all("figure"))
    assert labels == sorted(labels)  # malade, sain
    attribute = DEFAULTS["view"]
    assert tell(language(code), "examples", "warning", attribute=attribute, drawn=False) in strip.get_text()
    assert "hidden" not in strip.attrs and {"Before.", "After."} <= set(
        page.read_text("utf-8").replace("<", ">").split(">")
    )
    assert kept(book) == before


def test_the_surest_are_wrong_and_of_all_groups():
    rows = [("a", "1", 1, 0.4, "AP"), ("b", "1", 1, 0.1, "PA"), ("c", "2", 1, 0.2, "AP"), ("d", "2", 0, 0.9, "AP")]
    rows += [("e", "3", 0, 0.6, "AP"), ("f", "4", 0, 0.5, "PA"), ("g", "5", 1, 0.5, "AP"), ("h", "6", 0, 0.4, "PA")]
    rows += [("i", "7", 0, 0.7, None), ("j", "8", 1, 0.3, "AP"), ("k", "9", 1, 0.45, "AP")]
    images = pl.DataFrame(rows, schema=["image", "patient", "label", "score", "view"], orient="row")
    images = images.with_columns(path=pl.lit("x"), findings=pl.lit("Mass|No Finding|Nodule"))
    found = surest(images, DEFAULTS["view"])
    assert [(one["image"], one["group"], one["label"]) for one in found] == [
        ("c", "AP", 1),
        ("j", "AP", 1),
        ("b", "PA", 1),
        ("e", "AP", 0),
        ("f", "PA", 0),
    ]
    assert found[0]["findings"] == ["Mass", "Nodule"]


def test_without_the_setting_the_place_stays_empty(book, monkeypatch):
    rewrite_settings(book, examples="false")
    page = draft(book, "en", monkeypatch)
    place = BeautifulSoup(page.read_text("utf-8"), "html.parser").find(id="examples")
    assert place.has_attr("hidden") and not place.contents and not list((book / "_draft").rglob("*.png"))


def without_runs(data: Path) -> None:
    shutil.rmtree(data / "runs")


def without_cohort(data: Path) -> None:
    origin = json.loads((data / ".cohort.json").read_text("utf-8"))
    (data / ".cohort.json").write_text(json.dumps(origin | {"folder": str(data / "gone")}), "utf-8")


def with_other_images(data: Path) -> None:
    origin = json.loads((data / ".cohort.json").read_text("utf-8"))
    shutil.copytree(origin["folder"], data / "changed")
    next((data / "changed").glob("valid/sain/*.png")).unlink()
    (data / ".cohort.json").write_text(json.dumps(origin | {"folder": str(data / "changed")}), "utf-8")


def of_predictions(data: Path) -> None:
    manifest = json.loads((data / "results" / "study.json").read_text("utf-8"))
    (data / "results" / "study.json").write_text(json.dumps(manifest | {"of_predictions": True}), "utf-8")


@pytest.mark.parametrize(
    ("lack", "told"),
    [
        (without_runs, "networks of these results are not in"),
        (without_cohort, "not on this machine"),
        (with_other_images, "is not what it was"),
        (of_predictions, "of predictions"),
    ],
)
def test_where_images_or_scores_lack_a_sentence_says_so(book, caplog, lack, told):
    page = (book / "_book" / CHAPTERS["en"]).with_suffix(".html")
    page.parent.mkdir(parents=True)
    page.write_text('<main>\n<div id="examples" hidden></div></main>', "utf-8")
    lack(book / "data" / "tiny")
    with caplog.at_level(logging.WARNING):
        assert add_examples(book, book / "_book") == 0
    (record,) = caplog.records
    assert told in record.getMessage() and "\n" not in record.getMessage()
    assert page.read_text("utf-8") == '<main>\n<div id="examples" hidden></div></main>'
    assert [path for path in (book / "_book").rglob("*") if path.is_file()] == [page]


def test_the_published_report_has_none():
    assert not study_settings().report.examples
