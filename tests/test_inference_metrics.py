"""Rates and AUC, by patient and by image, are those of fairlearn and scikit-learn; influences are what leaving a patient out does."""

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, roc_auc_score

from lib.audit import Context, answer
from lib.audit.inference import Population, describe
from lib.audit.metrics import RATES, Unit, auc, gaps, rates
from lib.names import BASELINE, DEFAULTS, Attribute

ORACLES = {
    "tpr": true_positive_rate,
    "fpr": false_positive_rate,
    "selection_rate": selection_rate,
    "accuracy": accuracy_score,
    "fnr": false_negative_rate,
    "ppv": precision_score,
    "balanced_accuracy": balanced_accuracy_score,
}
DEMANDS = {
    "demographic_parity_difference": demographic_parity_difference,
    "demographic_parity_ratio": demographic_parity_ratio,
    "equal_opportunity_difference": equal_opportunity_difference,
    "equalized_odds_difference": equalized_odds_difference,
}
EXACT = {"abs": 1e-12, "rel": 0}


def cohort(seed=0, images=400, patients=120, unknown=0.0):
    draw = np.random.default_rng(seed)
    patient = np.concatenate([np.arange(patients), draw.integers(0, patients, images - patients)])
    columns = {"patient": patient, "label": draw.integers(0, 2, images)}
    columns |= {"sex": draw.choice(["F", "M"], patients)[patient], "view": draw.choice(["AP", "PA"], images)}
    columns["age_group"] = draw.choice(["<40", "40-60", ">60"], patients)[patient]
    if unknown:
        columns["sex"] = [
            None if hidden else s for s, hidden in zip(columns["sex"], draw.random(images) < unknown, strict=True)
        ]
    return Population.from_frame(pl.DataFrame(columns))


def weights(population, metric, images, unit):
    """Weight of each image of a cell where every patient counts once, within each label for rates about one label or two."""
    if unit == Unit.IMAGE:
        return np.ones(population.n_images)
    about_all = metric in ("selection_rate", "accuracy", "ppv")
    told = np.zeros(population.n_images)
    for part in [images] if about_all else [images & (population.labels == label) for label in (0, 1)]:
        told[part] = 1 / np.bincount(population.patients[part])[population.patients[part]]
    return told


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), unit=st.sampled_from(list(Unit)))
def test_rates_by_group_are_fairlearns(seed, unit):
    population = cohort(seed, unknown=0.2)
    called = np.random.default_rng(seed + 1).integers(0, 2, population.n_images).astype(float)
    found = rates(population, called[None], unit=unit)
    told = {row[:3]: value for row, value in zip(found.index.rows(), found.estimate, strict=True)}
    for attribute, codes in population.groups.items():
        cells = [cell for cell in population.cells if cell.attribute == attribute]
        # of TPR and FPR, each with patients once; scikit-learn's weights are within a label, too: below
        oracles = {m: own for m, own in ORACLES.items() if m != "balanced_accuracy" or unit == Unit.IMAGE}
        own = {m: sum(np.where(c.images, weights(population, m, c.images, unit), 0) for c in cells) for m in oracles}
        known = codes >= 0
        frame = MetricFrame(
            metrics=oracles,
            y_true=population.labels[known],
            y_pred=called[known],
            sensitive_features=codes[known],
            sample_params={metric: {"sample_weight": values[known]} for metric, values in own.items()},
        )
        for code, group in enumerate(population.attributes[attribute].groups):
            for metric in oracles:
                expected = frame.by_group[metric][code]
                assert told[attribute, group, metric] == pytest.approx(expected, **EXACT), metric
            both = told[attribute, group, "tpr"], told[attribute, group, "fpr"]
            balanced = (both[0] + 1 - both[1]) / 2
            assert told[attribute, group, "balanced_accuracy"] == pytest.approx(balanced, **EXACT)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000), unit=st.sampled_from(list(Unit)), coarse=st.booleans())
def test_auc_is_scikit_learns(seed, unit, coarse):
    population = cohort(seed)
    scores = np.random.default_rng(seed).random(population.n_images)
    scores = scores.round(1) if coarse else scores
    found = auc(population, scores[None], unit=unit).estimate
    for g, cell in enumerate(population.cells):
        own = weights(population, "auc", cell.images, unit)[cell.images]
        assert found[g] == pytest.approx(
            roc_auc_score(population.labels[cell.images], scores[cell.images], sample_weight=own), abs=1e-12
        )


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_demands_of_fairness_are_fairlearns_where_each_patient_has_one_image(seed):
    draw = np.random.default_rng(seed)
    columns = {"patient": range(400), "label": draw.integers(0, 2, 400)}
    frame = pl.DataFrame(columns | {own.name: draw.choice(own.groups, 400) for own in DEFAULTS.values()})
    scores = draw.random((1, 400))
    called = (scores >= 0.5).astype(float)
    context = Context(Population.from_frame(frame), frame, {"uniform": scores}, {BASELINE: called}, smallest_cell=1)
    table = answer(context, only=["parity"])["parity"]
    for row in table.filter(pl.col("measure").is_in(list(DEMANDS))).to_dicts():
        own = {"sensitive_features": frame[row["attribute"]].to_numpy()}
        oracle = DEMANDS[row["measure"]](frame["label"].to_numpy(), called[0], **own)
        assert row["estimate"] == pytest.approx(oracle, abs=1e-9), row["measure"]


