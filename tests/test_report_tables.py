"""Tables: they render for every study, stay narrow, and say what is not known."""

import html
import re
from dataclasses import replace

import polars as pl
import pytest
from bundles import Knobs, bundle
from lib.report.tables.preferences import known_words

from lib.names import NOT_ESTIMABLE, weighting_label
from lib.report import exhibit, tables
from lib.report.tables.cells import p_value

STUDIES = {
    "effect": Knobs(),
    "rare groups": Knobs(rare=True),
    "one seed": Knobs(seeds=1),
    "baseline only": Knobs(weightings=("uniform",), postprocessings=("fixed_0.5",)),
}


def text_of(name: str, study: str = "effect", **arguments: str) -> str:
    markdown = exhibit.table("tbl-a", getattr(tables, name)(bundle(STUDIES[study]), **arguments), "c").markdown
    body = markdown.split("</style>")[1]
    return html.unescape(re.sub(r"<[a-z/][^>]*>", "|", body)).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("name", [name for name in tables.__all__ if callable(getattr(tables, name))])
def test_every_table_renders_and_fits_a_page(name, study):
    code = exhibit.to_html(getattr(tables, name)(bundle(STUDIES[study])), "tbl-a")
    rows = re.findall(r"<tr.*?</tr>", code, flags=re.DOTALL)
    assert rows and max(len(re.findall("<t[hd]", row)) for row in rows) <= 7
    assert "None" not in code and "nan" not in code


def test_intersections_come_with_their_sizes_and_small_ones_say_so():
    study = bundle(STUDIES["effect"])
    own = study.intersections.filter(pl.col("metric").is_in(["tpr", "fpr"]), weighting="uniform")
    listed, text = own.filter(pl.col("verdict").is_in(["shown", "suggested"])), text_of("intersections")
    assert listed.height and NOT_ESTIMABLE in text
    for row in listed.iter_rows(named=True):
        assert f"|{row['patients']}|" in text.replace(" ", "").replace("\n", "") and row["group"] in text
    left = own.filter("estimable").height - listed.height
    assert f"Not listed: {left} rates" in text


OPTIONAL = ("parity", "intersections", "probes")


def test_what_was_not_asked_is_told_as_nothing():
    study = bundle(STUDIES["effect"])
    before = replace(study, tables=study.tables | {name: study.tables[name].clear() for name in OPTIONAL})
    for name in OPTIONAL:
        assert "Nothing to list." in exhibit.to_html(getattr(tables, name)(before), "tbl-a"), name


def test_one_seed_has_no_spread():
    assert "one seed" in text_of("performance", "one seed")


def test_weightings_that_coincide_or_rest_on_few_images_are_marked():
    assert "Few images carry most of the weight" in text_of("weightings")
    study = bundle(Knobs(weightings=("uniform", "inverse_class_frequency", "kamiran_calders_sex")))
    code = exhibit.to_html(tables.weightings(study), "tbl-a")
    assert f"here the same in every group as {weighting_label('inverse_class_frequency')}".lower() in code.lower()


def test_candidates_say_what_must_be_known():
    assert known_words({"postprocessing": "equal_tpr", "target": "sex"}) == "sex, of the patient"
    assert known_words({"postprocessing": "minimax_threshold", "target": "sex"}) == "the image only"


def test_small_p_values_are_bounded():
    assert p_value(0.0004) == "< 0.001" and p_value(None) == "none" and p_value(0.0312) == "0.031"
