"""From a folder of images to a rendered report: the whole way, on the tiny cohort, without Quarto."""

import re
import shutil

import pytest
from conftest import ROOT

from lib.render.draft import render_draft


@pytest.fixture(scope="module")
def draft(tiny_study, tmp_path_factory):
    """The pages that the project's own chapters make of the tiny study."""
    project = tmp_path_factory.mktemp("report")
    for name in ("index.qmd", "_quarto.yml", "_quarto-slides.yml"):
        shutil.copy(ROOT / name, project)
    for name in ("chapters", "lib"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tiny_study.root / "study.toml", project)
    shutil.copytree(ROOT / "data" / "trust", project / "data" / "trust")
    shutil.copytree(tiny_study.bundle, project / "data" / "tiny" / "results")
    return render_draft(project, project / "_book", why="Quarto is not on this machine.")


def test_the_folder_becomes_a_page_a_pdf_and_slides(draft):
    page, pdf, slides = draft
    text = re.sub(r"<[^>]+>", " ", page.read_text("utf-8"))
    assert "Draft: rendered without Quarto" in text
    assert pdf.read_bytes().startswith(b"%PDF")
    assert slides.is_file()


def test_the_page_tells_of_this_cohort_and_leaves_nothing_unresolved(draft, tiny_study):
    page = draft[0].read_text("utf-8")
    images = len(list(tiny_study.folder.glob("*/*/*.png")))
    assert f"{images:,} images of" in page
    assert not re.search(r"\{python\}|@(fig|tbl|sec)-|\?\?\?", page)
    assert not re.search(r'(?:src|<link[^>]*href)="https?:', page)
