"""Calibration is scikit-learn's and the papers', in the sample and, in one step, in every resample."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from lib import results
from lib.audit.calibration import BINS, MEASURES, _Fit, bins_of, calibration
from lib.audit.networks import network_draws
from lib.audit.population import Population
from lib.audit.recalibration import recalibrate
from lib.audit.resampling import patient_counts
from lib.names import NOT_ESTIMABLE, UNDECIDED

EXACT = {"abs": 1e-12, "rel": 0}


def people(patients=100, seed=0, images=4, shift=0.0, stretch=1.0):
    """Patients with known chances of being sick; the scores are those, moved by `shift` and `stretch` on the logit scale."""
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, images + 1, patients))
    logit = draw.normal(0, 1.2, patients)[patient] + draw.normal(0, 0.4, len(patient))
    label = (draw.random(len(patient)) < 1 / (1 + np.exp(-logit))).astype(int)
    frame = pl.DataFrame({"patient": patient, "label": label, "sex": draw.choice(["F", "M"], patients)[patient]})
    return Population.from_frame(frame), 1 / (1 + np.exp(-(stretch * logit + shift)))[None]


def measured(population, scores, replicates=300, **more):
    counts = patient_counts(population.n_patients, replicates, 0)
    draws = network_draws({"uniform": len(scores)}, replicates, 0)
    return calibration(population, {"uniform": scores}, counts, draws, **more)


def values(table, group="all", column="value"):
    return dict(table.filter(group=group).select("measure", column).rows())


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), decimals=st.sampled_from([2, 12]))
def test_brier_curve_and_slope_are_scikit_learns(seed, decimals):
    population, scores = people(seed=seed)
    scores = np.clip(np.round(scores, decimals), 0.01, 0.99)
    tables = measured(population, scores, 2, smallest_cell=1)
    for cell in population.cells:
        labels, own = population.labels[cell.images], scores[0, cell.images]
        found = values(tables["calibration"], cell.group)
        assert found["brier"] == pytest.approx(brier_score_loss(labels, own), **EXACT)
        assert found["mean_error"] == pytest.approx(own.mean() - labels.mean(), **EXACT)
        observed, mean = calibration_curve(labels, own, n_bins=BINS, strategy="quantile")
        curve = tables["calibration_curve"].filter(group=cell.group)
        assert curve["score"].to_list() == pytest.approx(mean.tolist(), **EXACT)
        assert curve["observed"].to_list() == pytest.approx(observed.tolist(), **EXACT)
        logit = np.log(own / (1 - own))[:, None]
        oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit, labels)
        assert found["slope"] == pytest.approx(oracle.coef_.item(), abs=1e-4)


def test_the_calibration_error_is_that_of_kumar_and_others_by_hand():
    # ten scores, twenty images each, an image a patient: sum of p ((s - y)^2 - y (1 - y) / (n - 1)), arXiv 1909.10155
    level = np.linspace(0.05, 0.95, 10)
    sick = np.array([0, 0, 2, 4, 6, 14, 16, 18, 20, 20])
    labels = np.concatenate([np.arange(20) < k for k in sick]).astype(int)
    population = Population.from_frame(pl.DataFrame({"patient": np.arange(200), "label": labels}))
    found = values(measured(population, np.repeat(level, 20)[None], 2)["calibration"])
    share = sick / 20
    by_hand = np.mean((level - share) ** 2 - share * (1 - share) / 19)
    assert found["ece"] == pytest.approx(np.sqrt(by_hand), **EXACT)
    assert (np.mean((level - share) ** 2), by_hand) == pytest.approx((0.0185, 0.0185 - 0.092 / 19), **EXACT)


def test_debiasing_takes_away_what_few_patients_add():
    plain, debiased = [], []
    for seed in range(150):
        population, scores = people(60, seed)
        fit = _Fit(population, scores[0], np.ones(population.n_images, dtype=bool))
        square = fit.read(fit.by_patient.sum(axis=0))[MEASURES.index("ece")]
        plain.append(square)
        debiased.append(square - fit.noise())
    assert np.mean(plain) > 0.008
    assert abs(np.mean(debiased)) < 0.002


def test_one_newton_step_is_the_fit_of_the_resample():
    population, scores = people(200)
    counts = patient_counts(population.n_patients, 20, 1)
    line = recalibrate(scores[0], population.labels)
    slope, intercept = line.moved(counts @ population.sums_by_patient(line.terms))
    for b in range(20):
        rows = np.repeat(np.arange(population.n_images), counts[b][population.patients])
        again = recalibrate(scores[0, rows], population.labels[rows])
        assert slope[b] == pytest.approx(again.slope, abs=0.03)
        assert intercept[b] == pytest.approx(again.intercept, abs=0.02)


def test_scores_that_are_wrong_are_told_and_those_that_are_right_are_not():
    right = measured(*people(400), 2000)["calibration"]
    assert set(values(right, column="verdict").values()) == {None, UNDECIDED}
    low, high = (values(right, column=bound) for bound in ("low", "high"))
    assert low["slope"] < 1 < high["slope"] and low["ece"] == 0
    wrong = measured(*people(400, shift=1.0, stretch=2.0), 2000)["calibration"]
    words = values(wrong, column="verdict")
    assert (words["mean_error"], words["slope"]) == ("overstates", "too extreme")
    assert values(wrong)["ece"] > 0.08 and values(wrong, column="low")["ece"] > 0.05


def test_intervals_of_slope_and_error_cover_what_they_should():
    covered = {"slope": 0, "mean_error": 0}
    for seed in range(120):
        table = measured(*people(100, seed, images=5), 200)["calibration"]
        low, high = values(table, column="low"), values(table, column="high")
        covered["slope"] += low["slope"] <= 1 <= high["slope"]
        covered["mean_error"] += low["mean_error"] <= 0 <= high["mean_error"]
    assert all(0.89 <= count / 120 <= 0.99 for count in covered.values()), covered


def test_tables_are_those_of_the_bundle_and_a_small_group_is_kept():
    population, scores = people(60)
    tables = measured(population, np.repeat(scores, 2, axis=0), smallest_cell=40)
    for name, table in tables.items():
        assert dict(table.schema) == results.TABLES[name]
    women = tables["calibration"].filter(group="F", measure="slope").row(0, named=True)
    assert women["verdict"] == NOT_ESTIMABLE and women["value"] is None and women["patients"] > 0
    assert tables["calibration_curve"].filter(group="F").is_empty()
    assert (tables["calibration"].filter(group="all")["seed_sd"].abs() < 1e-12).all()


def test_equal_scores_share_a_bin_and_a_fit_that_does_not_exist_is_missing():
    assert len(set(bins_of(np.full(30, 0.3)))) == 1
    assert np.isnan(recalibrate(np.full(30, 0.3), np.arange(30) % 2).slope)
    assert np.isnan(recalibrate(np.linspace(0.1, 0.9, 30), np.ones(30, int)).slope)
    assert np.isnan(recalibrate(np.linspace(0.1, 0.9, 30), (np.arange(30) > 15).astype(int)).slope)
