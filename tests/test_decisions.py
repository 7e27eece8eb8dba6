"""Choosing among methods: who pays and what is recommended follow the verdicts."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from made import quick_audits

from lib.audit.decisions.chosen_anew import left_by_choices, parts_of
from lib.audit.questions import answer
from lib.audit.questions.group_misclassification import WRONG, mistaken
from lib.names import (
    ALTERNATIVE,
    BASELINE,
    DEFAULTS,
    KINDS,
    NARROWED,
    PATIENT,
    RANDOMISED,
    RECOMMENDED,
    SHOWN,
    TOO_DEAR,
    kind_of,
)
from tests.worlds import processed

RULES = ("fixed_0.5", "best_threshold", "equal_tpr", "equal_fpr", "calibrated_odds_fnr")
VIEW_FIRST = {name: DEFAULTS[name] for name in ("view", "sex")}
ASKED = {"attribute": "view", "largest_loss": 0.1, "may_use_demographics": False}


@pytest.fixture(scope="module")
def biased():
    """Scores that are higher in AP by 1.5 logits: thresholds by view must narrow that gap."""
    return replace(processed(700, 3, attributes=VIEW_FIRST, effect=1.5, rules=RULES), preferences=ASKED, tables={})


@pytest.fixture(scope="module")
def tables(biased):
    with quick_audits():
        return answer(biased)


def recommended(table):
    return table.filter(role=RECOMMENDED).row(0, named=True)


def again(given, **preferences):
    asked = replace(given, preferences=ASKED | preferences, tables={})
    with quick_audits():
        return answer(asked, only=["recommendation"])["recommendation"]


def test_thresholds_by_view_narrow_the_planted_gap_and_are_recommended(tables):
    best = recommended(tables["recommendation"])
    assert best["target"] == "view" and best["support"] == SHOWN
    assert best["change"] < 0 and best["loss"] <= ASKED["largest_loss"] and best["needs"] == "view"
    assert tables["recommendation"].filter(role=RECOMMENDED).height == 1


def test_of_what_is_as_good_up_to_the_margin_the_simplest_is_recommended(tables, biased):
    table = tables["recommendation"].filter(pl.col("role").is_in([RECOMMENDED, ALTERNATIVE]), support=SHOWN)
    table = table.filter(~pl.col("postprocessing").is_in(RANDOMISED))
    near = table.filter(pl.col("disparity") <= table["disparity"].min() + biased.margin)
    order = {row[:3]: KINDS.index(kind_of(row[:3])) for row in near.rows()}
    best = tuple(recommended(table)[key] for key in ("weighting", "postprocessing", "target"))
    assert len(order) > 1 and order[best] == min(order.values())
    alike = near.filter(pl.col("loss") < recommended(near)["loss"]).rows()
    assert all(order[row[:3]] > order[best] for row in alike)


def test_the_interval_of_the_chosen_is_that_of_all_candidates(tables):
    known = tables["recommendation"].drop_nulls("change_low")
    for what in ("change", "loss"):
        width = known[f"{what}_high"] - known[f"{what}_low"]
        together = known[f"{what}_high_simultaneous"] - known[f"{what}_low_simultaneous"]
        assert (together >= width).all() and (together > 1.1 * width).any()


def test_recommendation_and_effects_say_the_same(tables):
    effects = tables["effects"].filter(unit=PATIENT, attribute="view", outcome=NARROWED)
    for row in tables["recommendation"].to_dicts():
        method = {key: row[key] for key in ("weighting", "postprocessing", "target")}
        words = set(effects.filter(**method)["outcome_verdict"])
        assert row["support"] == (SHOWN if SHOWN in words else "suggested" if words else None)
        if row["role"] in (RECOMMENDED, ALTERNATIVE, TOO_DEAR) and tuple(method.values()) != BASELINE:
            assert words


def test_preferences_are_kept():
    biased = processed(250, 2, attributes=VIEW_FIRST, effect=1.5, rules=("fixed_0.5", "best_threshold", "equal_tpr"))
    strict = again(biased, largest_loss=0.0)
    assert all(
        row["loss"] <= 0
        for row in strict.to_dicts()
        if row["role"] in (RECOMMENDED, ALTERNATIVE) and row["loss"] is not None
    )
    assert not {"best_threshold", "equal_tpr"} & set(
        again(biased, rejected=["best_threshold", "equal_tpr"])["postprocessing"]
    )
    by_sex = again(biased, attribute="sex")
    assert set(by_sex["target"]) == {"none"}  # thresholds by sex ask for a demographic
    assert "sex" in set(again(biased, attribute="sex", may_use_demographics=True)["target"])


def test_where_nothing_is_shown_nothing_is_recommended_and_it_says_why():
    null = replace(
        processed(300, 2, attributes=VIEW_FIRST, effect=0.0, rules=RULES, seed=3), preferences=ASKED, tables={}
    )
    best = recommended(answer(null, only=["recommendation"])["recommendation"])
    assert tuple(best[key] for key in ("weighting", "postprocessing", "target")) == BASELINE
    assert best["why"] == "no gap by the attribute is shown"


def test_a_board_has_three_options(tables):
    options = {row["option"]: row for row in tables["recommendation"].drop_nulls("option").to_dicts()}
    assert {"nothing", "threshold rule"} <= set(options)
    rule = options["threshold rule"]
    assert kind_of((rule["weighting"], rule["postprocessing"], rule["target"])) == "post-processing"
    assert rule["postprocessing"] not in RANDOMISED


def test_mistaken_groups_are_the_mean_over_all_lots():
    draw = np.random.default_rng(0)
    as_group = draw.random((3, 2, 50))
    groups = draw.integers(-1, 3, 50)
    own = np.where(groups >= 0, np.take_along_axis(as_group, np.maximum(groups, 0)[None, None], 0)[0], 0.5)
    found = mistaken(own, as_group, groups)
    for i, g in enumerate(groups):
        others = own[:, i] if g < 0 else np.mean([as_group[k, :, i] for k in range(3) if k != g], axis=0)
        assert np.allclose(found[:, i], others)


def test_wrong_groups_bring_back_the_gap(tables):
    rows = tables["group_misclassification"].filter(
        postprocessing="equal_tpr", target="view", metric="tpr", contrast="AP - PA"
    )
    assert rows["wrong"].to_list() == list(WRONG)
    assert rows["change"][0] == 0 and rows["change"].is_sorted() and rows["change_low"][-1] > 0
    assert np.allclose(rows["estimate"] - rows["estimate"][0], rows["change"])


def test_single_networks_are_said_to_differ_and_a_rule_on_the_same_network_to_act():
    given = processed(
        700, 1, attributes=VIEW_FIRST, effect=1.5, rules=("fixed_0.5", "equal_tpr"), weightings=("uniform", "other")
    )
    effects = answer(given, only=["effects"])["effects"].filter(unit=PATIENT)
    of_weightings = effects.filter(weighting="other", postprocessing="fixed_0.5")
    assert of_weightings.filter(verdict=SHOWN).height and of_weightings["outcome"].null_count() == of_weightings.height
    rule = effects.filter(
        weighting="uniform", postprocessing="equal_tpr", target="view", attribute="view", metric="tpr"
    )
    assert NARROWED in rule["outcome"].to_list()


def test_what_choosing_leaves_is_read_on_patients_without_part_in_the_choice(tables):
    told = tables["chosen_anew"]
    gaps = tables["gaps"].filter(unit=PATIENT, attribute="view", weighting="uniform", postprocessing="fixed_0.5")
    before = gaps.filter(pl.col("metric").is_in(["tpr", "fpr"]), contrast="AP - PA")["estimate"].abs().max()
    left = told.filter(attribute="view")
    assert (left["low"] < left["estimate"]).all() and (left["estimate"] < left["high"]).all()
    assert left["estimate"].abs().max() < before


def test_choosing_among_many_looks_better_on_the_patients_that_choose_than_it_is():
    """Forty methods that all leave a gap of 0.1, so noisy that one of them seems to leave none."""
    seeming, found = [], []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        noise = draw.normal(0, 0.05, (200, 40, 2)) / np.sqrt(200)
        values = np.array([0.0, 0.1]) + noise.sum(axis=0)
        parts = np.concatenate([parts_of(draw.permutation(200) % 5) for _ in range(10)])
        left, _ = left_by_choices(
            values, noise - noise.mean(axis=0), parts, np.ones(200), most=1.0, margin=0.0, order=np.zeros(len(values))
        )
        seeming.append(np.abs(values[:, 1]).min())
        found.append(left[1])
    assert np.mean(seeming) < 0.02 and abs(np.mean(found) - 0.1) < 0.02
