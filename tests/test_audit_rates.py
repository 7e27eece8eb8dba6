"""Rates and AUC are those of fairlearn and scikit-learn, in the sample and in every resample."""

from itertools import product
from types import SimpleNamespace

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
from lib.audit.contrasts import point_values
from lib.audit.estimates import in_sample
from lib.audit.parity import parity_rows
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, roc_auc_score

from lib.audit.population import Population
from lib.audit.ranking import auc, resampled_auc
from lib.audit.rates import RATES, TESTED, estimable, rates, resampled_rates
from lib.audit.resampling import AndLeftOut, patient_counts
from lib.names import ATTRIBUTES, MAX_MIN

ORACLES = {
    "balanced_accuracy": balanced_accuracy_score,
    "tpr": true_positive_rate,
    "fpr": false_positive_rate,
    "selection_rate": selection_rate,
    "accuracy": accuracy_score,
    "fnr": false_negative_rate,
    "ppv": precision_score,
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
    patient = draw.integers(0, patients, images)
    columns = {"patient": patient, "label": draw.integers(0, 2, images)}
    for attribute in ATTRIBUTES.values():
        values = draw.choice(attribute.groups, images)
        columns[attribute.name] = [None if draw.random() < unknown else str(value) for value in values]
    scores = np.round(draw.random((2, images)) * 0.6 + 0.4 * draw.random(images) * columns["label"], 2)
    return pl.DataFrame(columns), scores


@pytest.mark.parametrize(("attribute", "unknown", "threshold"), [*product(ATTRIBUTES, (0.0, 0.3), (0.2, 0.5))])
def test_every_rate_of_every_group_is_fairlearns(attribute, unknown, threshold):
    frame, scores = cohort(unknown=unknown)
    population = Population.from_frame(frame)
    decisions = (scores >= threshold).astype(float)
    found = rates(population, decisions)
    known = frame[attribute].is_not_null().to_numpy()
    for s, decided in enumerate(decisions):
        oracle = MetricFrame(
            metrics=ORACLES,
            y_true=population.labels[known],
            y_pred=decided[known],
            sensitive_features=frame[attribute].to_numpy()[known],
        )
        overall = {name: metric(population.labels, decided) for name, metric in ORACLES.items()}
        for g, cell in enumerate(population.cells):
            for m, metric in enumerate(RATES):
                if metric not in ORACLES:
                    continue
                if cell.attribute == attribute:
                    assert found[s, g, m] == pytest.approx(oracle.by_group[metric][cell.group], **EXACT)
                elif cell.attribute == "overall":
                    assert found[s, g, m] == pytest.approx(overall[metric], **EXACT)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_the_spread_of_a_single_network_is_fairlearns_difference(attribute):
    frame, scores = cohort()
    population = Population.from_frame(frame)
    decisions = (scores[:1] >= 0.5).astype(float)
    values = point_values(population, decisions, smallest_cell=1)
    oracle = MetricFrame(
        metrics=ORACLES,
        y_true=population.labels,
        y_pred=decisions[0],
        sensitive_features=frame[attribute].to_numpy(),
    ).difference()
    for metric in TESTED:
        assert values[attribute, metric, MAX_MIN] == pytest.approx(oracle[metric], **EXACT)


def test_a_decision_by_chance_counts_for_its_chance():
    frame, _ = cohort()
    population = Population.from_frame(frame)
    found = rates(population, np.full((1, frame.height), 0.25))
    assert np.allclose(found[..., 1:4], 0.25, atol=1e-12, rtol=0)
    assert np.allclose(found[..., 0], 0.5, atol=1e-12, rtol=0)
    assert np.allclose(found[..., RATES.index("fnr")], 0.75, atol=1e-12, rtol=0)


def test_missed_is_told_of_patients_each_counted_once():
    frame = pl.DataFrame({"patient": [1, 1, 1, 1, 2, 3], "label": [1, 1, 0, 0, 1, 0], "sex": [*"FFFFFM"]})
    population = Population.from_frame(frame)
    # of four images of patient 1 one is sick and missed; patient 2 is found; patient 3 is healthy
    missed = rates(population, [[0, 1, 1, 0, 1, 1]])[0, :, RATES.index("missed")]
    cells = [cell.group for cell in population.cells]
    assert missed[cells.index("all")] == pytest.approx((1 / 4 + 0 + 0) / 3)
    assert missed[cells.index("F")] == pytest.approx((1 / 4 + 0) / 2) and missed[cells.index("M")] == 0


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    attribute=st.sampled_from(list(ATTRIBUTES)),
    threshold=st.sampled_from([0.2, 0.5, 0.7]),
    unknown=st.sampled_from([0.0, 0.3]),
)
def test_every_demand_is_fairlearns_and_the_worst_group_is_the_worst(seed, attribute, threshold, unknown):
    frame, scores = cohort(seed, images=150, unknown=unknown)
    decided = (scores[0] >= threshold).astype(float)
    known = frame[attribute].is_not_null().to_numpy()
    population = Population.from_frame(frame)
    sampled = in_sample(population, decided[None], scores[:1])
    found = SimpleNamespace(metrics=sampled.metrics, values=sampled.values, replicates=sampled.by_seed)
    about = population.labels[known], decided[known]
    rows = {row[1]: row for row in parity_rows(population, found, 1) if row[0] == attribute}
    for measure, oracle in DEMANDS.items():
        expected = oracle(*about, sensitive_features=frame[attribute].to_numpy()[known])
        assert rows[measure][3] == pytest.approx(expected, **EXACT)
        assert rows[measure][3:6] == pytest.approx([expected] * 3, **EXACT)  # one resample: the sample
    oracle = MetricFrame(
        metrics=ORACLES, y_true=about[0], y_pred=about[1], sensitive_features=frame[attribute].to_numpy()[known]
    )
    for metric, worst in (("balanced_accuracy", "min"), ("tpr", "min"), ("fpr", "max")):
        row = rows[f"worst_{metric}"]
        assert row[3] == pytest.approx(getattr(oracle, f"group_{worst}")()[metric], **EXACT)
        assert oracle.by_group[metric][row[2]] == pytest.approx(row[3], **EXACT)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), decimals=st.integers(1, 3), unknown=st.sampled_from([0.0, 0.3]))
