"""The decision page: true in every world, the same wherever it is told, in words that anybody reads."""

import re
from dataclasses import replace

import pytest
from boards import WORLDS, board, pictured

from lib.audit.decisions import recommendation
from lib.names import SHOWN, SUGGESTED
from lib.report import exhibit, figures, prose, tables
from lib.report.facts import decide
from lib.report.facts.decision import WHY_NOT
from lib.report.facts.pictures import errors, of_figure
from lib.report.words.templates import tell

HOSPITAL = {"patients_per_year": 10_000, "prevalence": 0.3}
PICTURES = ("people", "radiographs", "saliency", "scores", "roc", "misses")


@pytest.fixture(params=WORLDS)
def world(request):
    return board(request.param)


def page(study) -> str:
    return str(prose.decision(study))


def test_the_page_is_good_english_in_every_world(world):
    for text in (page(world), str(tell("decision", "yearly", d=decide(world, HOSPITAL)))):
        assert not re.search(
            r"\bNone\b(?! of|\.\*\*)|\bnan\b|\{|\}|  | ,|\.\.|\(\)|\b1 (patients|times)\b| [.;]", text
        ), text


def reading_ease(text: str) -> float:
    """Flesch reading ease (1948, doi 10.1037/h0057532); syllables are counted as groups of vowels, a silent e off."""
    text = re.sub(r"\([^)]*\)|\*\*", "", text)
    words = re.findall(r"[A-Za-z']+", text)
    sentences = len(re.findall(r"[.?!:;](?:\s|$)", text))
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in words)
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)


def test_reading_ease_knows_easy_from_hard():
    assert reading_ease("The cat sat on the mat. It was fat.") > 90
    assert reading_ease("Heteroscedasticity characteristically invalidates homoscedastic parametrisations.") < 0


def test_anybody_can_read_the_page(world):
    assert reading_ease(page(world)) >= 50, page(world)


def test_no_sentence_claims_what_its_verdict_does_not(world):
    d, text = decide(world), page(world)
    assert (d.fair == "no") == any(f.gap.verdict == SHOWN for f in d.findings) == text.startswith("**No, not by")
    assert text.count("We are sure that there is a gap") == sum(f.sure for f in d.lead)
    assert text.count("of that we are sure") == sum(o.support == SHOWN for o in d.rivals)
    assert all(f.gap.verdict in (SHOWN, SUGGESTED) for f in d.findings)
    gains = [m for o in d.rivals for m in o.moves]
    assert all(m.change.verdict in (SHOWN, SUGGESTED) for m in gains)
    hedges = sum(not m.change.shown for m in gains) + sum(not f.sure for f in d.lead)
    assert text.count("(this may be chance)") == hedges


def test_numbers_told_twice_agree(world):
    d = decide(world)
    for f in d.findings:
        assert f.often - f.seldom == pytest.approx(f.gap.value, abs=1e-9) and f.gap.value > 0
        if f.attribute == d.attribute and d.options:
            told = {own.group: own for own in errors(d)}
            assert getattr(told[f.worse], f.error) == pytest.approx(f.often, abs=1e-12)
            assert getattr(told[f.better], f.error) == pytest.approx(f.seldom, abs=1e-12)
    for o in d.rivals:
        for s, before in zip(o.shares, d.options[0].shares, strict=True):
            if s.more_found is not None and s.missed is not None:
                assert before.missed - s.missed == pytest.approx(s.more_found.value, abs=1e-9)
            if s.more_alarmed is not None and s.alarmed is not None:
                assert s.alarmed - before.alarmed == pytest.approx(s.more_alarmed.value, abs=1e-9)


def test_page_table_and_picture_tell_the_same_people():
    study = board("biased")
    d, shown = decide(study), figures.people(study).description
    cells = exhibit.to_html(tables.options(study), "tbl-a")
    for own in errors(d):
        for share in (own.missed, own.alarmed):
            assert f"{1000 * share:,.0f} " in shown and f"{own.group} {1000 * share:,.0f}" in cells
    for f in d.lead:
        assert f"{1000 * f.often:,.0f}" in page(study) and f"{1000 * f.often:,.0f} " in shown
    assert sum(o.recommended for o in d.options) == 1 and cells.count("(our choice)") == 1


