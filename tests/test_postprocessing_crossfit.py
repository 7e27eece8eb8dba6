"""No decision is judged on the patients that chose it; naive ones are, and look better."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.audit import Context, Population, answer
from lib.names import DEFAULTS, RANDOMISED
from lib.postprocessing import REGISTRY, Sample, post_process
from lib.postprocessing.crossfit import patient_folds
from lib.tables import RECORDED


def cohort(patients=150, seed=0, signal=1.0):
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, 5, patients))
    n = len(patient)
    columns = {name: draw.choice(attribute.groups, n) for name, attribute in DEFAULTS.items()}
    frame = pl.DataFrame({"patient": patient, "label": draw.integers(0, 2, n), **columns})
    logits = signal * (frame["label"].to_numpy() - 0.5) + draw.normal(0, 1, (2, n))
    return Population.from_frame(frame), 1 / (1 + np.exp(-logits))


@pytest.fixture(scope="module")
def processed():
    population, scores = cohort()
    return population, scores, post_process(population, {"uniform": scores}, list(REGISTRY), list(DEFAULTS))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), folds=st.integers(2, 6))
def test_no_patient_is_on_two_sides_and_every_part_has_both_labels(seed, folds):
    population, _ = cohort(60, seed)
    part = patient_folds(population, folds, seed, 0)
    assert set(part) == set(range(folds))
    for patient in range(population.n_patients):
        assert len(set(part[population.patients == patient])) == 1
    for k in range(folds):
        assert set(population.labels[part != k]) == {0, 1}


@pytest.mark.parametrize("name", list(REGISTRY))
def test_a_held_out_patients_label_and_score_never_reach_the_rule_that_judges_it(name):
    population, scores = cohort()
    before = post_process(population, {"uniform": scores[:1]}, [name], ["view"], smallest_cell=5)
    held_out = before.folds[0] == 2
    # flip every label of one fold: its own decisions must stay, as they come from the other folds
    flipped = Population(
        population.patients, np.where(held_out, 1 - population.labels, population.labels), population.groups
    )
    (key, decided), *_ = before.decisions.items()
    rule = REGISTRY[name]
    groups = population.groups["view"] if rule.fits_group else np.full(population.n_images, -1)
    fit = [
        rule.fit(Sample(*(c[~held_out] for c in (scores[0], people.labels, people.patients, groups))), 5)
        for people in (population, flipped)
    ]
    assert fit[0] == fit[1]
    assert (decided[0, held_out] == fit[0].decide(scores[0, held_out], groups[held_out])).all()
    assert key[1] == name


def test_keys_targets_and_shapes_are_what_the_audit_wants(processed):
    population, scores, found = processed
    targets = {name: list(DEFAULTS) if method.fits_group else ["none"] for name, method in REGISTRY.items()}
    expected = {("uniform", name, target) for name in REGISTRY for target in targets[name]}
    assert set(found.decisions) == set(found.naive) == expected
    for (_, name, _), decided in found.decisions.items():
        assert decided.shape == scores.shape and decided.min() >= 0 and decided.max() <= 1
        assert name in RANDOMISED or set(np.unique(decided)) <= {0.0, 1.0}


def test_other_processes_find_the_same(processed, monkeypatch):
    population, scores, alone = processed
    monkeypatch.setattr("lib.postprocessing.crossfit.MANY", 2)
    monkeypatch.setattr("lib.postprocessing.crossfit.cpu_count", lambda: 2)
    shared = post_process(population, {"uniform": scores}, list(REGISTRY), list(DEFAULTS))
    for key, rows in alone.decisions.items():
        assert np.array_equal(rows, shared.decisions[key]) and np.array_equal(alone.naive[key], shared.naive[key])
    assert alone.thresholds.equals(shared.thresholds)
    assert all(np.array_equal(rows, shared.as_group[key]) for key, rows in alone.as_group.items())


def test_thresholds_are_as_the_bundle_has_them(processed):
    frame = processed[2].thresholds
    assert dict(frame.schema) == RECORDED["thresholds"] and frame.columns == list(RECORDED["thresholds"])


def test_thresholds_say_how_far_they_move_and_how_often_they_were_fitted(processed):
    thresholds = processed[2].thresholds
    low, cut, high = (thresholds[name].to_numpy() for name in ("low", "threshold", "high"))
    assert (low <= cut + 1e-12).all() and (cut <= high + 1e-12).all()
    groups = sum(len(a.groups) for a in DEFAULTS.values())
    rows = {(False, False): 1, (True, False): len(DEFAULTS), (True, True): groups}  # fits a group, needs a group
    expected = [rows[m.fits_group, m.needs_group] for m in REGISTRY.values() if m.name not in RANDOMISED]
    assert thresholds.height == sum(expected)
    assert (thresholds["fitted"] == 1).all()
    fixed = thresholds.filter(postprocessing="fixed_0.5")
    assert fixed.select("group", "threshold", "low", "high").row(0) == ("all", 0.5, 0.5, 0.5)


def test_a_group_too_small_in_the_fitting_folds_is_recorded_as_not_fitted():
    population, scores = cohort()
    found = post_process(population, {"uniform": scores}, ["equal_tpr"], ["sex"], smallest_cell=10_000)
    pooled = post_process(population, {"uniform": scores}, ["best_threshold"], [])
    assert (found.thresholds["fitted"] == 0).all()
    assert (
        found.decisions["uniform", "equal_tpr", "sex"] == pooled.decisions["uniform", "best_threshold", "none"]
    ).all()


def test_the_fixed_threshold_is_the_same_in_place_and_held_out(processed):
    _, scores, found = processed
    key = ("uniform", "fixed_0.5", "none")
    assert (found.decisions[key] == found.naive[key]).all() and (found.decisions[key] == (scores >= 0.5)).all()


def test_on_pure_noise_the_naive_threshold_promises_what_the_held_out_one_does_not_keep():
    population, scores = cohort(signal=0.0)
    found = post_process(population, {"uniform": scores}, ["fixed_0.5", "best_threshold"], list(DEFAULTS))
    people = pl.DataFrame({"patient": population.patients, "label": population.labels})
    context = Context(population, people, {"uniform": scores}, found.decisions, naive=found.naive)
    table = answer(context, only=["optimism"])["optimism"]
    overall = table.filter(attribute="overall")
    assert overall["naive"].item() > 0.51 and overall["estimate"].item() > 0
    assert overall["estimate"].item() == pytest.approx(overall["naive"].item() - overall["cross_fitted"].item())
    assert set(table["attribute"]) == {"overall", *DEFAULTS}


def test_each_network_has_folds_of_its_own_and_weightings_share_them():
    population, scores = cohort()
    found = post_process(population, {"a": scores[[0, 0]], "b": scores[[0, 0]]}, ["best_threshold"], [])
    assert (found.folds[0] != found.folds[1]).any()
    assert (found.decisions["a", "best_threshold", "none"] == found.decisions["b", "best_threshold", "none"]).all()
    again = post_process(population, {"a": scores[[0, 0]]}, ["best_threshold"], [])
    assert (again.folds == found.folds).all()


def test_few_patients_mean_fewer_folds_and_too_few_an_error():
    patients, labels = np.arange(8), np.array([1, 1, 1, 0, 0, 0, 0, 0])
    assert set(patient_folds(Population(patients, labels, {}), 5, 0, 0)) == {0, 1, 2}
    for few in (np.array([1, 0, 0, 0, 0, 0, 0, 0]), np.ones(8, dtype=int)):
        with pytest.raises(ValueError, match="cannot be divided into folds"):
            patient_folds(Population(patients, few, {}), 5, 0, 0)


def test_inputs_that_cannot_be_used_are_refused():
    population, scores = cohort()
    cases = (
        ({"uniform": scores * np.nan}, ["fixed_0.5"], [], "not finite numbers"),
        ({"uniform": scores[:, 1:]}, ["fixed_0.5"], [], "shape"),
        ({"uniform": scores[0]}, ["fixed_0.5"], [], "shape"),
        ({"uniform": scores}, ["coin"], [], "'coin' is not a post-processing; allowed are fixed_0.5"),
        ({"uniform": scores}, ["equal_tpr"], ["income"], "'income' is not an attribute here; allowed are sex"),
        ({}, ["fixed_0.5"], [], "no scores"),
    )
    for own, names, attributes, said in cases:
        with pytest.raises(ValueError, match=said):
            post_process(population, own, names, attributes)
