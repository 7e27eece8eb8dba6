"""The text is computed, for any cohort: it claims only what a verdict says, in good English."""

import re
from dataclasses import replace

import pytest
from bundles import Knobs, bundle

from lib.names import DEFAULTS, NOT_ESTIMABLE
from lib.render.thaw import CELL, chapters
from lib.report import prose
from lib.report.words import counted, duration, listed, percent, points, spelled
from lib.settings import ROOT

COHORTS = {
    "biased": Knobs(),
    "null": Knobs(effect=0),
    "rare groups": Knobs(rare=True),
    "one seed": Knobs(seeds=1),
    "one weighting": Knobs(weightings=("uniform",), seeds=2),
    "few patients": Knobs(patients=60),
    "one rule": Knobs(postprocessings=("fixed_0.5",)),
    "one attribute": Knobs(attributes=(DEFAULTS["sex"],), weightings=("uniform", "inverse_class_frequency")),
}
INLINE = re.compile(r"`\{python\} ([^`]+)`")
CLAIMS = (
    "error rates beyond noise (",
    "has a higher",
    "has a lower",
    "Beyond noise,",
    "accuracy rises",
    "accuracy falls",
    "**No, not by",
    "We are sure that there is a gap",
    "of that we are sure",
)


@pytest.fixture(params=COHORTS)
def study(request):
    return bundle(COHORTS[request.param])


@pytest.fixture(params=[str(c) for c in chapters(ROOT)])
def chapter(request):
    return (ROOT / request.param).read_text("utf-8")


def sentences(study, text: str) -> list[str]:
    """Every computed sentence of a chapter; its cells run too."""
    names = {"load": lambda: study}
    for cell in CELL.findall(text):
        exec(cell.replace("from lib.results import load\n", ""), names)
    return [str(eval(expression, names)) for expression in INLINE.findall(text)]


def test_every_cell_and_sentence_of_every_chapter_holds_for_any_cohort(study, chapter):
    for text in sentences(study, chapter):
        assert text.strip(), "Quarto shows the code of an empty sentence"
        assert not re.search(
            r"\bNone\b(?! of| narrow|\.\*\*)|\bnan\b|</?[a-z]|\{|\}|  | ,|\.\.|\b1 (images|patients|networks|combinations)\b",
            text,
        ), text


def test_text_claims_nothing_on_a_cohort_where_nothing_depends_on_a_group(chapter):
    for text in sentences(bundle(COHORTS["null"]), chapter):
        assert not [claim for claim in CLAIMS if claim in text], text


def test_what_is_said_on_a_slide_fits_its_time(study):
    """At most 2.3 words a second, computed sentences and all."""
    deck = (ROOT / "chapters" / "slides" / "defense.qmd").read_text("utf-8")
    names = {"study": study, "prose": prose}
    for slide in re.split(r"^## ", deck, flags=re.MULTILINE)[1:]:
        clock = re.search(r"clock\((\d+)\)", slide)
        notes = re.search(r"::: \{\.notes\}\n(.*?)\n:::", slide, re.DOTALL)
        if clock and notes:
            spoken = INLINE.sub(lambda found: str(eval(found[1], names)), notes[1])
            assert len(spoken.split()) <= 2.3 * int(clock[1]), (len(spoken.split()), clock[1], spoken)


FURTHER = ("amplification", "calibration", "intersections", "parity", "probes")


@pytest.mark.parametrize("name", FURTHER)
def test_further_questions_are_answered_in_good_english_for_any_cohort(study, name):
    for own in (study, replace(study, tables=study.tables | {table: study.tables[table].clear() for table in FURTHER})):
        text = getattr(prose, name)(own)
        assert text.endswith(".") and text[0].isupper()
        assert not re.search(
            r"\bNone\b|\bnan\b|</?[a-z]|\{|\}|  | ,|\.\.|\b1 (images|patients|groups)\b| a [FAE]PR", text
        ), text


def test_further_questions_claim_nothing_where_nothing_depends_on_a_group():
    null = bundle(COHORTS["null"])
    assert "cannot be shown to follow the group" in prose.amplification(null)
    assert "A linear probe of the last features cannot be shown to read sex, age group or view." in prose.probes(null)
    assert re.search("none of .* error rates can be told from everyone's", prose.intersections(null))


def test_further_questions_tell_what_was_planted():
    biased = bundle(COHORTS["biased"])
    assert re.match(
        r"By view \(\+\d+\.\d points, 95 % interval .*\), decisions follow the group more", prose.amplification(biased)
    )
    assert re.search(r"reads view \(AUC 0\.9", prose.probes(biased)) and "need not be used" in prose.probes(biased)
    assert re.search(
        r"the [TF]PR of [FM], AP is \d+\.\d %, \d+\.\d points above everyone's", prose.intersections(biased)
    )


def test_a_planted_gap_is_told_with_its_interval():
    text = prose.gaps(bundle(COHORTS["biased"]))
    assert re.search(r"AP has a higher FPR than PA \(\+\d+\.\d points, 95 % interval \+\d+\.\d to \+\d+\.\d\)", text)


def test_without_retraining_the_intervals_do_not_claim_to_cover_it():
    assert "but not retraining" in prose.uncertainty(bundle(COHORTS["one seed"]))


def test_an_unknown_exhibit_has_no_caption(study):
    with pytest.raises(KeyError):
        prose.caption(study, "unheard_of")


def test_words():
    assert (percent(0.6684), points(-0.031), points(0.0), points(None)) == ("66.8 %", "−3.1", "0.0", NOT_ESTIMABLE)
    assert (counted(1, "image"), counted(4956, "image"), spelled(0, "method")) == (
        "1 image",
        "4,956 images",
        "no methods",
    )
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("none", "a", "a, b and c")
    assert (duration(45), duration(720), duration(12240)) == ("45 s", "12 min", "3.4 h")
