"""Title, authors, chapters and words of the report are those of `study.toml`, in the book, the deck and the draft."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, rewrite_settings

from lib.render.book import FILE, book_settings, chapters_of, write_book
from lib.render.draft import read_book
from lib.render.quarto import find_quarto, quarto
from lib.render.report import render_slides
from lib.settings import SettingsError

NAMES = {"title": '"Whom: \\"it\\" fails"', "subtitle": '""', "authors": '["Ada L.", "Zoë M."]', "appendices": "[]"}


@pytest.fixture
def project(tmp_path):
    """A book of a first page, one chapter and a deck, without cells, named as above."""
    for name in ("_quarto-slides.yml", "lib/__init__.py", "lib/settings.py", "lib/render/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("book.py", "offline.py"):
        shutil.copy(ROOT / "lib/render" / name, tmp_path / "lib/render" / name)
    settings = yaml.safe_load((ROOT / "_quarto.yml").read_text("utf-8"))
    settings["project"]["pre-render"] = ["lib/render/book.py"]
    (tmp_path / "_quarto.yml").write_text(
        yaml.safe_dump({key: settings[key] for key in ("project", "metadata-files", "book")} | {"format": "html"})
    )
    (tmp_path / "chapters" / "slides").mkdir(parents=True)
    deck = (ROOT / "chapters/slides/defense.qmd").read_text("utf-8")
    head = "".join(re.findall(r"^(?:title|subtitle|author): .*\n", deck, re.MULTILINE))
    (tmp_path / "chapters/slides/defense.qmd").write_text(f"---\n{head}format: revealjs\n---\n\n## One\n", "utf-8")
    (tmp_path / "index.qmd").write_text("# Start {.unnumbered}\n\nSee @sec-mine.\n", "utf-8")
    (tmp_path / "chapters/mine.qmd").write_text("# Mine {#sec-mine}\n\nMy own words.\n", "utf-8")
    return rewrite_settings(tmp_path, **NAMES, chapters='["chapters/mine.qmd"]')


def test_the_file_for_quarto_says_what_the_settings_say(project):
    write_book(project)
    said = yaml.safe_load((project / FILE).read_text("utf-8"))
    assert said["book"] == {
        "title": 'Whom: "it" fails',
        "subtitle": "",
        "author": ["Ada L.", "Zoë M."],
        "chapters": ["chapters/mine.qmd"],
    }
    assert said["report"] == {"authors": "Ada L., Zoë M."} and said["lang"] == "en"
    assert chapters_of(project) == ["index.qmd", "chapters/mine.qmd"]


def test_words_of_quarto_are_the_settings(project):
    file = project / "study.toml"
    file.write_text(file.read_text("utf-8").replace("# crossref-fig-title", "crossref-fig-title"), "utf-8")
    assert book_settings(project)["language"] == {"crossref-fig-title": "Fig."}


def test_the_file_is_left_alone_while_nothing_changes(project):
    write_book(project)
    written = (project / FILE).stat().st_mtime_ns
    write_book(project)
    assert (project / FILE).stat().st_mtime_ns == written
    rewrite_settings(project, title='"Another"')
    write_book(project)
    assert json.loads((project / FILE).read_text("utf-8"))["book"]["title"] == "Another"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": "3"}, "[report]: title = 3 is not text in quotes."),
        ({"authors": '"Ada"'}, "[report]: authors = 'Ada' is not a list in brackets."),
        ({"authors": "[]"}, "[report]: authors is empty; at least one name is needed."),
        ({"authors": "[1]"}, "[report]: authors[0] = 1 is not text in quotes."),
        (
            {"chapters": '["chapters/gone.qmd"]'},
            "[report]: chapters lists 'chapters/gone.qmd', but there is no such file.",
        ),
        ({"lang": "true"}, "[report]: lang = True is not text in quotes."),
    ],
)
def test_what_cannot_be_is_one_sentence_and_no_traceback(project, change, said):
    rewrite_settings(project, **change)
    with pytest.raises(SettingsError, match=re.escape(said)):
        book_settings(project)
    command = [sys.executable, "-S", "-E", str(project / "lib/render/book.py")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and said in done.stderr


def test_the_draft_shows_the_same_names_and_chapters(project):
    write_book(project)
    book = read_book(project)
    assert (book.title, book.authors) == ('Whom: "it" fails', ["Ada L.", "Zoë M."])
    assert [entry.path for entry in book.entries] == chapters_of(project)


def test_the_projects_own_chapters_are_all_in_its_book():
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("chapters/*.qmd")}
    assert set(chapters_of(ROOT)) <= files | {"index.qmd"}
    assert not (
        set(yaml.safe_load((ROOT / "_quarto.yml").read_text("utf-8"))["book"]) & {"title", "author", "subtitle"}
    )


REAL = find_quarto(install=False)


@pytest.mark.skipif(REAL.program is None, reason=f"no real Quarto: {REAL.why}")
def test_new_names_and_chapters_show_in_the_very_rendering_of_book_and_deck(project):
    quarto(REAL.program, project, "render", "--to", "html")
    page = (project / "_book/index.html").read_text("utf-8")
    assert "Whom: “it” fails" in page and "Ada L." in page and "Zoë M." in page
    assert "My own words." in (project / "_book/chapters/mine.html").read_text("utf-8")
    rewrite_settings(project, title='"Second"', chapters="[]")
    quarto(REAL.program, project, "render", "--profile", "slides")
    deck = (project / "_book/chapters/slides/defense.html").read_text("utf-8")
    assert "<title>Second</title>" in deck and "Ada L., Zoë M." in deck and "?meta" not in deck
    quarto(REAL.program, project, "render", "--to", "html")
    assert "Second" in (project / "_book/index.html").read_text("utf-8")


@pytest.mark.skipif(REAL.program is None, reason=f"no real Quarto: {REAL.why}")
def test_a_chapter_that_was_deleted_since_the_last_rendering_is_forgotten(project, monkeypatch):
    write_book(project)
    (project / "chapters/mine.qmd").unlink()
    rewrite_settings(project, chapters="[]")
    monkeypatch.setenv("QUARTO_PATH", str(REAL.program))
    assert render_slides(project).is_file()
    assert chapters_of(project) == ["index.qmd"] and "mine" not in (project / FILE).read_text("utf-8")
