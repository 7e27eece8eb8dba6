"""The catalogue by re-trained last layers, and the noise floor beside which its effects are read."""

import numpy as np
import polars as pl
import pytest
from pytest import approx
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from lib.audit import Population
from lib.names import OVERALL
from lib.study.catalogue import placebo_floor, retraining_floor
from lib.study.last_layer import PENALTIES, Features, head_scores


@pytest.fixture
def features():
    draw = np.random.default_rng(3)
    labels = draw.integers(0, 2, 600)
    values = draw.normal(size=(600, 5)).astype(np.float32)
    values[:, 0] += labels
    rows = np.arange(600)
    return Features(values, rows[:400], rows[400:500], rows[500:]), labels


def test_heads_are_weighted_logistic_regressions_at_one_penalty(features):
    found, labels = features
    weights = np.where(labels[found.fit] == 1, 2.0, 0.5)
    scores = head_scores(found, labels, {"uniform": lambda: np.ones(400), "heavy": lambda: weights})
    fit = found.values[found.fit]
    scaled = (found.values - fit.mean(0)) / fit.std(0)
    tuned = {
        c: roc_auc_score(
            labels[found.tune],
            LogisticRegression(C=c, tol=1e-8, max_iter=1000)
            .fit(scaled[found.fit], labels[found.fit])
            .decision_function(scaled[found.tune]),
        )
        for c in PENALTIES
    }
    best = LogisticRegression(C=max(PENALTIES, key=tuned.get), tol=1e-8, max_iter=1000)
    expected = best.fit(scaled[found.fit], labels[found.fit], sample_weight=weights)
    assert scores["heavy"] == approx(expected.predict_proba(scaled[found.valid])[:, 1], abs=2e-3)
    assert scores["heavy"].mean() > scores["uniform"].mean()


def test_the_order_of_weightings_changes_no_score(features):
    found, labels = features
    weights = {name: np.random.default_rng(k).uniform(0.5, 2, 400) for k, name in enumerate("abc")}
    one = head_scores(found, labels, {name: lambda own=own: own for name, own in weights.items()})
    other = head_scores(found, labels, {name: lambda own=weights[name]: own for name in "cab"})
    assert all((one[name] == other[name]).all() for name in "abc")


def population(draw, n=400):
    """A patient each; all of one sex but for a handful, too few to be estimated."""
    sex = np.where(np.arange(n) < 6, "F", "M")
    frame = pl.DataFrame({"patient": np.arange(n), "label": draw.integers(0, 2, n), "sex": sex})
    return Population.from_frame(frame, attributes=["sex"])


def floors(table):
    """The floor of everyone's balanced accuracy, and of the gap in TPR."""
    everyone = table.filter(attribute=OVERALL, metric="balanced_accuracy")["floor"]
    return everyone.item(), table.filter(attribute="sex", metric="tpr", contrast="F - M")["floor"].item()


def balanced_accuracy(people, scores):
    decided = scores >= 0.5
    return (decided[:, people.labels == 1].mean(1) + 1 - decided[:, people.labels == 0].mean(1)) / 2


def test_the_retraining_floor_covers_nineteen_of_twenty_repetitions():
    """Means of 3 networks of one procedure, drawn twice: 95 % of their differences lie within the floor."""
    draw = np.random.default_rng(0)
    people = population(draw)
    inside = []
    for _ in range(150):
        chances = np.clip(0.5 + draw.normal(0, 0.08, (3, 3, 1)) * (2 * people.labels - 1), 0, 1)
        networks = draw.random((3, 3, 400)) < chances
        scores = {name: own.astype(float) for name, own in zip(("uniform", "a", "b"), networks, strict=True)}
        floor, _ = floors(retraining_floor(people, scores, smallest_cell=5))
        change = balanced_accuracy(people, networks[0]).mean() - balanced_accuracy(people, networks[1]).mean()
        inside.append(abs(change) <= floor)
    assert 0.88 <= np.mean(inside) <= 0.99


def test_one_network_each_has_no_floor():
    people = population(np.random.default_rng(1))
    floor = retraining_floor(people, {"uniform": np.full((1, 400), 0.4)}, smallest_cell=5)
    assert floor["floor"].null_count() == floor.height


def test_the_placebo_floor_is_what_nineteen_of_twenty_placebos_stay_under():
    """Placebo k finds k more of the sick than the start does: a known change of everyone's balanced accuracy."""
    people = population(np.random.default_rng(2))
    sick = np.flatnonzero(people.labels == 1)
    placebos = {}
    for k in range(101):
        scores = np.zeros((1, 400))
        scores[0, sick[:k]] = 1
        placebos[f"placebo_{k}"] = scores
    table = placebo_floor(people, np.zeros((1, 400)), placebos, smallest_cell=5)
    everyone, gap = floors(table)
    assert everyone == approx(95 / len(sick) / 2)
    assert gap is None
    assert set(table["n"]) == {101} and set(table["trained"]) == {"head"}
