"""Title, authors, chapters and words of the report are those of `study.toml`, in the book, the deck and the draft."""

import html
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT, rewrite_settings

from lib.render.book import (
    FILE,
    book_settings,
    chapters_of,
    chosen_language,
    language_of,
    twin_of,
    write_book,
)
from lib.render.quarto import find_quarto
from lib.render.report import render_report
from lib.settings import SettingsError, languages

NAMES = {"title": '"Whom: \\"it\\" fails"', "subtitle": '""', "authors": '["Ada L.", "Zoë M."]', "appendices": "[]"}


FRENCH = "# Début {.unnumbered}\n\nVoir @sec-mine : c'est « bien » ; 95 % ?\n"
FILES = {
    "chapters/slides/defense.qmd": "## One\n",
    "chapters/fr/slides/defense.qmd": "## Un\n",
    "index.qmd": "# Start {.unnumbered}\n\nSee @sec-mine: it is 95 %.\n",
    "index.fr.qmd": f"---\noutput-file: index.html\n---\n\n{FRENCH}",
    "chapters/mine.qmd": "# Mine {#sec-mine}\n\nMy own words.\n",
    "chapters/fr/mine.qmd": "# Le mien {#sec-mine}\n\nMes propres mots.\n\n| a |\n|---|\n| 1 |\n\n: Une table. {#tbl-one}\n",
}


@pytest.fixture
def project(tmp_path):
    """A book of a first page, one chapter and a deck, without cells, in two languages, named as above."""
    copied = [
        "_quarto-en.yml",
        "_quarto-slides.yml",
        "chapters/typography.lua",
        "lib/__init__.py",
        "lib/settings.py",
        "lib/messages.py",
        "lib/names.py",
    ]
    copied += [f"lib/render/{name}.py" for name in ("__init__", "book", "pages")]
    copied += [f"lib/report/words/{code}/names.toml" for code in ("en", "fr")]
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    settings = yaml.safe_load((ROOT / "_quarto.yml").read_text("utf-8"))
    settings["project"]["pre-render"] = ["lib/render/book.py"]
    kept = ("project", "metadata-files", "profile", "book", "filters")
    (tmp_path / "_quarto.yml").write_text(yaml.safe_dump({key: settings[key] for key in kept} | {"format": "html"}))
    deck = (ROOT / "chapters/slides/defense.qmd").read_text("utf-8")
    head = "".join(re.findall(r"^(?:title|subtitle|author): .*\n", deck, re.MULTILINE))
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        front = f"---\n{head}format: revealjs\n---\n\n" if "slides" in name else ""
        (tmp_path / name).write_text(front + text, "utf-8")
    return rewrite_settings(tmp_path, **NAMES, chapters='["chapters/mine.qmd"]')


def test_the_file_for_quarto_says_what_the_settings_say(project):
    write_book(project)
    said = yaml.safe_load((project / FILE).read_text("utf-8"))
    assert said["book"] == {
        "title": 'Whom: "it" fails',
        "subtitle": "",
        "author": ["Ada L.", "Zoë M."],
        "chapters": ["index.qmd", "chapters/mine.qmd"],
        "output-file": "fairness-report",
    }
    assert said["report"] == {"authors": "Ada L., Zoë M."} and said["lang"] == "en"
    assert chapters_of(project) == ["index.qmd", "chapters/mine.qmd"]


@pytest.mark.parametrize(
    ("attributes", "code", "told"),
    [
        ('["sex", "age_group", "view"]', "en", "by sex, age and view"),
        ('["sex", "age_group", "view"]', "fr", "selon le sexe, l’âge et l’incidence"),
        ('["age:Patient Age:40,60", "smoker:Smoker=no"]', "en", "by age and smoker"),
        ('["insurance_kind"]', "fr", "selon l’attribut insurance kind,"),
    ],
)
def test_a_subtitle_names_what_is_compared(project, attributes, code, told):
    rewrite_settings(project, subtitle='"by {attributes}"', attributes=attributes)
    assert told in book_settings(project, code)["book"]["subtitle"]