def test_what_was_planted_is_told():
    biased = decide(board("biased"))
    assert biased.fair == "no" and biased.main.attribute.name == "sex"
    assert {f.error: f.worse for f in biased.lead} == {"missed": "M", "alarmed": "F"}
    assert biased.main.why == "operating point" and biased.choice is not None and not biased.choice.nothing
    assert decide(board("null")).fair != "no" and decide(board("null")).choice.nothing


def test_strong_useless_and_inverted_classifiers_are_called_so():
    levels = {name: decide(board(name)) for name in ("strong", "useless", "inverted")}
    assert [d.ability.level for d in levels.values()] == ["strong", "chance", "inverted"]
    assert [d.deploy for d in levels.values()] == ["trial", "no", "no"]
    assert "tossing a coin" in page(board("useless")) and "ranks the sick below the healthy" in page(board("inverted"))


def test_one_network_says_so():
    assert "It was trained once" in page(board("one network"))
    trained = [o for o in decide(board("one network")).rivals if o.weighting]
    assert trained and all(o.support is None for o in trained), "nothing is said of what was trained once"
    assert "a new training may turn that round" in page(board("one network"))


def test_levelling_down_is_called_by_its_name():
    study = board("levelling down")
    own = [o for o in decide(study).rivals if o.weighting]
    assert own and all(o.levels_down for o in own)
    assert "taking from some what nobody is seen to get" in page(study)


def test_other_attributes_are_called_by_their_names():
    text = page(board("other attributes"))
    assert "by ward" in text and not re.search(r"\b(sex|age|view|AP|PA|women|men)\b", text)
    assert not re.search(r"\b(age|view|AP|PA)\b", page(board("one attribute")))


def test_too_few_patients_and_no_methods_are_told_of():
    assert decide(board("few")).fair == "unknown" and "too small to compare" in page(board("few"))
    assert "No correction was tried" in page(board("no methods"))


def test_a_year_is_told_where_the_volumes_are_known():
    study = board("biased")
    assert not tell("decision", "yearly", d=decide(study, {}))
    d = decide(study, HOSPITAL)
    text = tell("decision", "yearly", d=d)
    assert "10,000 such patients a year, 30 in 100 of them sick" in text
    half = decide(study, HOSPITAL | {"patients_per_year": 5_000})
    for one, two in zip(d.yearly[0].shares, half.yearly[0].shares, strict=True):
        assert one.yearly.found.value == pytest.approx(2 * two.yearly.found.value)
        assert abs(one.yearly.found.value) <= 10_000


def test_every_reason_against_a_method_is_known():
    said = {getattr(recommendation, name) for name in ("NO_GAP", "NONE_NARROWS", "ALL_HARM", "ALL_DEAR")}
    assert said == set(WHY_NOT)


@pytest.mark.parametrize("name", ["biased", "one attribute", "other attributes"])
def test_pictures_are_drawn_told_and_read(name):
    study = pictured(name)
    for picture in PICTURES:
        chart = getattr(figures, picture)(study)
        assert of_figure(picture, study) is not None and "<svg" in exhibit.to_svg(chart)
        for text in (chart.description, prose.read(study, picture), prose.caption(study, picture)):
            assert len(text) > 20 and not re.search(r"\bNone\b|\bnan\b|\{|\}|  ", text), text


def test_a_bundle_without_pictures_says_why_there_is_none():
    study = board("biased")
    without = replace(study, tables={k: v for k, v in study.tables.items() if k != "misses_by_finding"})
    for picture in PICTURES[1:]:
        assert getattr(figures, picture)(without).description.startswith("No figure:")
        assert prose.read(without, picture).startswith("No picture:")


def test_roc_curves_pass_through_what_the_histograms_say():
    for own in of_figure("roc", pictured("biased"))["groups"]:
        cuts, fpr, tpr = zip(*own.curve(), strict=True)
        assert (fpr[0], tpr[0]) == pytest.approx((1, 1)) and (fpr[-1], tpr[-1]) == pytest.approx((0, 0))
        assert list(fpr) == sorted(fpr, reverse=True) and list(tpr) == sorted(tpr, reverse=True)
