"""Every registered question answers every world, however awkward, with the table that it promises."""

import importlib

import numpy as np
import polars as pl
import pytest

from lib.audit.columns import STANDARD
from lib.audit.questions import QUESTIONS, SCHEMAS, answer
from lib.names import ERRORS, IMAGE, MAX_MIN, PATIENT, VERDICTS
from lib.tables import TABLES
from tests.worlds import attribute, context, processed

pytestmark = pytest.mark.usefixtures("audited_quickly")

ONE = {"ward": attribute("ward")}
EIGHT = {name: attribute(name, 2 + k % 2, of_patient=k % 3 > 0) for k, name in enumerate("abcdefgh")}


def perfect(labels):
    return np.where(labels == 1, 0.9, 0.1)[None].repeat(2, axis=0)


WORLDS = {
    "of the course": lambda: processed(),
    "one attribute, another": lambda: processed(attributes=ONE),
    "eight attributes": lambda: context(patients=120, attributes=EIGHT),
    "one network": lambda: processed(networks=1),
    "too few patients": lambda: context(patients=12),
    "nothing but predictions": lambda: context(findings=False),
    "an empty group": lambda: context(without=("age_group", "<40")),
    "a group without sick": lambda: context(healthy=("view", "PA")),
    "perfect scores": lambda: context(scored=perfect),
    "constant scores": lambda: context(scored=lambda labels: np.full((2, len(labels)), 0.7)),
    "two weightings": lambda: context(weightings=("uniform", "kamiran_calders_view")),
}


@pytest.fixture(scope="module", params=WORLDS)
def tables(request):
    return answer(WORLDS[request.param]())


def test_tables_are_of_their_schema(tables):
    assert tables.keys() == QUESTIONS.keys()
    for name, table in tables.items():
        assert dict(table.schema) == SCHEMAS[name] and table.columns == list(SCHEMAS[name]), name


def test_no_number_is_nan_or_endless(tables):
    for name, table in tables.items():
        for column in table.select(pl.selectors.float()).columns:
            if column != "patients_needed":
                known = table[column].drop_nulls()
                assert known.is_finite().all(), (name, column)


def test_the_whole_of_a_gap_is_the_gap(tables):
    keys, numbers = ["attribute", "metric", "contrast"], ["estimate", "low", "high", "p"]
    whole = tables["gap_parts"].filter(part="whole").select(*keys, *numbers)
    gaps = tables["gaps"].filter(unit=PATIENT, weighting="uniform", postprocessing="fixed_0.5")
    assert whole.equals(whole.select(keys).join(gaps, on=keys, how="left", maintain_order="left").select(whole.columns))


def test_verdicts_are_the_five_words_and_follow_the_intervals(tables):
    for name, table in tables.items():
        if not STANDARD.keys() <= set(table.columns) or "ideal" in table.columns:
            continue
        assert set(table["verdict"].drop_nulls()) <= set(VERDICTS), name
        shown = table.filter(verdict="shown")
        assert ((shown["low_simultaneous"] > 0) | (shown["high_simultaneous"] < 0)).all(), name
        suggested = table.filter(verdict="suggested")
        assert ((suggested["low"] > 0) | (suggested["high"] < 0)).all(), name
        assert (suggested["p_adjusted"] > 0.05).all(), name
        untold = table.filter(pl.col("verdict").is_in(["at most", "not told"]))
        assert ((untold["low"] <= 1e-9) & (untold["high"] >= -1e-9)).all(), name  # but for rounding
        known = table.drop_nulls(["low", "low_simultaneous"])
        assert (known["low_simultaneous"] <= known["low"] + 1e-9).all(), name
        assert (known["high_simultaneous"] >= known["high"] - 1e-9).all(), name


def test_the_largest_difference_is_described_and_never_tested(tables):
    for name in ("gaps", "effects"):
        widest = tables[name].filter(contrast=MAX_MIN)
        assert widest.select("low", "high", "p", "verdict").null_count().row(0) == (widest.height,) * 4, name


def test_by_image_stands_beside_by_patient(tables):
    for name in ("metrics", "gaps", "effects"):
        sides = [tables[name].filter(unit=unit).height for unit in (PATIENT, IMAGE)]
        assert sides[0] == sides[1]


def test_families_are_counted(tables):
    told = {(row["family"], row["unit"]): row for row in tables["families"].to_dicts()}
    for name in ("gaps", "effects"):
        tested = tables[name].filter(pl.col("family").is_not_null(), pl.col("p_adjusted").is_not_null())
        for (family, unit), rows in tested.group_by("family", "unit"):
            assert told[family, unit]["hypotheses"] == rows.height, family
    primary = {family for (family, _), row in told.items() if row["primary"]}
    assert primary <= {"baseline gaps", "weightings", "post-processings", "combinations"}


def test_baseline_gaps_family_is_tpr_and_fpr(tables):
    rows = tables["gaps"].filter(family="baseline gaps")
    assert set(rows["metric"]) == set(ERRORS)


def test_every_module_is_a_question_with_a_docstring():
    for name, own in QUESTIONS.items():
        assert own.asks.strip().endswith("."), name
        assert name in TABLES and set(own.reads) <= QUESTIONS.keys()
        assert importlib.import_module(own.compute.__module__).name == name
