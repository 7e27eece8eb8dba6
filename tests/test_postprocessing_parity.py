"""Randomised and constrained rules: the known optimum is found, fairlearn agrees, hopeless groups do no silent harm."""

import numpy as np
import pytest
from fairlearn_thresholds import fairlearns
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from lib.postprocessing import REGISTRY, Mixture, Sample, Thresholds
from lib.postprocessing.recalibration import isotonic_map, platt_map
from lib.postprocessing.reject_option import choose

GROUP_METHODS = [name for name, method in REGISTRY.items() if method.needs_group]


def sample(n=1500, seed=0, groups=2, shift=(0.0, 0.8, -0.5), signal=(1.0, 0.6, 1.4), unknown=0.0):
    """Scores 0 to 1; groups differ in level, signal and prevalence."""
    draw = np.random.default_rng(seed)
    group = draw.integers(0, groups, n)
    labels = (draw.random(n) < np.array([0.4, 0.6, 0.5])[group]).astype(int)
    logits = np.array(signal)[group] * (2 * labels - 1) + np.array(shift)[group] + draw.normal(0, 1, n)
    group = np.where(draw.random(n) < unknown, -1, group)
    return Sample(1 / (1 + np.exp(-logits)), labels, np.arange(n), group)


def rates(own, decided, group=None):
    chosen = np.ones(len(decided), bool) if group is None else own.groups == group
    return tuple(decided[chosen & (own.labels == label)].mean() for label in (1, 0))


def balanced(own, decided, group=None):
    tpr, fpr = rates(own, decided, group)
    return (tpr + 1 - fpr) / 2


def decide(name, own):
    return REGISTRY[name].fit(own, 20).decide(own.scores, own.groups)


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize(
    ("name", "constraint"), [("equalized_odds", "equalized_odds"), ("equal_opportunity", "true_positive_rate_parity")]
)
def test_randomised_parity_is_as_good_as_fairlearns(name, constraint, groups):
    own = sample(groups=groups)
    theirs = fairlearns(own, constraint)
    ours = decide(name, own)
    assert balanced(own, ours) == pytest.approx(balanced(own, theirs), abs=2e-3)
    for side in (0, 1) if name == "equalized_odds" else (0,):
        of = [rates(own, ours, g)[side] for g in range(groups)]
        assert max(of) - min(of) < 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_equal_opportunity_is_the_linear_programmes_optimum(seed):
    own = sample(groups=3, n=600, seed=seed)
    ours = decide("equal_opportunity", own)
    assert balanced(own, ours) == pytest.approx(linear_programme(own), abs=1e-9)
    assert np.ptp([rates(own, ours, g)[0] for g in range(3)]) <= 1e-9


def linear_programme(own):
    """Best balanced accuracy over the TPR of all and the FPR of each of three groups, under every group's hull."""
    cost, rows, bounds = [-1.0], [], []
    for g in range(3):
        cost.append(own.share_of(g, 0))
        hull = own.of(g).hull
        for k in range(len(hull.fpr) - 1):
            run, rise = hull.fpr[k + 1] - hull.fpr[k], hull.tpr[k + 1] - hull.tpr[k]
            rows.append([run, *(-rise * (g == other) for other in range(3))])
            bounds.append(run * hull.tpr[k] - rise * hull.fpr[k])
    found = linprog(cost, A_ub=np.array(rows), b_ub=bounds, bounds=[(0, 1)] * 4)
    return (1 - found.fun) / 2


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), fpr=st.floats(0, 1), share=st.floats(0, 1))
def test_a_mixture_has_the_rates_it_was_asked_for(seed, fpr, share):
    own = sample(n=200, seed=seed, groups=1)
    top = float(own.hull.highest_tpr(fpr))
    tpr = min(top, fpr + share * max(0, top - fpr))
    decided = Mixture(0.5, {0: own.hull.reach(fpr, tpr)}).decide(own.scores, own.groups)
    assert rates(own, decided) == pytest.approx((max(tpr, min(fpr, top)), fpr), abs=1e-9)


