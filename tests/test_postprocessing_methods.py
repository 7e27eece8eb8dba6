"""Thresholds find the optimum that is known, equalise what they promise, and fall back where there are too few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from lib.names import DECIDE_WITHOUT_GROUP, POSTPROCESSINGS, RANDOMISED
from lib.postprocessing import REGISTRY, Sample, Thresholds
from lib.postprocessing.thresholds import best_threshold, rates_by_threshold, threshold_reaching

labelled_scores = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8]), st.integers(0, 1)), min_size=2).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


def sample(n=4000, seed=0, shift=(0.0, 1.0), groups=2):
    """Scores normal about -1 (healthy) and +1 (sick), moved by the group's shift: the best threshold is the shift."""
    draw = np.random.default_rng(seed)
    group, labels = draw.integers(0, groups, n), draw.integers(0, 2, n)
    scores = draw.normal(2 * labels - 1, 1) + np.array(shift)[group]
    return Sample(scores, labels, np.arange(n), group)


@given(labelled_scores)
def test_every_balanced_accuracy_is_scikit_learns(rows):
    scores, labels = map(np.array, zip(*rows, strict=True))
    candidates, tpr, fpr = rates_by_threshold(scores, labels)
    assert (np.diff(candidates) > 0).all()
    for threshold, value in zip(candidates, (tpr + 1 - fpr) / 2, strict=True):
        assert value == pytest.approx(balanced_accuracy_score(labels, scores >= threshold), abs=1e-12)


@given(labelled_scores)
def test_no_threshold_does_better_than_the_best(rows):
    scores, labels = map(np.array, zip(*rows, strict=True))
    best = balanced_accuracy_score(labels, scores >= best_threshold(scores, labels))
    for threshold in (*np.unique(scores), np.inf):
        assert best >= balanced_accuracy_score(labels, scores >= threshold) - 1e-12


def test_the_best_threshold_is_where_the_two_densities_cross():
    one = sample(20_000, shift=(0.3, 0.3))
    assert best_threshold(one.scores, one.labels) == pytest.approx(0.3, abs=0.1)


def test_separable_scores_are_separated_half_way_and_ties_go_near_one_half():
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.9]), np.array([0, 0, 1, 1])) == pytest.approx(0.4)
    assert best_threshold(np.array([0.5, 0.5]), np.array([0, 1])) == 0.5


def test_neighbouring_floats_are_told_apart():
    low = 0.5
    scores = np.array([low, np.nextafter(low, 1)])
    assert balanced_accuracy_score([0, 1], scores >= best_threshold(scores, np.array([0, 1]))) == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 1))
def test_the_threshold_that_reaches_a_tpr_is_the_highest_one(scores, target):
    scores = np.array(scores)
    threshold = threshold_reaching(target, scores)
    assert (scores >= threshold).mean() >= target - 1e-6
    if target > 1e-6:
        assert (scores >= np.nextafter(threshold, 2)).mean() < target + 1e-6


def test_a_single_class_cannot_be_fitted():
    with pytest.raises(ValueError, match="only one of the two"):
        best_threshold(np.array([0.1, 0.2]), np.array([1, 1]))


@pytest.mark.parametrize("name", REGISTRY)
def test_a_rule_needs_no_group_and_tosses_no_coin_but_where_it_is_named(name):
    own = sample(400)
    rule = REGISTRY[name].fit(own, 20)
    with_groups, without = (rule.decide(own.scores, groups) for groups in (own.groups, np.full(400, -1)))
    assert name not in DECIDE_WITHOUT_GROUP or (with_groups == without).all()
    assert name in RANDOMISED or set(np.unique(with_groups)) <= {0, 1}


def test_the_registry_is_the_names_list():
    assert set(REGISTRY) == set(POSTPROCESSINGS)
    assert REGISTRY.keys() >= DECIDE_WITHOUT_GROUP | RANDOMISED


def test_group_thresholds_find_each_groups_optimum():
    rule = REGISTRY["group_best_threshold"].fit(sample(40_000, shift=(0.0, 1.0)), 20)
    assert rule.of(0) == pytest.approx(0, abs=0.12) and rule.of(1) == pytest.approx(1, abs=0.12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-2, 2))
def test_equal_tpr_equalises_tpr_where_it_was_fitted(seed, shift):
    own = sample(1000, seed, (0.0, shift))
    rule = REGISTRY["equal_tpr"].fit(own, 20)
    decided = rule.decide(own.scores, own.groups)
    pooled = (own.scores >= rule.pooled)[own.labels == 1].mean()
    for group in (0, 1):
        sick = (own.labels == 1) & (own.groups == group)
        assert pooled <= decided[sick].mean() + 1e-9 < pooled + 1 / sick.sum() + 2e-9


@pytest.mark.parametrize("name", ["equal_tpr", "group_best_threshold"])
def test_small_unknown_and_unseen_groups_use_the_pooled_threshold(name):
    own = sample(1000, shift=(0.0, 1.0))
    # group 1 has nine patients, most of its images are of unknown group
    groups = np.where((own.groups == 1) & (own.patients >= 30), -1, own.groups)
    rule = REGISTRY[name].fit(Sample(own.scores, own.labels, own.patients, groups), 20)
    assert set(rule.by_group) == {0}
    assert rule.of(1) == rule.of(2) == rule.pooled != rule.of(0)
    scores = np.array([rule.pooled, np.nextafter(rule.pooled, -np.inf)] * 2)
    assert rule.decide(scores, np.array([-1, -1, 2, 2])).tolist() == [1, 0, 1, 0]


def test_patients_count_not_images():
    own = sample(1000)
    few = Sample(own.scores, own.labels, own.patients % 30, own.groups)
    assert few.fittable(20) == [0, 1] and few.fittable(31) == []


def test_a_score_at_the_threshold_is_called_sick():
    assert Thresholds(0.5).decide(np.array([0.5, 0.4999]), np.array([-1, -1])).tolist() == [1, 0]
