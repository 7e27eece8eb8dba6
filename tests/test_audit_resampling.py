"""Resamples are of patients and of networks, and their intervals cover what they should."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.audit import resampling
from lib.audit.multiplicity import holm, holm_by_family, verdict
from lib.audit.networks import deviations, network_draws, two_level
from lib.audit.population import Population
from lib.audit.rates import RATES, rates, resampled_rates
from lib.audit.resampling import never_certain, patient_counts, percentile_interval, two_sided_p
from lib.names import NOT_ESTIMABLE, UNDECIDED


@settings(max_examples=25, deadline=None)
@given(patients=st.integers(1, 80), replicates=st.integers(1, 40), seed=st.integers(0, 1000))
def test_every_resample_draws_as_many_patients_as_there_are(patients, replicates, seed):
    counts = patient_counts(patients, replicates, seed)
    assert counts.shape == (replicates, patients)
    assert (counts.sum(axis=1) == patients).all()
    assert (counts == patient_counts(patients, replicates, seed)).all()


def test_drawing_in_chunks_changes_nothing(monkeypatch):
    whole = patient_counts(37, 50, 3)
    sums = np.random.default_rng(0).random((37, 4))
    product = resampling.resampled_sums(whole, sums)
    monkeypatch.setattr(resampling, "CHUNK", 100)
    assert (patient_counts(37, 50, 3) == whole).all()
    assert np.allclose(resampling.resampled_sums(whole, sums), product, atol=1e-12, rtol=0)


def test_counts_have_the_mean_and_variance_of_the_multinomial():
    counts = patient_counts(50, 4000, 1).astype(float)
    assert counts.mean() == 1
    assert counts.var(axis=0).mean() == pytest.approx(1 - 1 / 50, rel=0.02)


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_nobody_cannot_be_resampled(size):
    with pytest.raises(ValueError, match="at least 1"):
        patient_counts(*size, 0)


@pytest.mark.parametrize(("weightings", "networks"), [(5, 2), (4, 3), (3, 5)])
def test_networks_add_the_pooled_variance_over_their_number(weightings, networks):
    noise = np.random.default_rng(0).normal(size=(weightings, networks, 400))
    spread = deviations(list(noise))
    draws = network_draws({f"w{i}": networks for i in range(weightings)}, 3000, 0)["w0"]
    degrees = weightings * (networks - 1)
    replicates = two_level(np.zeros((3000, networks, 400)), spread, draws)
    pooled = noise.var(axis=1, ddof=1).mean(axis=0)
    expected = pooled / networks * degrees / (degrees - 2)  # variance of Student's t
    assert np.median(replicates.var(axis=0) / expected) == pytest.approx(1, abs=0.15)


def test_a_change_due_to_retraining_alone_is_covered_although_there_are_two_networks():
    draw = np.random.default_rng(5)
    draws = network_draws({f"w{i}": 2 for i in range(5)}, 1000, 0)
    noise = draw.normal(size=(5, 2, 600))  # the last axis: cohorts
    spread = deviations(list(noise))
    arms = [two_level(np.broadcast_to(noise[w], (1000, 2, 600)), spread, draws[f"w{w}"]) for w in (0, 1)]
    low, high = percentile_interval(arms[1] - arms[0])
    assert 0.92 <= ((low <= 0) & (high >= 0)).mean() <= 0.98


def test_one_network_tells_nothing_about_retraining():
    values = np.random.default_rng(0).random((10, 1, 3))
    draws = network_draws({"a": 1, "b": 1}, 10, 0)["a"]
    assert (two_level(values, deviations([values[0], values[1]]), draws) == values[:, 0]).all()


def test_weightings_draw_networks_of_their_own_and_keep_them_when_one_is_added():
    few, many = (network_draws(dict.fromkeys(names, 2), 500, 0) for names in ("ab", "abc"))
    assert abs(np.mean(np.sign(few["a"][:, 0] * few["b"][:, 0]))) < 0.15
    ratio = many["a"][:, :4] / few["a"]
    assert np.allclose(ratio, ratio[:, :1])  # the same normals, another pooled variance


def clustered(draw, patients):
    """Images 1 to 12 a patient, who are called sick alike: their own chance is Beta(1, 1), .5 in the population."""
    sizes = draw.integers(1, 13, patients)
    patient = np.repeat(np.arange(patients), sizes)
    decisions = (draw.random(len(patient)) < draw.random(patients)[patient]).astype(float)
    return Population.from_frame(pl.DataFrame({"patient": patient, "label": np.ones(len(patient), int)})), decisions


def test_intervals_by_patient_cover_and_intervals_by_image_do_not():
    draw = np.random.default_rng(11)
    covered = {"patient": 0, "image": 0}
    for cohort in range(250):
        population, decisions = clustered(draw, 80)
        for level, people in (("patient", population), ("image", population.by_image())):
            counts = patient_counts(people.n_patients, 400, cohort)
            low, high = percentile_interval(
                resampled_rates(people, decisions[None], counts)[:, 0, 0, RATES.index("tpr")]
            )
            covered[level] += bool(low <= 0.5 <= high)
    assert 0.90 <= covered["patient"] / 250 <= 0.985
    assert covered["image"] / 250 <= 0.80


def test_the_spread_of_resamples_is_that_of_new_samples_of_patients():
    draw = np.random.default_rng(2)
    estimates = [rates(*_row(clustered(draw, 80)))[0, 0, RATES.index("tpr")] for _ in range(300)]
    population, decisions = clustered(draw, 80)
    resampled = resampled_rates(population, decisions[None], patient_counts(80, 1000, 0))[:, 0, 0, RATES.index("tpr")]
    assert resampled.std() == pytest.approx(np.std(estimates), rel=0.3)


def _row(case):
    population, decisions = case
    return population, decisions[None]


def test_resamples_without_the_cell_are_left_out_of_interval_and_p():
    replicates = np.array([[np.nan, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, np.nan]])
    low, high = percentile_interval(replicates)
    assert low[0] == pytest.approx(np.quantile([1, 2, 3], 0.025)) and high[1] == 1
    assert two_sided_p(replicates)[0] == pytest.approx(2 * 1 / 4)
    assert np.isnan(percentile_interval(np.full((4, 1), np.nan))[0]).all()
    assert np.isnan(two_sided_p(np.full((4, 1), np.nan))).all()


def test_p_is_one_for_no_difference_and_never_below_its_resolution():
    assert two_sided_p(np.zeros((99, 1)))[0] == 1
    assert two_sided_p(np.ones((99, 1)))[0] == pytest.approx(2 / 100)


def test_the_same_answer_from_every_patient_is_not_certainty():
    low, high = never_certain(np.array([0.0, 1.0, 0.5]), np.array([0, 1, -0.1]), np.array([0, 1, 1.2]), np.full(3, 20))
    assert high[0] == pytest.approx(0.1684, abs=1e-4) and low[0] == 0  # Clopper-Pearson, 0 of 20
    assert low[1] == pytest.approx(1 - 0.1684, abs=1e-4) and high[1] == 1
    assert (low[2], high[2]) == (0, 1)


def test_holm_is_the_worked_example():
    # Holm 1979 by hand: .005 x 4, .01 x 3, .03 x 2, and .04 x 1 held up to the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_ignores_what_is_missing_and_stops_at_one():
    assert holm([0.02, None, 0.9, float("nan")]) == [pytest.approx(0.04), None, pytest.approx(0.9), None]
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(ValueError, match="not a p-value"):
        holm([1.5])


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_never_lowers_a_p_and_keeps_their_order(p):
    adjusted = holm(p)
    assert all(a >= value for a, value in zip(adjusted, p, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all() if p else True


def test_families_are_adjusted_apart():
    assert holm_by_family(["a", "b", "a"], [0.01, 0.01, 0.5]) == pytest.approx([0.02, 0.01, 0.5])


@pytest.mark.parametrize(
    ("low", "high", "p", "word"),
    [
        (0.1, 0.2, 0.01, "up"),
        (-0.2, -0.1, 0.01, "down"),
        (-0.1, 0.2, 0.01, UNDECIDED),
        (0.1, 0.2, 0.2, UNDECIDED),
        (0.0, 0.2, 0.01, UNDECIDED),
        (None, None, None, NOT_ESTIMABLE),
    ],
)
def test_a_verdict_needs_both_the_interval_and_the_adjusted_p(low, high, p, word):
    assert verdict(low, high, p, up="up", down="down") == word
