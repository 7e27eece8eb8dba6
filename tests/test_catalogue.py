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
    frame = pl.DataFrame({"patient": np.arange(n), "label": draw.integers(0, 2, n), "sex": draw.choice(["F", "M"], n)})
    return Population.from_frame(frame, attributes=["sex"])


def test_the_retraining_floor_covers_nineteen_of_twenty_repetitions():
    """Means of 3 networks of one procedure, drawn twice: 95 % of their differences lie within the floor."""
    draw = np.random.default_rng(0)
    people = population(draw)
    inside = []
    for _ in range(150):
        networks = draw.random((3, 3, 400)) < np.clip(0.5 + draw.normal(0, 0.08, (3, 3, 1)), 0, 1)
        scores = {name: own.astype(float) for name, own in zip(("uniform", "a", "b"), networks, strict=True)}
        floor = retraining_floor(people, scores, smallest_cell=5).filter(attribute=OVERALL, metric="tpr")["floor"][0]
        sick = people.labels == 1
        change = networks[0][:, sick].mean() - networks[1][:, sick].mean()
        inside.append(abs(change) <= floor)
    assert 0.88 <= np.mean(inside) <= 0.99


def test_one_network_each_has_no_floor():
    people = population(np.random.default_rng(1))
    floor = retraining_floor(people, {"uniform": np.full((1, 400), 0.4)}, smallest_cell=5)
    assert floor["floor"].null_count() == floor.height


def test_the_placebo_floor_is_what_nineteen_of_twenty_placebos_stay_under():
    key, gap = (OVERALL, "tpr", "all"), ("sex", "tpr", "max - min")
    placebos = [{key: 0.5 + k / 1000, gap: None} for k in range(101)]
    table = placebo_floor({key: 0.5, gap: None}, placebos)
    assert table.filter(attribute=OVERALL)["floor"][0] == approx(0.095)
    assert table.filter(attribute="sex")["floor"][0] is None
