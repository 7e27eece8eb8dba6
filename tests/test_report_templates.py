"""Sentences stand in templates that a student edits; what is wrong in one is a sentence with file and line."""

import re
import shutil

import pytest

from lib.names import DEFAULTS
from lib.report.words.templates import HERE, TemplateFault, filters, tell


@pytest.fixture
def folder(tmp_path):
    """A copy of the words, to be edited."""
    shutil.copytree(HERE / "en", tmp_path / "en")
    return tmp_path


def write(folder, text: str) -> None:
    (folder / "en" / "own.md.j2").write_text(text, "utf-8")


def test_a_block_is_a_line_and_a_page_has_paragraphs(folder):
    write(
        folder,
        "{% block one %}\nFirst,\n  {{ n | number }}.\n{% endblock %}\n{% block two %}Second.\n\n- a\n- b\n{% endblock %}\n",
    )
    assert tell("own", "one", folder=folder, n=1234) == "First, 1,234."
    assert tell("own", folder=folder, n=1234) == "First, 1,234.\n\nSecond.\n\n- a\n- b"


def test_an_edited_sentence_is_told(folder):
    path = folder / "en" / "tables" / "options.md.j2"
    path.write_text(path.read_text("utf-8").replace("must know", "has to be told"), "utf-8")
    assert tell("tables/options", "needs_head", folder=folder) == "has to be told"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% block one %}{{ unheard_of }}{% endblock %}", r"own\.md\.j2, line 1: 'unheard_of' is undefined\."),
        ("{% block one %}\n\n{{ 'x' | number }}{% endblock %}", r"own\.md\.j2, line 3: "),
        ("{% block one %}\n{% if %}{% endblock %}", r"own\.md\.j2, line 2: "),
        ("{% block two %}{% endblock %}", r"own\.md\.j2 has no block 'one'; it has two\."),
    ],
)
def test_a_broken_template_is_a_sentence_with_file_and_line(folder, text, said):
    write(folder, text)
    with pytest.raises(TemplateFault, match=said) as fault:
        tell("own", "one", folder=folder)
    assert "\n" not in str(fault.value)


def test_missing_words_are_a_sentence(folder):
    with pytest.raises(TemplateFault, match=r"gone\.md\.j2 is missing"):
        tell("gone", folder=folder)
    with pytest.raises(TemplateFault, match="no words in 'xx'; there are en"):
        tell("own", "one", language="xx", folder=folder)


def test_broken_names_are_a_sentence(folder):
    (folder / "en" / "names.toml").write_text("[people", "utf-8")
    write(folder, "{% block one %}x{% endblock %}")
    with pytest.raises(TemplateFault, match=r"names\.toml is not TOML"):
        tell("own", "one", folder=folder)


def test_numbers_lists_plurals_and_groups():
    told = filters("en")
    assert (told["number"](-1234.6), told["number"](2.25, 1, True), told["number"](-0.2)) == ("−1,235", "+2.2", "0")
    assert (told["thousand"](0.5771), told["hundred"](0.298)) == ("577", "30")
    assert (told["plural"](1, "patient", "patients"), told["plural"](1500, "patient", "patients")) == (
        "1 patient",
        "1,500 patients",
    )
    assert (told["all"](["a", "b", "c"]), told["any"](["a", "b"])) == ("a, b and c", "a or b")
    assert told["who"]("PA", DEFAULTS["view"]) == "people imaged in PA" and told["by"](DEFAULTS["age_group"]) == "age"


def test_no_template_is_forgotten_by_the_tests_of_its_language():
    for path in (HERE / "en").rglob("*.j2"):
        assert re.search(r"\{% block \w+ %\}", path.read_text("utf-8")), path.name
