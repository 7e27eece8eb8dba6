"""Rules are fitted to what is judged: within group and label every patient counts once, whatever their number of images."""

import numpy as np
import pytest
from fairlearn_thresholds import fairlearns
from sklearn.linear_model import LogisticRegression

from lib.postprocessing import REGISTRY, Sample
from lib.postprocessing.thresholds import share_from, threshold_keeping_under, threshold_reaching
from lib.recalibration import logistic, logits

MOST = 4
EVENLY = 12
"""Divisible by every number of images from 1 to 4."""
FITTED = [name for name in REGISTRY if name not in ("fixed_0.5", "platt", "temperature")]


def sample(weights, patients=300, seed=0):
    """One label and one group a patient, 1 to 4 images; the more images, the higher the scores."""
    draw = np.random.default_rng(seed)
    images = draw.integers(1, MOST + 1, patients)
    group = draw.integers(0, 2, patients)
    label = (draw.random(patients) < np.array([0.4, 0.6])[group]).astype(int)
    patient = np.repeat(np.arange(patients), images)
    logits = 1.0 * (2 * label - 1)[patient] + 0.8 * group[patient] + 0.5 * images[patient] - 1.5
    scores = 1 / (1 + np.exp(-logits - draw.normal(0, 1, len(patient))))
    return Sample(scores, label[patient], patient, group[patient], weights)


def repeated(own):
    """The same with each image as often as makes all patients equal."""
    often = EVENLY // np.bincount(own.patients)[own.patients]
    columns = (own.scores, own.labels, own.patients, own.groups)
    return Sample(*(np.repeat(column, often) for column in columns), "image")


def decide(name, own, at):
    return REGISTRY[name].fit(own, 20).decide(at.scores, at.groups)


@pytest.mark.parametrize("name", FITTED)
def test_a_fit_by_patient_is_the_fit_by_image_of_equal_patients(name):
    own = sample("patient")
    assert decide(name, own, own) == pytest.approx(decide(name, repeated(own), own), abs=1e-6)


@pytest.mark.parametrize("name", ["best_threshold", *(name for name, method in REGISTRY.items() if method.fits_group)])
def test_by_image_is_another_fit(name):
    apart = []
    for seed in range(6):
        by_patient, by_image = sample("patient", seed=seed), sample("image", seed=seed)
        apart.append(np.abs(decide(name, by_patient, by_image) - decide(name, by_image, by_image)).max())
    assert max(apart) > 0.01


def test_equal_rates_are_equal_by_patient():
    own = sample("patient", 3000)
    decided = decide("equal_tpr", own, own)
    by_patient = [
        np.average(decided[(own.groups == g) & (own.labels == 1)], weights=own.of(g).by_label[own.of(g).labels == 1])
        for g in (0, 1)
    ]
    by_image = [decided[(own.groups == g) & (own.labels == 1)].mean() for g in (0, 1)]
    assert abs(np.diff(by_patient)) < 0.005 < abs(np.diff(by_image))


def test_a_patient_of_two_views_counts_once_in_each():
    own = Sample(np.array([0.1, 0.2, 0.9, 0.8]), np.array([1, 1, 1, 0]), np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    assert own.by_label == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])
    assert own.of(0).by_label == pytest.approx([0.5, 0.5]) and own.of(1).by_label == pytest.approx([1, 1])
    assert own.by_all.sum() == pytest.approx(2) and own.share_of(1, 1) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", [n for n in REGISTRY if n != "fixed_0.5"])
def test_a_patient_drawn_twice_is_two_patients(name):
    own = sample("patient")
    draw = np.random.default_rng(1)
    counts = np.bincount(draw.integers(0, 300, 300), minlength=300)
    columns = (own.scores, own.labels, own.patients, own.groups)
    copies = []
    for k in range(counts.max()):
        chosen = counts[own.patients] > k
        copies.append([column[chosen] for column in columns])
    scores, labels, _, groups = (np.concatenate(parts) for parts in zip(*copies, strict=True))
    patients = np.concatenate([copy[2] + 300 * k for k, copy in enumerate(copies)])
    twice = Sample(scores, labels, patients, groups)
    assert decide(name, own.resampled(counts), own) == pytest.approx(decide(name, twice, own), abs=1e-6)
    assert own.resampled(counts).fittable(20) == twice.fittable(20)


@pytest.mark.parametrize("target", [0.0, 0.2, 0.5, 1.0])
def test_weighted_targets_are_reached_and_kept_under(target):
    scores, weights = np.array([0.9, 0.7, 0.7, 0.4, 0.1]), np.array([1.0, 0.5, 0.5, 2.0, 1.0])
    reaching, under = threshold_reaching(target, scores, weights), threshold_keeping_under(target, scores, weights)
    assert share_from(reaching, scores, weights) >= target - 1e-9
    assert share_from(under, scores, weights) <= target + 1e-9
    for higher in scores[scores > reaching]:
        assert share_from(higher, scores, weights) < target
    for lower in scores[scores < under]:
        assert share_from(lower, scores, weights) > target


def test_weighted_platt_is_scikit_learns():
    own = sample("patient")
    x = logits(own.scores)
    theirs = LogisticRegression(C=1e9, tol=1e-10).fit(x[:, None], own.labels, sample_weight=own.by_all)
    expected = [theirs.coef_[0, 0], theirs.intercept_[0]]
    found = logistic(np.stack([x, np.ones_like(x)], axis=1), own.labels, own.by_all)
    assert found == pytest.approx(expected, abs=1e-4)


def test_equalised_odds_by_patient_are_fairlearns_on_equal_patients():
    own = sample("patient", 200)
    even = repeated(own)
    theirs = fairlearns(even, "equalized_odds")
    ours = decide("equalized_odds", own, even)
    values = [(d[even.labels == 1].mean() + 1 - d[even.labels == 0].mean()) / 2 for d in (ours, theirs)]
    assert values[0] == pytest.approx(values[1], abs=2e-3)


def test_other_weights_are_one_sentence():
    own = sample("image")
    with pytest.raises(ValueError, match="^weights are 'lung'; allowed are patient, image.$"):
        Sample(own.scores, own.labels, own.patients, own.groups, "lung")