def test_a_group_without_signal_pulls_equalised_odds_down_to_chance_and_leaves_best_thresholds_alone():
    own = sample(n=20_000, signal=(1.5, 0.0, 0.0))
    assert balanced(own, decide("equalized_odds", own)) == pytest.approx(0.5, abs=0.02)
    assert balanced(own, decide("group_best_threshold", own), 0) > 0.85


@pytest.mark.parametrize("name", ["equal_fpr", "equal_selection", "equal_tpr"])
def test_equal_rates_are_equal(name):
    own = sample(n=6000, groups=3)
    decided = decide(name, own)
    if name == "equal_selection":
        of = [decided[own.groups == g].mean() for g in range(3)]
    else:
        of = [rates(own, decided, g)[name == "equal_fpr"] for g in range(3)]
    assert max(of) - min(of) < 0.003


def test_thresholds_by_group_already_have_the_best_worst_group_and_one_threshold_does_what_it_can():
    own = sample(n=3000, groups=3)
    worst = {name: min(balanced(own, decide(name, own), g) for g in range(3)) for name in REGISTRY}
    assert worst["group_best_threshold"] >= max(worst.values()) - 1e-9
    assert worst["minimax_threshold"] >= max(worst["best_threshold"], worst["fixed_0.5"])


def test_levelling_up_brings_every_group_up_at_the_least_price():
    own = sample(n=3000, groups=3)
    everyone = rates(own, decide("best_threshold", own))[0]
    assert min(rates(own, decide("level_up_tpr", own), g)[0] for g in range(3)) >= everyone - 1e-9
    least = min(balanced(own, decide("level_up_accuracy", own), g) for g in range(3))
    best = min(balanced(own, decide("group_best_threshold", own), g) for g in range(3))
    assert least >= min(best, balanced(own, decide("best_threshold", own))) - 1e-9


@pytest.mark.parametrize("lower", [0, 1])
def test_reject_option_finds_the_direction(lower):
    shift = (-1.0, 1.0, 0.0) if lower == 0 else (1.0, -1.0, 0.0)
    own = sample(n=4000, shift=shift, signal=(1.0, 1.0, 1.0))
    rule = REGISTRY["reject_option"].fit(own, 20)
    # the group whose scores are lower must be called sick from a lower score
    assert rule.of(lower) < rule.of(1 - lower)
    gap = np.ptp([rates(own, rule.decide(own.scores, own.groups), g)[0] for g in (0, 1)])
    assert gap <= 0.05 + 1e-9


def test_reject_option_is_the_best_of_all_it_may_try():
    own = sample(n=500)
    thresholds, bands = np.repeat([0.3, 0.5, 0.6], 3), np.tile([0.0, 0.1, 0.2], 3)
    found = Thresholds(0.5, choose(own, [0, 1], thresholds, bands)).decide(own.scores, own.groups)
    best = -1.0
    for threshold, band in zip(thresholds, bands, strict=True):
        for side in (-1, 1):
            decided = Thresholds(0.5, {0: threshold + side * band, 1: threshold - side * band}).decide(
                own.scores, own.groups
            )
            if np.ptp([rates(own, decided, g)[0] for g in (0, 1)]) <= 0.05:
                best = max(best, balanced(own, decided))
    assert balanced(own, found) == pytest.approx(best)


def test_platt_scaling_undoes_what_was_done_to_the_chances():
    """Scores whose logits are a line of the true ones: afterwards the chances are those that made the labels."""
    draw = np.random.default_rng(0)
    truth = draw.normal(0, 1.5, 50_000)
    labels = (draw.random(50_000) < expit(truth)).astype(int)
    own = Sample(expit((truth + 0.4) / 0.7), labels, np.arange(50_000), np.zeros(50_000, int))
    forward, back = platt_map(own)
    assert np.abs(forward(own.scores) - expit(truth)).max() < 0.02
    assert forward(np.array([back(0.5)])) == pytest.approx(0.5)


