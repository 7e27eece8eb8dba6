"""Rates and AUC are those of fairlearn and scikit-learn, by image and, with weights, by patient."""

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
from sklearn.metrics import accuracy_score, roc_auc_score

from lib.audit import Context, Population, answer
from lib.audit.metrics import RATES, Unit, auc, gaps, rates
from lib.names import BASELINE, DEFAULTS

pytestmark = pytest.mark.usefixtures("audited_quickly")

ABOUT_LABEL = {"tpr": true_positive_rate, "fpr": false_positive_rate, "fnr": false_negative_rate}
ABOUT_ALL = {"selection_rate": selection_rate, "accuracy": accuracy_score}
DEMANDS = {
    "demographic_parity_difference": demographic_parity_difference,
    "demographic_parity_ratio": demographic_parity_ratio,
    "equal_opportunity_difference": equal_opportunity_difference,
    "equalized_odds_difference": equalized_odds_difference,
}
UNITS = st.sampled_from(list(Unit))


def cohort(seed=0, images=400, patients=120, unknown=0.2):
    draw = np.random.default_rng(seed)
    columns = {"patient": draw.integers(0, patients, images), "label": draw.integers(0, 2, images)}
    for attribute in DEFAULTS.values():
        values = draw.choice(attribute.groups, images)
        columns[attribute.name] = [None if draw.random() < unknown else str(value) for value in values]
    scores = np.round(draw.random((2, images)) * 0.6 + 0.4 * draw.random(images) * columns["label"], 2)
    return pl.DataFrame(columns), scores


def weights(frame, unit, *cell):
    """1, or 1 / images of the patient in the cell: every patient counts once."""
    if unit == Unit.IMAGE:
        return np.ones(frame.height)
    return (1 / frame.select(pl.len().over("patient", *cell)).to_series()).to_numpy()


def value(figures, attribute, group, metric):
    chosen = (pl.col("attribute") == attribute) & (pl.col("group") == group) & (pl.col("metric") == metric)
    return figures.where(chosen).estimate.item()


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000), attribute=st.sampled_from(list(DEFAULTS)), unit=UNITS, threshold=st.floats(0.1, 0.9)
)
def test_rates_are_those_of_fairlearns_metric_frame(seed, attribute, unit, threshold):
    frame, scores = cohort(seed)
    called = (scores[:1] >= threshold).astype(float)
    found = rates(Population.from_frame(frame), called, unit=unit, smallest_cell=1)
    known = frame.with_columns(called=pl.Series(called[0])).drop_nulls(attribute)
    for oracles, cell in ((ABOUT_LABEL, (attribute, "label")), (ABOUT_ALL, (attribute,))):
        weighted = weights(known, unit, *cell)
        oracle = MetricFrame(
            metrics=oracles,
            y_true=known["label"].to_numpy(),
            y_pred=known["called"].to_numpy(),
            sensitive_features=known[attribute].to_numpy(),
            sample_params=dict.fromkeys(oracles, {"sample_weight": weighted}),
        )
        for group in DEFAULTS[attribute].groups:
            for metric in oracles:
                assert value(found, attribute, group, metric) == pytest.approx(oracle.by_group[metric][group], abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), unit=UNITS, attribute=st.sampled_from(list(DEFAULTS)))
def test_the_auc_is_scikit_learns(seed, unit, attribute):
    frame, scores = cohort(seed)
    found = auc(Population.from_frame(frame), scores[:1], unit=unit, smallest_cell=1)
    for group in DEFAULTS[attribute].groups:
        own = frame.with_columns(score=pl.Series(scores[0])).filter(pl.col(attribute) == group)
        oracle = roc_auc_score(own["label"], own["score"], sample_weight=weights(own, unit, "label"))
        assert value(found, attribute, group, "auc") == pytest.approx(oracle, abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), unit=UNITS)
def test_rates_fit_together(seed, unit):
    frame, scores = cohort(seed)
    found = rates(Population.from_frame(frame), scores, unit=unit, smallest_cell=1)
    table = found.index.with_columns(value=found.estimate).pivot("metric", index=["attribute", "group"], values="value")
    assert np.allclose(table["balanced_accuracy"], (table["tpr"] + 1 - table["fpr"]) / 2)
    assert np.allclose(table["fnr"], 1 - table["tpr"])
    assert set(RATES) <= set(table.columns)
    assert table.select(pl.all_horizontal(pl.col(RATES).is_between(0, 1)).all()).item()


def test_gaps_are_group_less_reference_and_the_mean_over_networks():
    frame, scores = cohort()
    people = Population.from_frame(frame)
    levels = rates(people, (scores >= 0.5).astype(float))
    found = gaps(levels, people)
    for k, row in enumerate(found.index.to_dicts()):
        group, reference = row["contrast"].split(" - ")
        assert reference == DEFAULTS[row["attribute"]].reference
        sides = [value(levels, row["attribute"], name, row["metric"]) for name in (group, reference)]
        assert found.estimate[k] == pytest.approx(sides[0] - sides[1], abs=1e-12)
    one, two = (rates(people, own[None]).estimate for own in (scores >= 0.5).astype(float))
    assert np.allclose(np.nan_to_num(levels.estimate), np.nan_to_num((one + two) / 2))


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_demands_of_fairness_are_fairlearns_where_each_patient_has_one_image(seed):
    frame, scores = cohort(seed, unknown=0.0)
    frame = frame.with_columns(patient=pl.int_range(pl.len()))
    called = (scores[:1] >= 0.5).astype(float)
    context = Context(Population.from_frame(frame), frame, {"uniform": scores[:1]}, {BASELINE: called}, smallest_cell=1)
    table = answer(context, only=["parity"])["parity"]
    for row in table.filter(pl.col("measure").is_in(list(DEMANDS))).to_dicts():
        own = {"sensitive_features": frame[row["attribute"]].to_numpy()}
        oracle = DEMANDS[row["measure"]](frame["label"].to_numpy(), called[0], **own)
        assert row["estimate"] == pytest.approx(oracle, abs=1e-9), row["measure"]
