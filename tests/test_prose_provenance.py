"""What is said of the images' and labels' origin is true of the cohort at hand: public, drawn, or of another source."""

import re
from dataclasses import replace

import pytest
from bundles import Knobs, bundle
from conftest import ROOT

from lib.names import DRAWN
from lib.report import prose
from lib.results import load

TOLD = ("source", "labels", "warning", "label_doubt", "provenance_limits", "unsaid", "next_steps")
KEYS = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "chapters/references.bib").read_text("utf-8"), re.MULTILINE))
OF_THE_NIH = re.compile(r"part of ChestX-ray14|one hospital|by a program and|oakden2020|radiologists' reports|fourteen")


def told(study) -> str:
    return " ".join(getattr(prose, name)(study) for name in TOLD)


def of(source: str):
    study = bundle(Knobs())
    return replace(study, manifest=study.manifest | {"cohort": study.manifest["cohort"] | {"source": source}})


@pytest.mark.parametrize("source", ["NIH ChestX-ray14", DRAWN, "predictions in a.csv"])
@pytest.mark.parametrize("name", TOLD)
def test_every_sentence_is_good_english_and_cites_what_exists(source, name):
    text = getattr(prose, name)(of(source))
    assert text.endswith(".") and (text[0].isupper() or text[0] == "*")
    assert set(re.findall(r"@(\w+)", text)) <= KEYS
    assert not re.search(r"  | ,|\.\.|\{|\}", text)


def test_the_published_study_is_of_one_hospital_and_its_labels_were_read_by_a_program():
    text = told(load("nih"))
    assert {"wang2017", "oakden2020", "yang2024"} <= set(re.findall(r"@(\w+)", text))
    assert len(set(OF_THE_NIH.findall(text))) == 6 and "drawn" not in text


def test_the_demo_study_is_drawn_and_tells_nothing_of_a_hospital():
    study = load("demo")
    assert study.manifest["cohort"]["source"] == DRAWN
    assert not OF_THE_NIH.search(told(study))
    for name in ("source", "warning", "provenance_limits", "unsaid"):
        assert "drawn" in getattr(prose, name)(study)


def test_of_any_other_source_nothing_is_claimed():
    text = told(of("a hospital nearby"))
    assert not OF_THE_NIH.search(text) and "drawn" not in text and "wang2017" not in text


def test_no_chapter_says_it_for_all_cohorts():
    for path in [ROOT / "index.qmd", *(ROOT / "chapters").glob("*.qmd")]:
        assert not re.search(r"wang2017|oakden2020|from one hospital|from reports", path.read_text("utf-8")), path