def test_isotonic_recalibration_is_scikit_learns():
    own = sample(n=500)
    own = Sample(np.round(own.scores, 2), own.labels, own.patients, own.groups)
    forward, back = isotonic_map(own)
    at = np.linspace(0, 1, 301)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(own.scores, own.labels).predict(at)
    assert forward(at) == pytest.approx(theirs, abs=1e-12)
    level = float(np.median(theirs)) + 1e-6
    assert ((at >= back(level)) == (theirs >= level)).all()


@pytest.mark.parametrize("name", ["platt", "isotonic"])
def test_recalibration_undoes_a_shift_between_groups(name):
    own = sample(n=40_000, shift=(0.0, 2.0, 0.0), signal=(1.0, 1.0, 1.0))
    rule = REGISTRY[name].fit(own, 20)
    logit = [np.log(rule.of(g) / (1 - rule.of(g))) for g in (0, 1)]
    # prevalence .4 and .6 move the two by -log(.6 / .4) of a logit each way: 2 logits of score per unit of shift
    assert logit[1] - logit[0] == pytest.approx(2.0 - np.log(1.5), abs=0.35)


@pytest.mark.parametrize("name", list(REGISTRY))
def test_constant_scores_give_constant_decisions(name):
    own = sample(n=400)
    flat = Sample(np.full(400, 0.3), own.labels, own.patients, own.groups)
    decided = decide(name, flat)
    assert np.isfinite(decided).all()
    for g in (0, 1):
        assert np.ptp(decided[flat.groups == g]) == pytest.approx(0)


@pytest.mark.parametrize("name", REGISTRY)
def test_of_one_class_a_rule_decides_or_says_so_in_one_sentence(name):
    own = sample(n=200)
    try:
        decided = (
            REGISTRY[name]
            .fit(Sample(own.scores, np.zeros(200, int), own.patients, own.groups), 20)
            .decide(own.scores, own.groups)
        )
        assert ((decided >= 0) & (decided <= 1)).all()
    except ValueError as error:
        assert "only one of the two is there" in str(error)


def test_what_maximises_balanced_accuracy_cannot_be_fitted_to_one_class():
    own = sample(n=200)
    with pytest.raises(ValueError, match="only one of the two is there"):
        REGISTRY["best_threshold"].fit(Sample(own.scores, np.zeros(200, int), own.patients, own.groups), 20)


def test_a_score_that_is_no_number_is_one_sentence():
    own = sample(n=200)
    broken = np.where(np.arange(200) == 7, np.nan, own.scores)
    with pytest.raises(ValueError, match="^1 of 200 scores are not finite numbers.$"):
        Sample(broken, own.labels, own.patients, own.groups)


@pytest.mark.parametrize("name", GROUP_METHODS)
def test_one_group_no_group_ties_and_unknown_groups_are_decided(name):
    for own in (
        sample(groups=1),
        sample(unknown=0.3),
        sample(unknown=1.0),
        Sample(np.round(sample().scores, 1), *(getattr(sample(), c) for c in ("labels", "patients", "groups"))),
    ):
        decided = decide(name, own)
        assert ((decided >= 0) & (decided <= 1)).all()
    nobody = sample(unknown=1.0)
    # without any known group, everyone has the overall rule
    assert set(np.unique(decide(name, nobody))) <= {0.0, 1.0}


@pytest.mark.parametrize("name", GROUP_METHODS)
def test_a_group_too_small_to_fit_has_the_overall_rule(name):
    own = sample(n=2000)
    groups = np.where((own.groups == 1) & (own.patients >= 30), 0, own.groups)
    rule = REGISTRY[name].fit(Sample(own.scores, own.labels, own.patients, groups), 20)
    assert set(rule.by_group) == ({0} if name != "reject_option" else set())
    few = rule.decide(own.scores[:5], np.full(5, 1))
    assert (few == (own.scores[:5] >= rule.pooled)).all() and (few == rule.decide(own.scores[:5], np.full(5, 9))).all()
