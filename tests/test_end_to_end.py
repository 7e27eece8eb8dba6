"""From a folder of images to a rendered report: the whole way, on the tiny cohort, without Quarto."""

import re
import shutil

import pytest
from conftest import ROOT

from lib.render.draft import render_draft

pytestmark = pytest.mark.slow
"""All chapters are run and drawn. Quick tests have each part: the study, every cell on other cohorts, the draft of a small book."""


@pytest.fixture(scope="module")
def draft(tiny_study, tmp_path_factory):
    """The pages that the project's own chapters make of the tiny study."""
    project = tmp_path_factory.mktemp("report")
    for name in ("index.qmd", "_quarto.yml"):
        shutil.copy(ROOT / name, project)
    for name in ("chapters", "lib"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tiny_study.root / "study.toml", project)
    shutil.copytree(ROOT / "data" / "trust", project / "data" / "trust")
    shutil.copytree(tiny_study.bundle, project / "data" / "tiny" / "results")
    return render_draft(project, project / "_draft", why="Quarto is not on this machine.")


def test_the_folder_becomes_pages_a_pdf_and_slides(draft):
    page, pdf, slides = draft
    assert "This is a draft" in page.read_text("utf-8") and slides.read_text("utf-8").count("<section ") > 10
    assert pdf.read_bytes().startswith(b"%PDF")


def test_the_pages_tell_of_this_cohort_and_leave_nothing_unresolved(draft, tiny_study):
    pages = {path.name: path.read_text("utf-8") for path in draft[0].parent.rglob("*.html")}
    images = len(list(tiny_study.folder.glob("*/*/*.png")))
    assert any(f"{images:,} images" in page for page in pages.values())
    for name, page in pages.items():
        text = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
        assert not re.search(r"\{python\}|@(fig|tbl|sec)-|\*\*(fig|tbl|sec)-", text), name
        assert not re.search(r'(?:src|<link[^>]*href)="https?:', text), name