def test_auc_with_ties_is_scikit_learns(seed, decimals, unknown):
    frame, scores = cohort(seed, images=90, patients=30, unknown=unknown)
    population = Population.from_frame(frame)
    scores = np.round(scores, decimals)
    found = auc(population, scores)
    once = resampled_auc(population, scores, np.ones((1, population.n_patients), np.uint16))[0]
    for g, cell in enumerate(population.cells):
        own = cell.images
        if len(np.unique(population.labels[own])) == 2:
            for s in range(2):
                assert found[s, g] == pytest.approx(roc_auc_score(population.labels[own], scores[s, own]), **EXACT)
                assert once[s, g] == pytest.approx(found[s, g], **EXACT)
        else:
            assert np.isnan(found[:, g]).all()


def test_auc_in_a_resample_is_scikit_learns_to_first_order():
    frame, scores = cohort(3)
    population = Population.from_frame(frame)
    counts = patient_counts(population.n_patients, 300, 1)
    found = resampled_auc(population, scores, counts)
    for g, cell in enumerate(population.cells):
        own = cell.images
        times = counts[:, population.patients[own]]
        exact = [roc_auc_score(population.labels[own], scores[0, own], sample_weight=drawn) for drawn in times]
        assert np.abs(found[:, 0, g] - exact).mean() < 0.15 * np.std(exact)
        assert np.corrcoef(found[:, 0, g], exact)[0, 1] > 0.985
        assert found[:, 0, g].std() == pytest.approx(np.std(exact), rel=0.05)


def test_a_resample_without_a_label_has_no_auc():
    frame = pl.DataFrame({"patient": [0, 0, 1, 2], "label": [1, 1, 0, 0]})
    population = Population.from_frame(frame)
    counts = np.array([[0, 1, 2], [1, 1, 1], [3, 0, 0]], np.uint16)
    found = resampled_auc(population, np.array([[0.9, 0.2, 0.5, 0.1]]), counts)[:, 0, 0]
    assert np.isnan(found).tolist() == [True, False, True] and found[1] == 0.75


