"""The editions of the report hold together: the same templates, blocks, names, exhibits, sections and computed sentences."""

import re
import tomllib
from pathlib import Path

import pytest

from lib.names import BASELINE, METRICS, POSTPROCESSINGS, WEIGHTINGS, by_groups
from lib.report.words.language import HERE, language, languages
from lib.settings import ROOT

OTHERS = [code for code in languages() if code != "en"]
OWN_NAMES = {"findings", "language", "quarto", "settings", "values", "checks", "actions"}
"""Tables of which a language may leave out what goes by its own name."""
BLOCK = re.compile(r"\{%-? block (\w+)")
CALL = re.compile(r"\b(?:show|read|say|heading|slide|chart)\(study, ([^)]*)\)")
LABEL, REFERENCE = re.compile(r"\{#((?:sec|fig|tbl)-[\w-]+)"), re.compile(r"@((?:sec|fig|tbl)-[\w-]+)")


def templates(code: str) -> dict[str, Path]:
    return {path.relative_to(HERE / code).as_posix(): path for path in (HERE / code).rglob("*.j2")}


@pytest.mark.parametrize("code", OTHERS)
def test_every_template_has_its_twin(code):
    assert templates(code).keys() == templates("en").keys()


@pytest.mark.parametrize("name", sorted(templates("en")))
@pytest.mark.parametrize("code", OTHERS)
def test_twins_have_the_same_blocks(code, name):
    blocks = [BLOCK.findall(templates(own)[name].read_text("utf-8")) for own in ("en", code)]
    assert blocks[0] == blocks[1]


@pytest.mark.parametrize("code", OTHERS)
def test_names_have_the_same_tables(code):
    """A thing may be called by its own name in one language; a thing that the report counts on may not."""
    own, english = (tomllib.loads((HERE / c / "names.toml").read_text("utf-8")) for c in (code, "en"))
    assert own.keys() == english.keys()
    for table in english.keys() - OWN_NAMES:
        assert own[table].keys() == english[table].keys(), table


@pytest.mark.parametrize("code", languages())
def test_every_metric_and_method_has_a_name_and_says_what_it_does(code):
    words, told = language(code), tomllib.loads((HERE / code / "names.toml").read_text("utf-8"))
    families = {grouped[0] if (grouped := by_groups(name)) else name for name in WEIGHTINGS}
    assert METRICS.keys() <= told["metrics"].keys() and set(POSTPROCESSINGS) <= told["postprocessings"].keys()
    assert families <= told["weightings"].keys() | told["weighting_families"].keys()
    assert not [name for name in families | set(POSTPROCESSINGS) if name not in BASELINE and not words.does(name)]
    assert told["formulas"].keys() <= families


@pytest.mark.parametrize("code", languages())
def test_a_check_of_any_attribute_is_told_in_the_language(code):
    words = language(code)
    told = words.named("images whose centre is unknown", "checks"), words.named("kept, in no centre group", "actions")
    assert ("centre" in told[0]) and (code == "en") == (told[0] == "images whose centre is unknown")
    assert (code == "en") == (told[1] == "kept, in no centre group")


def chapters(code: str) -> dict[str, Path]:
    home = ROOT / "chapters"
    if code == "en":
        found = [ROOT / "index.qmd", *home.glob("*.qmd"), *(home / "slides").glob("*.qmd")]
    else:
        found = [ROOT / f"index.{code}.qmd", *(home / code).rglob("*.qmd")]
    return {path.name.replace(f".{code}.", "."): path for path in found if path.is_file()}


@pytest.mark.parametrize("name", sorted(chapters("en")))
@pytest.mark.parametrize("code", OTHERS)
def test_twin_chapters_show_and_say_the_same_in_the_same_order(code, name):
    assert name in chapters(code), f"{chapters('en')[name]} has no twin in {code!r}"
    texts = [chapters(own)[name].read_text("utf-8") for own in ("en", code)]
    where = f"{chapters('en')[name]} and {chapters(code)[name]} differ"
    for pattern in (CALL, LABEL, REFERENCE):
        assert pattern.findall(texts[0]) == pattern.findall(texts[1]), where