def test_an_edition_has_its_own_names_chapters_and_folder(project):
    write_book(project, "fr")
    said = yaml.safe_load((project / FILE).read_text("utf-8"))
    assert said["lang"] == "fr" and said["spaced-punctuation"] is True
    assert said["book"]["chapters"] == ["index.fr.qmd", "chapters/fr/mine.qmd"] == chapters_of(project, "fr")
    assert said["book"]["title"].startswith("Ce classifieur") and said["book"]["author"] == ["Ada L.", "Zoë M."]
    assert json.loads((project / "_quarto-fr.yml").read_text("utf-8"))["project"]["output-dir"] == "_book/fr"
    assert json.loads((project / "_quarto-slides-fr.yml").read_text("utf-8"))["project"]["render"] == [
        "chapters/fr/slides/defense.qmd"
    ]


def test_a_chapter_of_ones_own_without_a_twin_is_shown_as_it_is(project):
    (project / "chapters/fr/mine.qmd").unlink()
    assert chapters_of(project, "fr") == ["index.fr.qmd", "chapters/mine.qmd"]


def test_a_language_is_that_asked_for_or_that_of_the_settings(project):
    assert languages(project) == ("en", "fr")
    assert chosen_language(project) == "en" and chosen_language(project, "fr") == "fr"
    rewrite_settings(project, lang='"fr"')
    assert chosen_language(project) == "fr" and chosen_language(project, "en") == "en"
    with pytest.raises(SettingsError, match="no words in 'xx'; it can be had in en, fr"):
        chosen_language(project, "xx")


@pytest.mark.parametrize(
    ("chapter", "code"),
    [
        ("index.qmd", "en"),
        ("index.fr.qmd", "fr"),
        ("chapters/data.qmd", "en"),
        ("chapters/fr/data.qmd", "fr"),
        ("chapters/slides/defense.qmd", "en"),
        ("chapters/fr/slides/defense.qmd", "fr"),
    ],
)
def test_where_a_chapter_stands_says_its_language(chapter, code):
    assert language_of(chapter, ROOT) == code
    if chapter.startswith("chapters"):
        assert twin_of(chapter.replace("/fr/", "/"), code) == chapter == twin_of(chapter, code)


def test_make_hands_on_the_language_of_its_command_line_and_no_other():
    said = [
        subprocess.run(
            ["make", "-n", "preview", *given], cwd=ROOT, env=os.environ | shell, capture_output=True, text=True
        )
        for given, shell in ((["LANGUAGE=fr"], {}), ([], {"LANGUAGE": "fr_FR:en"}))
    ]
    assert "--language fr" in said[0].stdout and "--language" not in said[1].stdout


def test_words_of_quarto_are_the_settings(project):
    file = project / "study.toml"
    text = re.sub(r"(?m)^\[report\.language\].*\n", "", file.read_text("utf-8"))
    file.write_text(f'{text}\n[report.language]\ncrossref-fig-title = "Fig."\n', "utf-8")
    assert book_settings(project)["language"]["crossref-fig-title"] == "Fig."


def test_a_report_that_nobody_has_signed_is_signed_in_its_language(project):
    rewrite_settings(project, authors='["The audit team"]')
    signed = {code: book_settings(project, code)["book"]["author"] for code in ("en", "fr")}
    assert signed == {"en": ["The audit team"], "fr": ["L’équipe d’audit"]}


def test_the_file_is_left_alone_while_nothing_changes(project):
    write_book(project)
    written = (project / FILE).stat().st_mtime_ns
    write_book(project)
    assert (project / FILE).stat().st_mtime_ns == written
    rewrite_settings(project, title='"Another"')
    write_book(project)
    assert json.loads((project / FILE).read_text("utf-8"))["book"]["title"] == "Another"