def test_leaving_out_a_patient_is_a_resample_without_that_patient():
    frame, scores = cohort(images=80, patients=20)
    population = Population.from_frame(frame)
    drawn = patient_counts(population.n_patients, 5, 0)
    without = (1 - np.eye(population.n_patients)).astype(np.uint16)
    for figure, values in ((resampled_rates, (scores >= 0.5) * 1.0), (resampled_auc, scores)):
        one, two = (figure(population, values, c) for c in (np.concatenate([drawn, without]), AndLeftOut(drawn)))
        assert np.allclose(one, two, atol=1e-12, rtol=0, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_resampled_rate_is_the_rate_of_the_images_written_out_as_often_as_drawn(seed):
    frame, scores = cohort(seed, images=60, patients=20)
    population = Population.from_frame(frame)
    decisions = (scores >= 0.5).astype(float)
    counts = patient_counts(population.n_patients, 2, seed)
    found = resampled_rates(population, decisions, counts)
    for b in range(2):
        times = counts[b][population.patients]
        rows = np.repeat(np.arange(60), times)
        # the same patient drawn twice is two patients
        twice = np.concatenate([np.arange(k) for k in times]) * 1000
        own = frame[rows].with_columns(patient=pl.Series(frame["patient"].to_numpy()[rows] + twice))
        written_out = Population.from_frame(own)
        assert np.allclose(found[b], rates(written_out, decisions[:, rows]), atol=1e-12, rtol=0, equal_nan=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(seed):
    frame, scores = cohort(seed, images=80, patients=30)
    order = np.random.default_rng(seed).permutation(80)
    one, two = Population.from_frame(frame), Population.from_frame(frame[order])
    counts = patient_counts(one.n_patients, 5, seed)
    decisions = (scores >= 0.5).astype(float)
    pairs = (
        (resampled_rates(one, decisions, counts), resampled_rates(two, decisions[:, order], counts)),
        (resampled_auc(one, scores, counts), resampled_auc(two, scores[:, order], counts)),
    )
    for ours, theirs in pairs:
        assert np.allclose(ours, theirs, atol=1e-12, rtol=0, equal_nan=True)


def test_a_group_is_estimable_by_the_patients_its_metric_is_about():
    frame = pl.DataFrame(
        {
            "patient": [*range(30), *range(30)],
            "label": [1] * 30 + [0] * 30,
            "sex": (["F"] * 25 + ["M"] * 5) * 2,
            # the sick were filmed in AP, the healthy in PA
            "view": ["AP"] * 30 + ["PA"] * 30,
        }
    )
    population = Population.from_frame(frame)
    metrics = (*RATES, "auc")
    answer = {
        (cell.group, metric): bool(value)
        for cell, row in zip(population.cells, estimable(population, metrics, 20), strict=True)
        for metric, value in zip(metrics, row, strict=True)
    }
    assert all(answer["F", metric] for metric in metrics)
    assert not any(answer["M", metric] for metric in metrics)
    assert answer["AP", "tpr"] and not answer["AP", "fpr"] and answer["AP", "selection_rate"]
    assert answer["PA", "fpr"] and not answer["PA", "auc"] and not answer["PA", "balanced_accuracy"]


def test_unknown_groups_count_overall_and_in_no_group():
    frame, _ = cohort(unknown=0.5)
    population = Population.from_frame(frame)
    sizes = {(cell.attribute, cell.group): int(cell.images.sum()) for cell in population.cells}
    assert sizes["overall", "all"] == frame.height
    assert sizes["sex", "F"] + sizes["sex", "M"] == frame["sex"].is_not_null().sum() < frame.height


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("label", [0, 1, 2], "label' holds 2; allowed are 0"),
        ("label", [0, 1, None], "null in 1 of 3 rows"),
        ("label", [0.0, 1.0, 0.5], "type Float64"),
        ("patient", [1, None, 2], "null in 1 of 3 rows"),
        ("sex", ["F", "M", "X"], "has the group 'X'; allowed are F, M or null"),
    ],
)
def test_a_wrong_column_is_named_with_what_is_allowed(column, values, said):
    frame = pl.DataFrame({"patient": [1, 2, 3], "label": [0, 1, 1], "sex": ["F", "M", None]} | {column: values})
    with pytest.raises(ValueError, match=said):
        Population.from_frame(frame)


def test_missing_columns_unknown_attributes_and_empty_frames_are_refused():
    frame = pl.DataFrame({"patient": ["a"], "label": [1]})
    for call, said in (
        (lambda: Population.from_frame(frame.drop("label")), "lacks the column 'label'"),
        (lambda: Population.from_frame(frame, attributes=["sex"]), "lacks the column 'sex'"),
        (lambda: Population.from_frame(frame.with_columns(x=pl.lit("a")), attributes=["x"]), "not an attribute"),
        (lambda: Population.from_frame(frame.clear()), "no image"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


@pytest.mark.parametrize(
    ("decisions", "said"),
    [(np.zeros(3), "shape"), (np.zeros((1, 2)), "shape"), (np.full((1, 3), np.nan), "finite"), ([[0, 1, 2]], "0 to 1")],
)
def test_decisions_that_cannot_be_are_refused(decisions, said):
    population = Population.from_frame(pl.DataFrame({"patient": [1, 2, 3], "label": [0, 1, 1]}))
    with pytest.raises(ValueError, match=said):
        rates(population, decisions)
