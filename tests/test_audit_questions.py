"""Amplification, Simpson's paradox, intersections and shares: worked examples, and no claim that noise could explain."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import results
from lib.audit import BASELINE, Population, audit, describe
from lib.audit.amplification import directional
from lib.names import AGGREGATE, AMPLIFICATION, ATTRIBUTES, NOT_ESTIMABLE, STANDARDISED, UNDECIDED, attribute_named


def painters(women_called: int):
    """The paper's example: 40 women of whom 30 paint, 40 men of whom 10 do; `women_called` women are called painters."""
    sex, label = ["F"] * 40 + ["M"] * 40, [1] * 30 + [0] * 10 + [1] * 10 + [0] * 30
    called = [1.0] * women_called + [0.0] * (40 - women_called) + [1.0] * 10 + [0.0] * 30
    return pl.DataFrame({"patient": range(80), "label": label, "sex": sex}), np.array([called])


def audited(frame, decisions, **more):
    scores = np.clip(decisions * 0.5 + 0.25, 0, 1)
    return audit(Population.from_frame(frame), {"uniform": scores}, {BASELINE: decisions}, **{"replicates": 300} | more)


@pytest.mark.parametrize(("women_called", "expected"), [(0, -0.375), (15, -0.1875), (30, 0.0), (40, 0.125)])
def test_amplification_is_the_papers_example(women_called, expected):
    # Wang & Russakovsky 2021, the painting example: men are called rightly, women from none to all
    table = audited(*painters(women_called))["amplification"]
    row = table.filter(attribute="sex", contrast=AMPLIFICATION).row(0, named=True)
    assert row["value"] == pytest.approx(expected, abs=1e-12) and row["low"] <= expected <= row["high"]
    assert row["verdict"] == (UNDECIDED if expected == 0 else "amplifies" if expected > 0 else "dampens")
    told = dict(table.filter(contrast="F - M").select("quantity", "value").rows())
    assert told["data"] == pytest.approx(0.5) and told["model"] == pytest.approx(women_called / 40 - 0.25)
    assert told["excess"] == pytest.approx(told["model"] - told["data"])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=4), st.floats(0.05, 0.95))
def test_amplification_is_the_mean_of_the_papers_terms(cells, everyone):
    share, called = np.array(cells).T
    terms = [(s > everyone) * (c - s) + (1 - (s > everyone)) * -(c - s) for s, c in cells]
    found = directional(share, called, np.where(share > everyone, 1, -1))
    assert found == pytest.approx(np.mean(terms), abs=1e-12)


def test_without_a_difference_in_the_data_nothing_is_amplified():
    frame = pl.DataFrame({"patient": range(200), "label": [0, 1] * 100, "sex": ["F", "F", "M", "M"] * 50})
    table = audited(frame, (frame["sex"] == "F").to_numpy().astype(float)[None])["amplification"]
    row = table.filter(contrast=AMPLIFICATION).row(0, named=True)
    assert row["verdict"] == UNDECIDED  # the model's gap is large, but the data have no side for it to take
    assert table.filter(quantity="model")["value"].item() == 1


def reversed_cohort(images=300):
    """Women are less often sick than men within each view, and more often altogether: most of them are in AP."""
    draw = np.random.default_rng(0)
    sex = np.repeat(["F", "M"], images)
    view = np.where(draw.random(2 * images) < np.where(sex == "F", 0.85, 0.15), "AP", "PA")
    sick = draw.random(2 * images) < 0.1 + 0.7 * (view == "AP") + 0.15 * (sex == "M") - 0.05
    columns = {"split": "valid", "patient": range(2 * images), "label": sick.astype(int), "sex": sex, "view": view}
    return pl.DataFrame(columns | {"age": 50}).with_columns(age_group=pl.lit("40-60"))


def test_a_planted_reversal_is_found_in_the_data_and_in_the_model():
    frame = reversed_cohort()
    tables = describe(frame, replicates=400), audited(frame, frame["label"].to_numpy().astype(float)[None])
    for table, metric in zip(tables, ("prevalence", "selection_rate"), strict=True):
        rows = table["simpson"].filter(metric=metric, attribute="sex", stratifier="view")
        told = {row["stratum"]: row for row in rows.to_dicts()}
        assert told[AGGREGATE]["low"] > 0 > told[STANDARDISED]["high"] and rows["reversal"].all()
        assert told["AP"]["value"] < 0 and told["PA"]["value"] < 0
        by_hand = frame.group_by("view", "sex").agg(pl.col("label").mean()).pivot("sex", index="view", values="label")
        weights = dict(frame.group_by("view").len().rows())
        expected = sum(weights[r["view"]] * (r["F"] - r["M"]) for r in by_hand.to_dicts()) / frame.height
        assert told[STANDARDISED]["value"] == pytest.approx(expected, abs=1e-12)


