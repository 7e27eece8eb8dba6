"""Whatever a chapter refers to exists: sections, figures and tables once in the book, sources in the bibliography."""

import re
from collections import Counter

import pytest
from conftest import ROOT

import lib.report.exhibits  # noqa: F401  # registers the exhibits
from lib.render.book import chapters_of
from lib.report.registry import KINDS

TEXTS = {name: (ROOT / name).read_text("utf-8") for name in chapters_of(ROOT)}
LABEL = re.compile(r"\{#((?:sec|fig|tbl)-[\w-]+)\}")
SHOWN = re.compile(r'^show\(study, "(\w+)"((?:, \w+="[^"]+")*)\)', re.MULTILINE)
CHOSEN = re.compile(r'(\w+)="([^"]+)"')
REFERENCE = re.compile(r"(?<![\w.])@([a-z][\w-]*\w)")
WORDS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (ROOT / "lib" / "report").rglob("*")
    if path.suffix in (".j2", ".py", ".toml")
}


def labels_of(text: str) -> list[str]:
    """Labels that a chapter writes itself, and those of the exhibits that it shows."""
    shown = [KINDS[name].label(dict(CHOSEN.findall(chosen))) for name, chosen in SHOWN.findall(text)]
    return LABEL.findall(text) + shown


LABELS = Counter(label for text in TEXTS.values() for label in labels_of(text))
SOURCES = re.findall(r"^@\w+\{(\w+),", (ROOT / "chapters" / "references.bib").read_text("utf-8"), re.M)


def words_of(text: str) -> str:
    """The text without its code cells, in which @ is an operator."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("chapter", TEXTS)
def test_what_a_chapter_refers_to_exists(chapter):
    referred = set(REFERENCE.findall(words_of(TEXTS[chapter])))
    assert referred - set(LABELS) - set(SOURCES) == set()


@pytest.mark.parametrize("words", [name for name in WORDS if not name.endswith(".py")])
def test_what_a_computed_sentence_refers_to_exists(words):
    referred = set(REFERENCE.findall(WORDS[words]))
    assert referred - set(LABELS) - set(SOURCES) == set()


def test_no_label_and_no_source_is_there_twice():
    assert [name for name, times in (LABELS + Counter(SOURCES)).items() if times > 1] == []


def test_every_source_is_cited():
    """In a chapter, or in a sentence that is computed."""
    assert set(SOURCES) - set(REFERENCE.findall("".join([*TEXTS.values(), *WORDS.values()]))) == set()
