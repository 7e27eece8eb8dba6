"""Words of the texts, and of the sentences that code makes, are spelled as dictionaries have them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

CODESPELL = shutil.which("codespell", path=str(Path(sys.executable).parent))
FRENCH = "methode,fpr,classe,anormal,te,fille,ans,valide"
"""Words that are right: a rate, and what French tables write."""
TEXTS = [
    "README.md",
    "index.qmd",
    "chapters",
    "docs",
    "lib",
    "notebooks",
    "study.toml",
    "benchmarks",
    "CONTRIBUTING.md",
]
SKIPPED = "*.pyc,*.png,*/fr/*"


@pytest.mark.skipif(CODESPELL is None, reason="codespell is not installed")
def test_nothing_is_misspelled():
    found = subprocess.run(
        [CODESPELL, "--skip", SKIPPED, "--ignore-words-list", FRENCH, *TEXTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "" and found.returncode == 0, found.stdout


@pytest.mark.skipif(CODESPELL is None, reason="codespell is not installed")
def test_a_misspelled_word_would_be_found(tmp_path):
    (tmp_path / "text.md").write_text("The clasifier recieves images.", "utf-8")
    found = subprocess.run([CODESPELL, "text.md"], cwd=tmp_path, capture_output=True, text=True)
    assert "recieves ==> receives" in found.stdout


SHORT = set(Path(__file__).with_name("french_words.txt").read_text("utf-8").split())
"""Words of French pages that the dictionary lacks: terms, names, and the English terms that the course keeps."""
ENGLISH = set(["malade", "sain", "centre", "centres"])
"""Words of English pages that only the French dictionary has: the folders of the course, British spelling."""
MARKUP = re.compile(
    r"\]\([^)]*\)|\{#.*?#\}|\{%.*?%\}|```.*?```|`[^`\n]*`|\[?@[\w:-]+|\{[^{}\n]*\}|https?://\S+|\*\*?", re.DOTALL
)
COMPARED = [
    re.compile(pattern)
    for pattern in (
        r"\b(select|reject)attr\([^()]*\)",
        r'(==|!=|\bin) *\(?("[^"]*"(, )?)+\)?',
        r'"[^"]*" *(: |\)? \| verdict)',
    )
]
"""Keys in expressions: what is compared, keys of a dictionary, and a verdict."""
QUOTED = re.compile(r'"([^"\n]*)"')


def words(path: Path) -> set[str]:
    """The words of a chapter, of a template with the texts that its expressions choose among, or of names."""
    text = re.sub(r"\A---\n.*?\n---\n", "", path.read_text("utf-8"), flags=re.DOTALL)  # settings of a deck
    if path.suffix == ".toml":
        text = " ".join(re.findall(r'= "([^"\n]*)"', text))
    if path.suffix == ".po":
        text = re.sub(r"--[\w-]+( [A-Z]\w+)?", " ", " ".join(re.findall(r'^msgstr "(.*)"$', text, re.MULTILINE)[1:]))
    text = re.sub(r"\{\{(.*?)\}\}", lambda found: " ".join(_sentences(found[1])), text, flags=re.DOTALL)
    return {word for word in re.findall(r"[^\W\d_]+", MARKUP.sub(" ", text).lower()) if len(word) > 2}


def _sentences(expression: str) -> list[str]:
    """The texts in an expression that are for readers: keys are one word, or are compared with."""
    for key in COMPARED:
        expression = key.sub(" ", expression)
    return [text for text in QUOTED.findall(expression) if " " in text.strip()]


def pages(language: str) -> list[Path]:
    own = [
        *(ROOT / "lib" / "report" / "words" / language).rglob("*.j2"),
        ROOT / f"lib/report/words/{language}/names.toml",
        *(ROOT / "lib" / "report" / "words" / language).glob("*.po"),
    ]
    if language == "en":
        return [*own, ROOT / "index.qmd", *(ROOT / "chapters").glob("*.qmd"), *(ROOT / "chapters/slides").glob("*.qmd")]
    return [*own, *ROOT.glob(f"*.{language}.qmd"), *(ROOT / "chapters" / language).rglob("*.qmd")]


@pytest.fixture(scope="module")
def dictionaries():
    checker = pytest.importorskip("spellchecker", reason="pyspellchecker is not installed")
    return {code: checker.SpellChecker(language=code) for code in ("en", "fr")}


@pytest.mark.parametrize("path", pages("fr"), ids=lambda path: path.name)
def test_french_pages_hold_french_words(path, dictionaries):
    assert not dictionaries["fr"].unknown(words(path)) - SHORT


@pytest.mark.parametrize("path", pages("en"), ids=lambda path: path.name)
def test_no_french_is_left_in_english_pages(path, dictionaries):
    strange = dictionaries["en"].unknown(words(path))
    assert not (strange - dictionaries["fr"].unknown(strange)) - ENGLISH


def test_a_word_of_the_other_language_would_be_found(tmp_path, dictionaries):
    (tmp_path / "a.md.j2").write_text('{% block a %}le threshold {{ "de la gap" if x }}{% endblock %}', "utf-8")
    assert dictionaries["fr"].unknown(words(tmp_path / "a.md.j2")) == {"threshold", "gap"}
