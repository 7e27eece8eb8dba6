"""What is said of the images' and labels' origin is true of the cohort at hand: public, drawn, or of another source."""

import re

import pytest
from boards import published
from conftest import ROOT

from lib.names import DRAWN
from lib.report import say
from lib.report.words.language import languages
from lib.results import Results

TOLD = ("source", "labels", "label_doubt", "limits", "unsaid", "next_steps")
NIH, ELSEWHERE = "NIH ChestX-ray14", "a hospital nearby"
KEYS = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "chapters/references.bib").read_text("utf-8"), re.MULTILINE))
DRAWN_WORDS = {"en": "drawn", "fr": "dessin"}


def told(source: str, code: str) -> list[str]:
    manifest = published().manifest
    study = Results(manifest | {"cohort": manifest["cohort"] | {"source": source}}, {}, code)
    return [str(say(study, "provenance", block)) for block in TOLD]


@pytest.mark.parametrize("source", [NIH, DRAWN, ELSEWHERE])
@pytest.mark.parametrize("code", languages())
def test_every_sentence_is_whole_and_cites_what_exists(source, code):
    for text in told(source, code):
        assert text.endswith(".") and (text[0].isupper() or text[0] == "*")
        assert set(re.findall(r"@(\w+)", text)) <= KEYS and not re.search(r"  | [,.]|\.\.|\{|\}", text)


@pytest.mark.parametrize("code", languages())
def test_only_of_the_public_images_is_it_said_that_a_program_read_their_labels(code):
    cited = {source: set(re.findall(r"@(\w+)", " ".join(told(source, code)))) for source in (NIH, DRAWN, ELSEWHERE)}
    assert cited[NIH] == {"wang2017", "oakden2020", "yang2024"}
    assert cited[DRAWN] == {"wang2017"} and cited[ELSEWHERE] == {"yang2024"}


@pytest.mark.parametrize("code", languages())
def test_only_drawn_images_are_said_to_be_drawn(code):
    assert [DRAWN_WORDS[code] in " ".join(told(source, code)) for source in (NIH, DRAWN, ELSEWHERE)] == [
        False,
        True,
        False,
    ]


def test_no_chapter_says_it_for_all_cohorts():
    for path in [*ROOT.glob("index*.qmd"), *(ROOT / "chapters").rglob("*.qmd")]:
        assert not re.search(r"wang2017|oakden2020|from one hospital|from reports", path.read_text("utf-8")), path