def test_noise_reverses_nothing_and_an_empty_stratum_leaves_it_open():
    draw = np.random.default_rng(1)
    columns = {name: draw.choice(ATTRIBUTES[name].groups, 600) for name in ATTRIBUTES}
    patient = np.repeat(np.arange(300), 2)
    frame = pl.DataFrame(
        {"split": "train", "patient": patient, "label": draw.integers(0, 2, 600), "age": 50, **columns}
    )
    table = describe(frame, replicates=300)["simpson"]
    assert not table["reversal"].fill_null(False).any() and table["estimable"].all()
    few = frame.with_columns(view=pl.when(pl.int_range(600) < 590).then(pl.lit("AP")).otherwise(pl.lit("PA")))
    told = describe(few, replicates=50)["simpson"].filter(attribute="sex", stratifier="view")
    by_stratum = {row["stratum"]: row for row in told.to_dicts()}
    assert by_stratum[AGGREGATE]["estimable"] and not by_stratum["PA"]["estimable"]
    assert by_stratum["PA"]["value"] is None and by_stratum["PA"]["images"] == 10
    assert not by_stratum[STANDARDISED]["estimable"] and by_stratum[AGGREGATE]["reversal"] is None


def crossed_cohort(seed=0, patients=400):
    """Women in AP are missed, all others are found three times in four."""
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 2)
    sex = draw.choice(["F", "M"], patients)[patient]
    view = draw.choice(["AP", "PA"], 2 * patients)
    label = draw.integers(0, 2, 2 * patients)
    found = draw.random(2 * patients) < np.where((sex == "F") & (view == "AP"), 0.3, 0.75)
    called = np.where(label == 1, found, draw.random(2 * patients) < 0.3).astype(float)
    return pl.DataFrame({"patient": patient, "label": label, "sex": sex, "view": view}), called[None]


def test_an_intersection_that_is_missed_is_found_with_its_size():
    frame, called = crossed_cohort()
    table = audited(frame, called, replicates=1000)["intersections"]
    words = dict(table.filter(metric="tpr").select("group", "verdict").rows())
    assert words["F, AP"] == "lower" and set(words) == {"F, AP", "F, PA", "M, AP", "M, PA"}
    row = table.filter(group="F, AP", metric="tpr").row(0, named=True)
    own = frame.filter(sex="F", view="AP", label=1)
    assert (row["images"], row["patients"]) == (own.height, own["patient"].n_unique())
    sick = frame["label"].to_numpy() == 1
    chosen = sick & ((frame["sex"] == "F") & (frame["view"] == "AP")).to_numpy()
    assert row["value"] == pytest.approx(called[0, chosen].mean(), abs=1e-12)
    assert row["difference"] == pytest.approx(called[0, chosen].mean() - called[0, sick].mean(), abs=1e-12)
    assert table.filter(metric="missed")["verdict"].null_count() == 4


def test_a_rare_intersection_is_kept_and_not_estimable():
    frame, called = crossed_cohort()
    rare = frame.with_columns(view=pl.when(pl.col("sex") == "F").then(pl.lit("PA")).otherwise("view"))
    table = audited(rare, called)["intersections"].filter(group="F, AP", metric="tpr")
    assert table["images"].item() == 0 and table["verdict"].item() == NOT_ESTIMABLE and table["value"].item() is None


def test_crossings_have_names_labels_and_every_group():
    crossing = attribute_named("sex x age_group")
    assert crossing.groups[:2] == ("F, <40", "F, 40-60") and len(crossing.groups) == 6
    assert (crossing.label, crossing.of_patient) == ("sex and age group", True)
    with pytest.raises(KeyError):
        attribute_named("sex x height")


def test_shares_are_polars_own_and_visits_count_everyone_once():
    frame = reversed_cohort().vstack(reversed_cohort().with_columns(split=pl.lit("train")))
    described = describe(frame, replicates=200)
    for name in ("shares", "visits", "simpson"):
        assert dict(described[name].schema) == results.TABLES[name]
    for row in described["shares"].filter(split="valid").drop_nulls("share").to_dicts():
        own = frame.filter(split="valid")
        if row["other"] == "label":
            own = own.filter(label=int(row["other_group"] == "sick"))
        elif row["other"] != "overall":
            own = own.filter(pl.col(row["other"]) == row["other_group"])
        assert row["images"] == own.filter(pl.col(row["attribute"]) == row["group"]).height
        assert row["share"] == pytest.approx(row["images"] / own.height) and row["low"] <= row["share"] <= row["high"]
    visits = described["visits"].filter(split="valid")
    assert visits["patients"].sum() == visits["images"].sum() == 600 and visits["most"].to_list()[-1] is None
