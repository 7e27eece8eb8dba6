"""Sentences stand in templates that a student edits; what is wrong in one is a sentence with file and line."""

import re
import shutil

import pytest

from lib.names import DEFAULTS
from lib.report.words.language import HERE, Language, TemplateFault, language
from lib.report.words.templates import tell


@pytest.fixture
def folder(tmp_path):
    """A copy of the words, to be edited."""
    shutil.copytree(HERE / "en", tmp_path / "en")
    return tmp_path


def words(folder) -> Language:
    return Language("en", folder, overrides=folder / "overrides")


def write(folder, text: str) -> None:
    (folder / "en" / "own.md.j2").write_text(text, "utf-8")


def test_a_block_is_a_line_and_a_page_has_paragraphs(folder):
    write(
        folder,
        "{% block one %}\nFirst,\n  {{ n | number }}.\n{% endblock %}\n{% block two %}Second.\n\n- a\n- b\n{% endblock %}\n",
    )
    assert tell(words(folder), "own", "one", n=1234) == "First, 1,234."
    assert tell(words(folder), "own", n=1234) == "First, 1,234.\n\nSecond.\n\n- a\n- b"


def test_an_edited_sentence_is_told(folder):
    path = folder / "en" / "tables" / "recommendation.md.j2"
    path.write_text(path.read_text("utf-8").replace("must know", "has to be told"), "utf-8")
    assert tell(words(folder), "tables/recommendation", "needs_head") == "has to be told"


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
        tell(words(folder), "own", "one")
    assert "\n" not in str(fault.value)


def test_missing_words_are_a_sentence(folder):
    with pytest.raises(TemplateFault, match=r"gone\.md\.j2 is missing"):
        tell(words(folder), "gone")
    with pytest.raises(TemplateFault, match="no words in 'xx'; there are en"):
        Language("xx", folder)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("[people", " is not TOML"),
        ("[language]\nlocale = 'de_FR'", r", \[language\]: locale is missing or wrong: unknown locale 'de_FR'\."),
        ("[language]", r", \[language\]: locale is missing or wrong: 'locale'\."),
    ],
)
def test_broken_names_are_a_sentence(folder, names, said):
    (folder / "en" / "names.toml").write_text(names, "utf-8")
    write(folder, "{% block one %}x{% endblock %}")
    with pytest.raises(TemplateFault, match=rf"names\.toml{said}"):
        tell(words(folder), "own", "one")


def test_a_project_overrides_single_blocks_and_names(folder):
    write(folder, "{% block one %}ours{% endblock %}{% block two %}ours{% endblock %}")
    own = folder / "overrides" / "en"
    own.mkdir(parents=True)
    (own / "own.md.j2").write_text("{% block two %}{{ 'view' | by }}{% endblock %}", "utf-8")
    (own / "names.toml").write_text("[by]\nview = 'projection'", "utf-8")
    assert tell(words(folder), "own") == "ours\n\nprojection"
    assert words(folder).by("sex") == "sex"


def test_numbers_lists_plurals_and_groups():
    en = language("en")
    assert (en.number(-1234.6), en.number(2.25, 1, True), en.number(-0.2), en.number(None)) == (
        "−1,235",
        "+2.2",
        "0",
        "not estimable",
    )
    assert (en.thousand(0.5771), en.hundred(0.298), en.percent(0.668)) == ("577", "30", "66.8\u00a0%")
    assert (en.plural(1, "patient", "patients"), en.plural(1500, "patient", "patients")) == (
        "1 patient",
        "1,500 patients",
    )
    assert (en.all(["a", "b", "c"]), en.any(["a", "b"]), en.some(list("abcdef"))) == (
        "a, b and c",
        "a or b",
        "a, b, c, d and two others",
    )
    assert en.who("PA", DEFAULTS["view"]) == "people imaged in PA" and en.by(DEFAULTS["age_group"]) == "age"
    assert en.weighting("group_label_balanced_sex+view") == "balanced groups and classes by sex × view"


def test_french_writes_numbers_articles_and_spaces_as_french_does():
    fr = language("fr")
    assert (fr.number(1234.5, 1), fr.number(-0.5, 2)) == ("1\u202f234,5", "−0,50")
    assert [fr.de(text) for text in ("le sexe", "les poids", "l'âge", "AP", "PA", "hommes", "hanches")] == [
        "du sexe",
        "des poids",
        "de l'âge",
        "d'AP",
        "de PA",
        "d'hommes",
        "de hanches",
    ]
    assert fr.to("le sexe") == "au sexe" and fr.to("l'incidence") == "à l'incidence"
    assert [fr.plural(n, "réseau", "réseaux") for n in (0, 1, 2)] == ["0 réseau", "1 réseau", "2 réseaux"]
    assert fr.with_unit(0.0196, 1) == "+2,0\u00a0points" and fr.with_unit(0.0194, 1) == "+1,9\u00a0point"
    assert fr.by("sex") == "le sexe" and fr.by("age_group") == "l’âge" == fr.finished("l'âge")
    assert fr.finished("Vraiment ? « Oui » : 5 %") == "Vraiment\u202f? «\u202fOui\u202f»\u00a0: 5\u202f%"
    assert fr.percent(0.05, 0) == "5\u00a0%"


def test_no_template_is_forgotten_by_the_tests_of_its_language():
    for path in (HERE / "en").rglob("*.j2"):
        assert re.search(r"\{% (?:block|macro) \w+", path.read_text("utf-8")), path.name
