"""AIF360 as an oracle, on cohorts of two groups, where it and this project define the same thing.

AIF360 is a tool of the tests alone; without it they are skipped.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from lib.postprocessing import REGISTRY, Sample, Thresholds
from lib.postprocessing.calibrated_odds import calibrated_odds
from lib.postprocessing.reject_option import BOUND, choose

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    datasets = pytest.importorskip("aif360.datasets")
    oracle = pytest.importorskip("aif360.algorithms.postprocessing")
GROUPS = {"unprivileged_groups": [{"group": 0}], "privileged_groups": [{"group": 1}]}


def sample(seed=0, n=1200, shift=0.8):
    draw = np.random.default_rng(seed)
    group = draw.integers(0, 2, n)
    labels = (draw.random(n) < np.array([0.4, 0.6])[group]).astype(int)
    logits = np.array([0.8, 1.2])[group] * (2 * labels - 1) + shift * group + draw.normal(0, 1, n)
    return Sample(1 / (1 + np.exp(-logits)), labels, np.arange(n), group)


def as_datasets(own, decided=None):
    """(true, predicted) as AIF360 wants them; sick is its favourable label, so that a high score means sick in both."""
    made = {"df": pd.DataFrame({"group": own.groups * 1.0, "label": own.labels * 1.0})}
    made |= {
        "label_names": ["label"],
        "protected_attribute_names": ["group"],
        "favorable_label": 1,
        "unfavorable_label": 0,
    }
    true, predicted = datasets.BinaryLabelDataset(**made), datasets.BinaryLabelDataset(**made)
    predicted.scores = own.scores[:, None].copy()
    predicted.labels = ((own.scores >= 0.5) if decided is None else decided)[:, None].astype(float)
    return true, predicted


def balanced(own, decided):
    return (decided[own.labels == 1].mean() + 1 - decided[own.labels == 0].mean()) / 2


@pytest.mark.parametrize("cost", ["fnr", "fpr", "weighted"])
@pytest.mark.parametrize("seed", [0, 1])
def test_calibrated_odds_give_up_the_same_share_of_scores(cost, seed):
    own = sample(seed)
    theirs = oracle.CalibratedEqOddsPostprocessing(cost_constraint=cost, seed=0, **GROUPS).fit(*as_datasets(own))
    rule = calibrated_odds(own, 20, cost)
    for group, share in ((0, theirs.unpriv_mix_rate), (1, theirs.priv_mix_rate)):
        kept = dict(rule.by_group[group]).get(0.5)
        assert 1 - kept == pytest.approx(np.clip(share, 0, 1), abs=1e-9)
    drawn = np.mean([_calibrated(own, cost, seed) for seed in range(20)], axis=0)
    assert np.abs(drawn - rule.decide(own.scores, own.groups)).mean() < 0.1


def _calibrated(own, cost, seed):
    method = oracle.CalibratedEqOddsPostprocessing(cost_constraint=cost, seed=seed, **GROUPS)
    return method.fit(*as_datasets(own)).predict(as_datasets(own)[1]).labels[:, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_equalised_odds_of_hard_decisions_are_as_good(seed):
    own = sample(seed)
    hard = (own.scores >= 0.5).astype(float)
    theirs = oracle.EqOddsPostprocessing(seed=0, **GROUPS).fit(*as_datasets(own, hard))
    sp2p, sn2p, op2p, on2p = theirs.model_params.x
    chance = np.where(own.groups == 1, np.where(hard == 1, sp2p, sn2p), np.where(hard == 1, op2p, on2p))
    binary = Sample(hard, own.labels, own.patients, own.groups)
    ours = REGISTRY["equalized_odds"].fit(binary, 20).decide(hard, own.groups)
    assert balanced(own, ours) == pytest.approx(balanced(own, chance), abs=1e-3)


@pytest.mark.parametrize("shift", [-0.8, 0.8])
def test_reject_option_finds_what_aif360_finds_when_it_is_told_the_direction(shift):
    own = sample(shift=shift)
    options = {"low_class_thresh": 0.2, "high_class_thresh": 0.8, "num_class_thresh": 9, "num_ROC_margin": 7}
    options |= {"metric_name": "Equal opportunity difference", "metric_ub": BOUND, "metric_lb": -BOUND}
    found = []
    for low, high in ((0, 1), (1, 0)):
        told = {"unprivileged_groups": [{"group": low}], "privileged_groups": [{"group": high}]}
        method = oracle.RejectOptionClassification(**told, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            decided = method.fit_predict(*as_datasets(own)).labels[:, 0]
        tpr = [decided[(own.labels == 1) & (own.groups == g)].mean() for g in (0, 1)]
        if abs(tpr[0] - tpr[1]) <= BOUND:
            found.append(balanced(own, decided))
    tried = np.linspace(0.2, 0.8, 9)
    thresholds = np.repeat(tried, 7)
    bands = np.concatenate([np.linspace(0, min(t, 1 - t), 7) for t in tried])
    ours = Thresholds(0.5, choose(own, [0, 1], thresholds, bands)).decide(own.scores, own.groups)
    assert balanced(own, ours) == pytest.approx(max(found), abs=1e-9)
