"""Probes read what is in the features, judge patients that they have not seen, and find nothing in noise."""

import numpy as np
import polars as pl
import pytest

from lib import results
from lib.audit.population import Population
from lib.audit.probes import probe_scores, probes


def cohort(patients=120, seed=0, unknown=0.0):
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, 5, patients))
    n = len(patient)
    sex = [None if draw.random() < unknown else value for value in draw.choice(["F", "M"], patients)[patient]]
    frame = pl.DataFrame(
        {
            "patient": patient,
            "label": draw.integers(0, 2, n),
            "sex": sex,
            "age_group": draw.choice(["<40", "40-60", ">60"], patients)[patient],
            "view": draw.choice(["AP", "PA"], n),
        }
    )
    return frame, draw.normal(size=(2, n, 8))


def test_what_is_encoded_is_found_and_nothing_else():
    frame, features = cohort()
    features[..., 0] += 3 * (frame["view"] == "AP").to_numpy()
    features[..., 1] += 3 * (frame["age_group"] == ">60").to_numpy()
    table = probes(Population.from_frame(frame), {"uniform": features}, replicates=200)
    assert dict(table.schema) == results.TABLES["probes"]
    found = {(row["attribute"], row["group"]): row for row in table.to_dicts()}
    assert list(found)[:2] == [("label", "all"), ("sex", "all")]
    assert found["view", "all"]["low"] > 0.8 and found["age_group", ">60"]["low"] > 0.8
    assert found["age_group", "<40"]["value"] < found["age_group", ">60"]["value"]
    for nothing in ("label", "sex"):
        assert found[nothing, "all"]["low"] < 0.5 < found[nothing, "all"]["high"]
    groups = [found["age_group", group]["value"] for group in ("<40", "40-60", ">60")]
    assert found["age_group", "all"]["value"] == pytest.approx(np.mean(groups))


def test_a_patient_that_can_be_recognised_is_no_help():
    # the features are the patient's own: with a fold by image, the probe would know the sex of everyone
    frame, _ = cohort(200)
    own = np.random.default_rng(1).normal(size=(200, 40))[frame["patient"].to_numpy()]
    population = Population.from_frame(frame, attributes=["sex"])
    row = probes(population, {"uniform": own[None]}, replicates=200).filter(attribute="sex").row(0, named=True)
    assert row["low"] < 0.5 < row["high"] and row["value"] < 0.6


def test_nothing_is_worth_a_half_on_average_although_folds_differ():
    draw = np.random.default_rng(0)
    values = []
    for seed in range(30):
        target, patients = draw.integers(0, 2, 60), np.arange(60)
        scores = probe_scores(draw.normal(size=(60, 3)), target, patients, seed=seed)[:, 1]
        sick, healthy = scores[target == 1], scores[target == 0]
        values.append(np.mean(sick[:, None] > healthy) + np.mean(sick[:, None] == healthy) / 2)
    assert np.mean(values) == pytest.approx(0.5, abs=0.04)


def test_unknown_groups_are_left_out_and_small_ones_not_estimable():
    frame, features = cohort(unknown=0.3)
    rare = frame.with_columns(view=pl.when(pl.col("patient") < 8).then(pl.lit("AP")).otherwise(pl.lit("PA")))
    table = probes(Population.from_frame(rare), {"uniform": features}, replicates=50)
    sex = table.filter(attribute="sex").row(0, named=True)
    assert sex["estimable"] and sex["images"] == frame["sex"].is_not_null().sum()
    view = table.filter(attribute="view").row(0, named=True)
    assert not view["estimable"] and view["value"] is None and view["images"] == frame.height


def test_one_network_has_no_spread_and_wrong_shapes_are_refused():
    frame, features = cohort(40)
    population = Population.from_frame(frame)
    table = probes(population, {"uniform": features[:1]}, replicates=20, smallest_cell=5)
    assert table["seed_sd"].null_count() == table.height
    for wrong, said in ((features[:, 1:], "shape"), (features[0], "shape"), (features * np.nan, "not finite")):
        with pytest.raises(ValueError, match=said):
            probes(population, {"uniform": wrong})
