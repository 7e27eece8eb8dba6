"""Sentences on choosing: good English on any cohort, nothing claimed where nothing is known, old bundles said to be old."""

import re
from dataclasses import replace

import pytest
from bundles import bundle
from test_prose import COHORTS

from lib.names import LEVELLED_DOWN, NOT_NARROWED, RECOMMENDED
from lib.report import figures, prose, tables
from lib.report.prose.preferences import UNKNOWN
from lib.report.words import per_thousand, some

SENTENCES = ("front", "relaxation", "wrong_groups", "closures", "recommendation", "signal", "optimism")
NEW = ("optimism", "pareto", "levelling", "relaxation", "group_misclassification", "recommendation")


@pytest.fixture(params=COHORTS)
def study(request):
    return bundle(COHORTS[request.param])


def old(study):
    """The same bundle as it would be had it been made before these tables were part of one."""
    tables_of = {name: frame.clear() if name in NEW else frame for name, frame in study.tables.items()}
    settings = {k: v for k, v in study.manifest["settings"].items() if k != "preferences"}
    return replace(study, tables=tables_of, manifest=study.manifest | {"settings": settings})


def check(text):
    assert text.strip() and text.rstrip()[-1] == "."
    assert not re.search(
        r"\bNone\b(?! of)|\bnan\b|\{|\}|  | ,|\.\.|\b1 (methods|patients|rules)\b|\+0\.0|−0\.0|of no ", text
    ), text


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_holds_for_any_cohort(study, name):
    check(getattr(prose, name)(study))


def test_what_a_method_does_is_told_in_patients(study):
    check(prose.in_patients(study, prose.most_effective(study)))


@pytest.mark.parametrize("name", SENTENCES)
def test_a_bundle_made_before_says_so_instead_of_claiming(name):
    check(getattr(prose, name)(old(bundle(COHORTS["biased"]))))


def test_figures_and_tables_of_a_bundle_made_before_are_made():
    before = old(bundle(COHORTS["biased"]))
    for name in ("front", "relaxation", "wrong_groups", "postprocessing_changes", "optimism"):
        assert getattr(figures, name)(before).description
    assert "Nothing to list." in tables.recommendation(before).as_raw_html()
    assert prose.relaxation(before) == UNKNOWN


def test_nothing_is_claimed_where_nothing_depends_on_a_group():
    null = bundle(COHORTS["null"])
    assert "No method narrows a gap by view beyond noise" in prose.closures(null)
    assert "leave the baseline untouched" in prose.recommendation(null)
    assert "No rule" in prose.wrong_groups(null) or "95 % interval" in prose.wrong_groups(null)


def test_a_planted_gap_leads_to_a_recommendation_with_its_intervals():
    study = bundle(COHORTS["biased"])
    text = prose.recommendation(study)
    best = study.recommendation.filter(role=RECOMMENDED).row(0, named=True)
    assert best["support"] and text.count("95 % interval") == 2
    assert "which must know" in text and "may not ask for demographics" in text


def test_levelling_down_is_called_so():
    study = bundle(COHORTS["biased"])
    rows = study.levelling.filter(attribute="view")
    down = rows.filter(how=LEVELLED_DOWN).height
    assert ("Levelling down:" in prose.closures(study)) == bool(down)
    assert str(rows.filter(rows["how"] != NOT_NARROWED).height) in prose.closures(study) or rows.height


def test_people_of_a_thousand_and_long_lists():
    assert (per_thousand(0.0432), per_thousand(-1.2), per_thousand(0.0001), per_thousand(None)) == (
        "+43",
        "−1,200",
        "0",
        "not estimable",
    )
    assert some(list("abcde")) == "a, b, c, d and e" and some(list("abcdefg")) == "a, b, c, d and three others"
