"""The data analysis counts what is in the frame, with intervals by patient."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import results
from lib.audit import describe
from lib.audit.data import ages, associations, composition, cramers_v_squared, pairs
from lib.names import ATTRIBUTES


def cohort(patients=120, seed=0):
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, 6, patients))
    n = len(patient)
    sex = draw.choice(["F", "M"], patients)[patient]
    view = np.where(draw.random(n) < 0.9, np.where(sex == "F", "AP", "PA"), draw.choice(["AP", "PA"], n))
    age = draw.integers(18, 90, patients)[patient]
    frame = pl.DataFrame(
        {
            "split": np.where(patient < 90, "train", "valid"),
            "patient": patient,
            "label": draw.integers(0, 2, n),
            "age": age,
            "sex": sex,
            "age_group": np.where(age < 40, "<40", np.where(age <= 60, "40-60", ">60")),
            "view": view,
        }
    )
    return frame.with_columns(view=pl.when(pl.int_range(pl.len()) % 10 != 0).then("view"))


@pytest.fixture(scope="module")
def described():
    return describe(cohort(), replicates=300)


def test_tables_are_those_of_the_bundle(described):
    for name, frame in described.items():
        assert dict(frame.schema) == results.TABLES[name]
        assert frame.columns == list(results.TABLES[name])


def test_composition_counts_are_polars_own(described):
    frame = cohort()
    for row in described["composition"].to_dicts():
        own = frame.filter(split=row["split"])
        if row["attribute"] != "overall":
            own = own.filter(pl.col(row["attribute"]) == row["group"])
        assert (row["images"], row["patients"], row["sick"]) == (
            own.height,
            own["patient"].n_unique(),
            own["label"].sum(),
        )
        assert row["prevalence"] == pytest.approx(own["label"].mean())
        assert row["low"] < row["prevalence"] < row["high"]


def test_every_pair_of_groups_is_counted_once(described):
    frame = cohort()
    assert described["pairs"].height == 2 * (2 * 3 + 2 * 2 + 3 * 2)
    for row in described["pairs"].to_dicts():
        own = frame.filter(
            pl.col("split") == row["split"],
            pl.col(row["attribute"]) == row["group"],
            pl.col(row["other"]) == row["other_group"],
        )
        assert (row["images"], row["patients"], row["sick"]) == (
            own.height,
            own["patient"].n_unique(),
            own["label"].sum(),
        )


def test_ages_fall_in_ten_year_bins_and_unknown_ages_are_left_out():
    frame = pl.DataFrame({"split": ["valid"] * 4, "label": [1, 1, 0, 1], "age": [39, 30, 40, None]})
    assert ages(frame).rows() == [("valid", 0, 40, 1), ("valid", 1, 30, 2)]


def test_strong_associations_are_found_and_absent_ones_reach_zero(described):
    found = {(r["split"], r["attribute"], r["other"]): r for r in described["associations"].to_dicts()}
    assert len(found) == 2 * (3 + 3)
    strong = found["train", "sex", "view"]
    assert strong["cramers_v"] > 0.7 and strong["low"] > 0.5
    assert found["train", "sex", "label"]["low"] == 0
    assert strong["images"] == cohort().filter(pl.col("split") == "train", pl.col("view").is_not_null()).height
    for row in found.values():
        assert row["low"] <= row["cramers_v"] + 1e-9 and row["cramers_v"] <= row["high"] + 1e-9


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=6, max_size=6))
def test_cramers_v_is_the_textbook_formula(counts):
    table = np.array(counts, dtype=float).reshape(2, 3)
    squared = cramers_v_squared(table[None])[0]
    rows, columns = table[table.sum(axis=1) > 0], table.sum(axis=0) > 0
    table = rows[:, columns]
    if min(table.shape) < 2:
        assert np.isnan(squared)
    else:
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        chi2 = ((table - expected) ** 2 / expected).sum()
        assert squared == pytest.approx(chi2 / (table.sum() * (min(table.shape) - 1)))


def test_perfect_association_is_one():
    assert cramers_v_squared(np.array([[[5.0, 0], [0, 7]]]))[0] == pytest.approx(1)


def test_intervals_by_patient_are_wider_when_a_patients_images_agree():
    frame = cohort().with_columns(label=(pl.col("patient") % 2).cast(pl.Int64))
    alone = frame.with_columns(patient=pl.int_range(pl.len()))
    widths = [
        composition(f, replicates=400).filter(split="train", group="all").select(pl.col("high") - pl.col("low")).item()
        for f in (frame, alone)
    ]
    assert widths[0] > 1.3 * widths[1]


def test_a_group_without_images_is_kept_with_null():
    frame = cohort().with_columns(sex=pl.lit("F"))
    men = composition(frame, replicates=20).filter(group="M")
    assert men.height == 2 and (men["images"] == 0).all() and men["prevalence"].null_count() == 2
    assert men["low"].null_count() == 2
    v = associations(frame, replicates=20).filter(attribute="sex")
    assert v["cramers_v"].null_count() == v.height
    assert pairs(frame).filter(group="M")["images"].sum() == 0


def test_a_group_that_is_always_sick_is_not_taken_for_certain():
    row = (
        composition(cohort().with_columns(label=pl.lit(1)), replicates=20).filter(split="valid", group="all").to_dicts()
    )
    assert row[0]["prevalence"] == 1 and row[0]["low"] < 0.9


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="'test'; allowed are train, valid"):
        describe(cohort().with_columns(split=pl.lit("test")), replicates=5)


def test_groups_come_in_display_order(described):
    order = described["composition"].filter(split="train")["group"].to_list()
    assert order == ["all", *(group for a in ATTRIBUTES.values() for group in a.groups)]
