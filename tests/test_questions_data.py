"""The data analysis counts what is in the frame, with intervals by patient."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency

from lib.audit.questions import answer
from lib.audit.questions.associations import cramers_v
from lib.names import DEFAULTS, IMAGE, PATIENT, SHOWN
from tests.worlds import context

pytestmark = pytest.mark.usefixtures("audited_quickly")

DATA = ("composition", "shares", "associations", "ages", "visits", "exposure", "simpson")


@pytest.fixture(scope="module")
def cohort():
    plain = context(400)
    draw = np.random.default_rng(0)
    # sex and view go together, and some views are unknown
    people = plain.people.with_columns(
        split=pl.when(pl.col("patient") < 280).then(pl.lit("train")).otherwise(pl.lit("valid")),
        view=pl.when(pl.col("sex") == "F").then(pl.lit("AP")).otherwise(pl.lit("PA")),
    )
    mixed = pl.Series(draw.random(people.height) < 0.1)
    turned = pl.when(pl.col("view") == "AP").then(pl.lit("PA")).otherwise(pl.lit("AP"))
    people = people.with_columns(view=pl.when(mixed).then(turned).otherwise("view"))
    return people.with_columns(view=pl.when(pl.int_range(pl.len()) % 10 != 0).then("view"))


@pytest.fixture(scope="module")
def tables(cohort):
    draw = np.random.default_rng(1)
    grey = {"mean": draw.random(cohort.height) / 10 + 0.2 * (cohort["view"] == "AP").fill_null(False).to_numpy()}
    return answer(context(cohort=cohort, grey=grey), only=DATA)


def groups_of(cohort, row):
    own = cohort.filter(split=row["split"])
    return own if row["attribute"] == "overall" else own.filter(pl.col(row["attribute"]) == row["group"])


def test_composition_counts_are_polars_own(tables, cohort):
    for row in tables["composition"].to_dicts():
        own = groups_of(cohort, row)
        counted = own.height, own["patient"].n_unique(), own["label"].sum()
        assert (row["images"], row["patients"], row["sick"]) == counted
        share = (
            own["label"].mean()
            if row["unit"] == IMAGE
            else own.group_by("patient").agg(pl.col("label").mean())["label"].mean()
        )
        assert row["estimate"] == pytest.approx(share, abs=1e-6)
        assert row["low"] < row["estimate"] < row["high"]
    assert set(tables["composition"]["unit"]) == {PATIENT, IMAGE}


def test_shares_are_of_the_images_whose_group_is_known(tables, cohort):
    row = (
        tables["shares"]
        .filter(split="train", attribute="view", group="AP", other="sex", other_group="F")
        .row(0, named=True)
    )
    own = cohort.filter(split="train", sex="F").drop_nulls("view")
    assert (
        row["estimate"] == pytest.approx((own["view"] == "AP").mean()) and row["images"] == (own["view"] == "AP").sum()
    )
    assert row["low"] < row["estimate"] < row["high"]


def test_ages_fall_in_ten_year_bins_and_unknown_ages_are_left_out():
    frame = pl.DataFrame({"split": ["valid"] * 4, "label": [1, 1, 0, 1], "age": [39, 30, 40, None]})
    given = context(60)
    given = given.__class__(
        **{f: getattr(given, f) for f in ("population", "people", "scores", "decisions")}, cohort=frame
    )
    assert answer(given, only=["ages"])["ages"].rows() == [("valid", 0, 40, 1), ("valid", 1, 30, 2)]


def test_visits_hold_every_patient_and_image(tables, cohort):
    sums = tables["visits"].group_by("split").agg(pl.col("patients", "images").sum()).sort("split")
    own = cohort.group_by("split").agg(patients=pl.col("patient").n_unique(), images=pl.len()).sort("split")
    assert sums.rows() == own.rows()


def test_strong_associations_are_shown_and_absent_ones_are_not(tables):
    found = {(r["split"], r["attribute"], r["other"]): r for r in tables["associations"].to_dicts()}
    assert len(found) == 2 * (3 + 3)
    assert found["train", "sex", "view"]["estimate"] > 0.7 and found["train", "sex", "view"]["verdict"] == SHOWN
    assert (
        found["train", "age_group", "view"]["estimate"] < 0.1
        and found["train", "age_group", "view"]["verdict"] != SHOWN
    )


def test_cramers_v_is_the_textbook_formula_less_what_chance_adds():
    draw = np.random.default_rng(0)
    one = draw.integers(0, 2, 400)
    two = np.where(draw.random(400) < 0.5, one, draw.integers(0, 3, 400))
    table = pl.DataFrame({"a": one, "b": two}).group_by("a", "b").len().pivot("b", index="a", values="len").fill_null(0)
    chi2 = chi2_contingency(table.drop("a").to_numpy(), correction=False).statistic
    assert cramers_v(one, two, 400) == pytest.approx(np.sqrt(chi2 / 400), abs=0.02)
    assert cramers_v(one, one, 400) == pytest.approx(1, abs=0.01)
    assert cramers_v(one, draw.integers(0, 2, 400), 400) < 0.1 and cramers_v(one, one * 0, 400) is None


def test_grey_levels_are_told_by_view(tables):
    rows = tables["exposure"].filter(attribute="view", measure="mean")
    means = {(r["group"], r["label"]): r for r in rows.to_dicts()}
    assert means["AP", 0]["low"] > means["PA", 0]["high"]


def test_attributes_of_any_name_have_their_own_groups():
    tables = answer(context(cohort=None), only=["composition"])
    order = [(a.name, g) for a in DEFAULTS.values() for g in a.groups]
    rows = tables["composition"].filter(unit=PATIENT).select("attribute", "group").rows()
    assert rows == [("overall", "all"), *order]
