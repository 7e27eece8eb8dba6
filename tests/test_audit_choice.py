"""Choosing among methods: fronts, closures, wrong groups, optimism and recommendations are what is known to be true."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from lib import results
from lib.audit import BASELINE, Population, audit
from lib.audit.closures import closures
from lib.audit.flattery import flattery
from lib.audit.front import dominating, front
from lib.audit.ledger import Ledger
from lib.audit.recommendation import permitted, recommend
from lib.audit.resampler import Resampler
from lib.audit.sensitivity import WRONG, mistaken, wrong_groups
from lib.audit.tails import tail_p
from lib.names import (
    ALTERNATIVE,
    ATTRIBUTES,
    LEVELLED_DOWN,
    LEVELLED_UP,
    MAX_MIN,
    NOT_NARROWED,
    RECOMMENDED,
    SET_ASIDE,
    TRADED,
)
from lib.postprocessing import post_process, relaxation

ASKED = {"attribute": "view", "largest_loss": 0.05, "may_use_demographics": False}
RULES = ["fixed_0.5", "best_threshold", "equal_tpr", "group_best_threshold", "calibrated_odds_fnr"]


def cohort(patients=500, seed=0, shift=1.5):
    """Scores that are higher in AP by `shift` logits: equal TPR thresholds by view must narrow that gap."""
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, 4, patients))
    n = len(patient)
    label = draw.integers(0, 2, n)
    columns = {name: draw.choice(a.groups, n) for name, a in ATTRIBUTES.items()}
    logits = 2.0 * (label - 0.5) + shift * ((columns["view"] == "AP") - 0.5) + draw.normal(0, 1, n)
    scores = 1 / (1 + np.exp(-(logits + draw.normal(0, 0.1, (3, n)))))
    return Population.from_frame(pl.DataFrame({"patient": patient, "label": label, **columns})), {"uniform": scores}


@pytest.fixture(scope="module")
def study():
    population, scores = cohort()
    processed = post_process(population, scores, RULES, list(ATTRIBUTES))
    ledger = Ledger(population)
    tables = audit(population, scores, processed.decisions, replicates=1000, observe=ledger)
    return population, scores, processed, ledger, tables, Resampler(population, {"uniform": 3}, 1000)


def test_tables_are_those_of_the_bundle(study):
    _, scores, processed, ledger, tables, resampler = study
    made = {
        "front": front(ledger),
        "closures": closures(tables["changes"]),
        "wrong_groups": wrong_groups(resampler, processed.decisions, processed.as_group),
        "flattery": flattery(resampler, processed.decisions, processed.naive),
        "relaxation": relaxation(resampler, scores, processed.folds),
        "recommendation": recommend(ledger, ASKED),
    }
    for name, frame in made.items():
        assert dict(frame.schema) == results.TABLES[name], name
        assert frame.columns == list(results.TABLES[name]) and frame.height, name
        for low, value, high in (("low", "disparity", "high"), ("low", "value", "high"), ("low", "optimism", "high")):
            if value in frame.columns:
                known = frame.drop_nulls([low, value, high])
                outside = (pl.col(low) > pl.col(value) + 1e-9) | (pl.col(value) > pl.col(high) + 1e-9)
                assert known.filter(outside).is_empty(), name


def test_far_tails_are_read_where_the_bootstrap_ends():
    draw = np.random.default_rng(0)
    near, far = draw.normal(1.5, 1, (2000, 1)), draw.normal(5, 1, (2000, 1))
    p = tail_p(np.concatenate([near, far, -far], axis=1))
    assert p[0] == pytest.approx(2 * norm.sf(1.5), rel=0.25)
    assert p[1] == p[2] and 1e-8 < p[1] < 1e-5 < 2 / 2001
    heavy = draw.standard_t(5, (2000, 1)) + 5
    assert tail_p(heavy)[0] > 20 * p[1]
    assert tail_p(far[:500])[0] == pytest.approx(2 / 501)
    assert np.isnan(tail_p(np.full((2000, 1), np.nan))[0]) and tail_p(np.zeros((2000, 1)))[0] == 1


def points(*means, noise=0.1, seed=0):
    """Replicates (B, M, 2) of methods whose noise is of their own."""
    values = np.array(means, dtype=float)
    return values, values + np.random.default_rng(seed).normal(0, noise, (2000, *values.shape))


def test_a_point_leaves_the_front_only_if_another_is_surely_better_at_both():
    values, replicates = points((0, 0), (1, 1), (1.05, -1), (0.9, 0.95))
    rivals, p = dominating(values, replicates)
    off = p < 0.05
    assert off.tolist() == [True, False, False, False]
    assert rivals[0] in (1, 3)
    # the same points in more noise: nothing can be ruled out
    assert (dominating(*points((0, 0), (1, 1), (1.05, -1), noise=1))[1] >= 0.05).all()


def test_among_methods_that_differ_by_noise_alone_the_front_keeps_nearly_all():
    kept = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        means = draw.normal(0, 0.1, (40, 2))  # the truth is 0: what is seen is one draw of the noise
        kept.append((dominating(*points(*means, seed=seed))[1] >= 0.05).mean())
    assert np.mean(kept) > 0.98


def test_methods_that_decide_alike_do_not_beat_each_other():
    values, replicates = points((0, 0), (0, 0))
    replicates[:, 1] = replicates[:, 0]
    assert (dominating(values, replicates)[1] == 1).all()


def change(contrast, verdict, metric="tpr", **method):
    row = {"weighting": "uniform", "postprocessing": "equal_tpr", "target": "view", "attribute": "view"} | method
    return row | {"metric": metric, "contrast": contrast, "change": -0.1, "verdict": verdict}


@pytest.mark.parametrize(
    ("verdicts", "how"),
    [
        (("improves", "improves", "cannot be told from noise"), LEVELLED_UP),
        (("improves", "cannot be told from noise", "worsens"), LEVELLED_DOWN),
        (("improves", "worsens", "improves"), TRADED),
        (("cannot be told from noise", "worsens", "worsens"), NOT_NARROWED),
    ],
)
def test_a_gap_that_closes_because_the_better_off_lose_is_levelling_down(verdicts, how):
    rows = [change(c, v) for c, v in zip((MAX_MIN, "AP", "PA"), verdicts, strict=True)]
    found = closures(pl.DataFrame(rows))
    assert found["how"].to_list() == [how]


def test_equal_tpr_thresholds_narrow_the_planted_gap_and_are_recommended(study):
    found = recommend(study[3], ASKED)
    best = found.filter(role=RECOMMENDED).row(0, named=True)
    assert best["target"] == "view" and best["change_high"] < 0 and best["loss_high"] <= 0.05
    assert found.filter(role=RECOMMENDED).height == 1
    for row in found.filter(role=ALTERNATIVE).to_dicts():
        assert row["keeps_accuracy"] and row["narrows"] and row["disparity"] >= best["disparity"]
    assert found.filter(postprocessing="fixed_0.5")["role"].item() == SET_ASIDE


def test_preferences_are_kept(study):
    strict = recommend(study[3], ASKED | {"largest_loss": 0.0})
    best = strict.filter(role=RECOMMENDED).row(0, named=True)
    assert (best["weighting"], best["postprocessing"]) == BASELINE[:2] or best["loss_high"] <= 0
    by_sex = recommend(study[3], ASKED | {"attribute": "sex"})
    assert "equal_tpr" not in by_sex["postprocessing"].to_list()
    assert (
        "equal_tpr"
        in recommend(study[3], ASKED | {"attribute": "sex", "may_use_demographics": True})["postprocessing"].to_list()
    )
    assert permitted(("uniform", "minimax_threshold", "sex"), False) and not permitted(
        ("uniform", "platt", "sex"), False
    )


def test_on_a_cohort_without_a_gap_the_baseline_is_recommended():
    population, scores = cohort(shift=0.0, seed=1)
    processed = post_process(population, scores, RULES[:4], ["view"])
    ledger = Ledger(population)
    audit(population, scores, processed.decisions, replicates=1000, observe=ledger)
    assert recommend(ledger, ASKED).filter(role=RECOMMENDED).select("postprocessing").item() == "fixed_0.5"


def test_a_gap_that_cannot_be_estimated_has_no_recommendation_and_no_front():
    population, scores = cohort(patients=60)
    processed = post_process(population, scores, RULES[:3], ["view"])
    ledger = Ledger(population, smallest_cell=100)
    audit(population, scores, processed.decisions, replicates=50, observe=ledger, smallest_cell=100)
    assert recommend(ledger, ASKED).is_empty() and front(ledger).is_empty()


def test_expected_decisions_under_wrong_groups_are_the_mean_of_many_draws():
    draw = np.random.default_rng(0)
    groups = draw.integers(-1, 3, 400)
    as_group = draw.random((3, 2, 400))
    right = np.where(groups >= 0, np.take_along_axis(as_group, np.maximum(groups, 0)[None, None], 0)[0], 0.5)
    expected = 0.8 * right + 0.2 * mistaken(right, as_group, groups)
    drawn = np.zeros_like(right)
    for _ in range(4000):
        said = np.where(draw.random(400) < 0.2, (groups + draw.integers(1, 3, 400)) % 3, groups)
        said = np.where(groups < 0, -1, said)
        drawn += np.where(groups >= 0, np.take_along_axis(as_group, np.maximum(said, 0)[None, None], 0)[0], 0.5)
    assert np.abs(drawn / 4000 - expected).max() < 0.03


def test_wrong_groups_bring_the_planted_gap_back(study):
    _, _, processed, _, _, resampler = study
    found = wrong_groups(resampler, processed.decisions, processed.as_group)
    gap = found.filter(postprocessing="group_best_threshold", target="view", metric="fpr", contrast=MAX_MIN)
    assert gap["wrong"].to_list() == list(WRONG) and gap["change"][0] == 0
    assert gap["value"][-1] > gap["value"][0] + 0.05 and gap["change_high"][-1] > 0.05


def test_right_groups_are_the_audit_itself(study):
    _, _, processed, _, tables, resampler = study
    found = wrong_groups(resampler, processed.decisions, processed.as_group).filter(wrong=0.0, contrast=MAX_MIN)
    keys = ["weighting", "postprocessing", "target", "attribute", "metric", "contrast"]
    both = found.join(tables["gaps"], on=keys, suffix="_audit")
    assert both.height == found.height
    assert (both["value"] - both["value_audit"]).abs().max() < 1e-12


def test_a_rule_looks_best_where_it_was_fitted():
    population, scores = cohort(patients=80, shift=0.0)
    noise = {"uniform": np.random.default_rng(5).random(scores["uniform"].shape)}
    processed = post_process(population, noise, ["fixed_0.5", "group_best_threshold"], ["view"], smallest_cell=5)
    found = flattery(Resampler(population, {"uniform": 3}, 300, smallest_cell=5), processed.decisions, processed.naive)
    assert found.filter(attribute="overall")["optimism"].item() > 0.02
    assert set(found["postprocessing"]) == {"group_best_threshold"}


def test_loosening_the_constraint_widens_the_gap_and_keeps_the_accuracy(study):
    _, scores, processed, _, _, resampler = study
    curve = relaxation(resampler, scores, processed.folds).filter(attribute="view", metric="odds").sort("slack")
    assert curve["disparity"][0] < 0.1 and (curve["disparity"][:-1] <= curve["slack"][:-1] + 0.08).all()
    assert curve["balanced_accuracy"][-1] >= curve["balanced_accuracy"][0] - 0.02