@pytest.mark.parametrize("unit", list(Unit))
def test_influences_are_what_leaving_a_patient_out_does(unit):
    population = cohort(3)
    draw = np.random.default_rng(4)
    scores = draw.random((2, population.n_images))
    rows = population.patients[None] == np.arange(population.n_patients)[:, None]

    def without(p):
        keep = ~rows[p]
        groups = {name: codes[keep] for name, codes in population.groups.items()}
        patients = population.patients[keep]
        less = Population(patients - (patients > p), population.labels[keep], groups)
        levels = rates(less, (scores[:, keep] >= 0.5) * 1.0, unit=unit).estimate
        return np.concatenate([levels, auc(less, scores[:, keep], unit=unit).estimate])

    whole = [rates(population, (scores >= 0.5) * 1.0, unit=unit), auc(population, scores, unit=unit)]
    estimate = np.concatenate([own.estimate for own in whole])
    pushed = np.concatenate([(own.arms[0].influence.mean(axis=0) @ own.matrix) for own in whole], axis=1)
    for p in (0, 7, 50):
        off = (estimate - without(p)) - pushed[p]
        assert np.abs(off).max() <= 0.2 * np.abs(pushed[p]).max() + 1e-4


def test_by_patient_one_patient_with_fifty_images_counts_once():
    patient = np.concatenate([np.arange(40), np.full(50, 0)])
    frame = pl.DataFrame({"patient": patient, "label": 1, "sex": "F"})
    population = Population.from_frame(frame)
    called = (patient == 0).astype(float)[None]
    told = {unit: rates(population, called, unit=unit, metrics=("tpr",)).estimate[0] for unit in Unit}
    assert told[Unit.PATIENT] == pytest.approx(1 / 40) and told[Unit.IMAGE] == pytest.approx(51 / 90)


def test_levels_of_every_metric_hold_their_estimates_and_unknown_groups_count_in_overall_only():
    population = cohort(5, unknown=0.3)
    called = np.random.default_rng(5).random((3, population.n_images))
    table = describe(rates(population, called), null=None).table()
    assert table["metric"].unique().sort().to_list() == sorted(RATES)
    assert table.filter((pl.col("low") > pl.col("estimate")) | (pl.col("high") < pl.col("estimate"))).is_empty()
    assert (
        table.filter(attribute="sex", metric="tpr")["images"].sum()
        < table.filter(attribute="overall", metric="tpr")["images"][0]
    )
    assert table["p"].null_count() == table.height and table["low_simultaneous"].null_count() == table.height


def test_gaps_are_group_less_reference_of_the_mean_over_networks_and_small_cells_are_not_estimable():
    population = cohort(6)
    called = np.random.default_rng(6).random((2, population.n_images))
    levels = rates(population, called)
    alone = [rates(population, own[None]).estimate for own in called]
    assert levels.estimate == pytest.approx(np.mean(alone, axis=0), **EXACT)
    told = {row[:3]: value for row, value in zip(levels.index.rows(), levels.estimate, strict=True)}
    found = gaps(levels, population)
    for row, value in zip(found.index.rows(), found.estimate, strict=True):
        one, two = row[1].split(" - ")
        assert value == pytest.approx(told[row[0], one, row[2]] - told[row[0], two, row[2]], **EXACT)
    assert found.index.filter(attribute="age_group")["contrast"].unique().sort().to_list() == [
        "40-60 - <40",
        ">60 - <40",
    ]
    small = gaps(rates(population, called, smallest_cell=10_000), population)
    assert np.isnan(small.estimate).all() and set(describe(small).verdict) == {"not estimable"}


def test_attributes_are_those_given():
    race = Attribute("race", "race", ("A", "B", "C"), "B", True)
    frame = pl.DataFrame(
        {"patient": range(90), "label": [0, 1] * 45, "race": ["A", "B", "C"] * 30, "sex": ["F", "M", "M"] * 30}
    )
    population = Population.from_frame(frame, attributes=[race, "sex"])
    found = gaps(rates(population, np.full((1, 90), 0.5), smallest_cell=5), population)
    assert found.index.filter(attribute="race")["contrast"].unique().sort().to_list() == ["A - B", "C - B"]
    assert "A, F" in population.crossed().attributes["race x sex"].groups
    with pytest.raises(ValueError, match="race"):
        Population.from_frame(frame.with_columns(race=pl.lit("D")), attributes=[race])


@pytest.mark.parametrize("wrong", [np.full((1, 3), 0.5), np.full((1, 400), 2.0), np.full((1, 400), np.nan)])
def test_decisions_that_are_none_are_named(wrong):
    with pytest.raises(ValueError, match="decisions"):
        rates(cohort(), wrong)