def test_a_chapter_that_is_not_there_is_one_sentence_and_no_traceback(project):
    rewrite_settings(project, chapters='["chapters/gone.qmd"]')
    said = "[report]: chapters lists 'chapters/gone.qmd', but there is no such file."
    with pytest.raises(SettingsError, match=re.escape(said)):
        book_settings(project)
    command = [sys.executable, "-S", "-E", str(project / "lib/render/book.py")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and said in done.stderr


def test_the_projects_own_chapters_are_all_in_its_book():
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("chapters/*.qmd")}
    assert set(chapters_of(ROOT)) <= files | {"index.qmd"}
    named = {"title", "author", "subtitle", "chapters"}
    assert not set(yaml.safe_load((ROOT / "_quarto.yml").read_text("utf-8"))["book"]) & named


REAL = find_quarto(install=False)


@pytest.mark.skipif(REAL.program is None, reason=f"no real Quarto: {REAL.why}")
def test_both_editions_of_book_and_deck_are_rendered_side_by_side_and_linked(project, monkeypatch):
    """And a chapter that was deleted since the last rendering is forgotten."""
    monkeypatch.setenv("QUARTO_PATH", str(REAL.program))
    (project / "chapters/gone.qmd").write_text("# Gone\n", "utf-8")
    rewrite_settings(project, chapters='["chapters/mine.qmd", "chapters/gone.qmd"]')
    french = [path.relative_to(project).as_posix() for path in render_report(project, "fr")]
    assert french == ["_book/fr/index.html", "_book/fr/chapters/fr/slides/defense.html"]
    (project / "chapters/gone.qmd").unlink()
    rewrite_settings(project, title='"Second"', chapters='["chapters/mine.qmd"]')
    render_report(project)
    assert chapters_of(project) == ["index.qmd", "chapters/mine.qmd"] and "gone" not in (project / FILE).read_text(
        "utf-8"
    )
    home, page = ((project / "_book" / name).read_text("utf-8") for name in ("index.html", "chapters/mine.html"))
    assert "Second" in home and "Ada L." in home and "Zoë M." in home and "My own words." in page
    assert '<a href="fr/index.html" lang="fr" hreflang="fr">Cette page en français</a>' in home
    assert '<a href="../fr/chapters/fr/mine.html"' in page and "it is 95 %" in home
    deck = (project / "_book/chapters/slides/defense.html").read_text("utf-8")
    assert "<title>Second</title>" in deck and "Ada L., Zoë M." in deck and "?meta" not in deck
    assert 'href="../../fr/chapters/fr/slides/defense.html"' in deck
    home, page = (
        html.unescape((project / "_book/fr" / name).read_text("utf-8"))
        for name in ("index.html", "chapters/fr/mine.html")
    )
    assert '<html xmlns="http://www.w3.org/1999/xhtml" lang="fr"' in home and "Mes propres mots." in page
    assert "Tableau\N{NO-BREAK SPACE}1.1\N{NO-BREAK SPACE}: Une table." in page
    assert (
        'Voir <a href="chapters/fr/mine.html"' in home
        and "\N{NO-BREAK SPACE}: c’est «\u202fbien\u202f»\u202f; 95\u202f%\u202f?" in home
    )
    assert '<a href="../index.html" lang="en" hreflang="en">This page in English</a>' in home


@pytest.mark.parametrize("code", ["en", "fr"])
def test_the_list_of_sources_is_called_alike_on_pages_and_on_paper(code):
    page = (ROOT / twin_of("chapters/reproducibility.qmd", code)).read_text("utf-8")
    called = yaml.safe_load(page.split("---\n")[1])["reference-section-title"]
    assert book_settings(ROOT, code)["references-title"] == called
    assert "#set bibliography(title: [$references-title$])" in (ROOT / "chapters/pdf/typst-show.typ").read_text("utf-8")
