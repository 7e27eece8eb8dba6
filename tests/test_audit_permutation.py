"""Permuting patients finds gaps that are there, and not more than 5 % of those that are not."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.audit.halves import halves
from lib.audit.networks import deviations, network_draws
from lib.audit.permutation import _orders, permutation_p
from lib.audit.population import Population
from lib.audit.rates import RATES, rates

METHOD = ("uniform", "fixed_0.5", "none")


def cohort(seed, patients=90, *, gap=0.0, rare=0.5, images=5):
    """Patients of one to `images` images; women are more often sick; their sick are called sick by `gap` more often.

    Decisions of a patient resemble each other, those of women more so: the groups differ in everything but the rates.
    """
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, images + 1, patients))
    woman = draw.random(patients) < rare
    view = np.where(draw.random(len(patient)) < draw.beta(0.7, 1, patients)[patient], "AP", "PA")
    label = (draw.random(len(patient)) < 0.4 + 0.25 * woman[patient]).astype(int)
    own = np.where(woman, draw.beta(0.8, 0.8, patients), draw.beta(8, 8, patients))[patient]
    chance = np.clip(own + 0.2 * label + gap * (label * woman[patient] + (view == "AP")), 0, 1)
    frame = pl.DataFrame({"patient": patient, "label": label, "sex": np.where(woman, "F", "M")[patient], "view": view})
    return Population.from_frame(frame), (draw.random(len(patient)) < chance).astype(float)[None]


def p_values(population, decisions, replicates=199, seed=0, others=()):
    networks = {"uniform": len(decisions), **{f"w{k}": len(rows) for k, rows in enumerate(others)}}
    by_seed = [rates(population, rows) for rows in (decisions, *others)]
    spreads = {METHOD[1:]: deviations(by_seed)}
    draws = network_draws(networks, replicates, seed)
    return permutation_p(population, {METHOD: decisions}, spreads, draws, networks, seed=seed)[METHOD]


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), attribute=st.sampled_from(["sex", "view"]))
def test_the_difference_is_that_of_the_rates_and_its_variance_that_of_the_linearised_sums(seed, attribute):
    population, decisions = cohort(seed, 40)
    pair = {"sex": ("F", "M"), "view": ("AP", "PA")}[attribute]
    d, v = halves(population, attribute, pair, decisions.T, apart=True).observed()
    own = rates(population, decisions)[0]
    place = {cell.group: g for g, cell in enumerate(population.cells)}
    for k, metric in enumerate(("balanced_accuracy", "tpr", "fpr")):
        one, two = (own[place[group], RATES.index(metric)] for group in pair)
        assert d[k, 0] == pytest.approx(one - two, abs=1e-12)
    # by hand for the TPR: residuals over the number of sick images, summed by patient
    sick = population.labels == 1
    influence = np.zeros(population.n_patients)
    for group, sign in zip(pair, (1, -1), strict=True):
        images = sick & population.cells[place[group]].images
        rate = decisions[0, images].mean()
        residuals = sign * (decisions[0, images] - rate) / images.sum()
        influence += np.bincount(population.patients[images], residuals, population.n_patients)
    assert v[1, 0] == pytest.approx((influence**2).sum(), abs=1e-12)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), apart=st.booleans())
def test_matrix_products_are_the_loops_they_stand_for(seed, apart):
    population, decisions = cohort(seed, 30)
    pair = halves(population, "sex", ("F", "M"), np.repeat(decisions.T, 2, axis=1), apart=apart)
    order = _orders(np.random.default_rng(seed), pair.strata, 3)
    d, v = pair.permuted(order)
    women = population.groups["sex"][np.unique(population.patients, return_index=True)[1]] == 0
    for b in range(3):
        swapped = women[order[b]]  # every patient is in the pair: positions are codes
        frame = pl.DataFrame(
            {
                "patient": population.patients,
                "label": population.labels,
                "sex": np.where(swapped, "F", "M")[population.patients],
            }
        )
        again = halves(Population.from_frame(frame), "sex", ("F", "M"), np.repeat(decisions.T, 2, axis=1), apart=apart)
        if again is not None:
            expected = again.observed()
            assert np.allclose(d[b], expected[0], atol=1e-12) and np.allclose(v[b], expected[1], atol=1e-7)


def test_orders_stay_within_strata():
    strata = np.array([0, 1, 0, 2, 1, 0])
    for order in _orders(np.random.default_rng(0), strata, 50):
        assert (strata[order] == strata).all() and sorted(order) == list(range(6))


def test_a_null_is_rejected_in_about_five_per_cent_although_groups_differ_in_prevalence_and_clustering():
    rejected = {("sex", "tpr"): 0, ("sex", "balanced_accuracy"): 0, ("view", "tpr"): 0}
    for seed in range(250):
        p = p_values(*cohort(seed, rare=0.3), seed=seed)
        for attribute, metric in rejected:
            contrast = {"sex": "F - M", "view": "AP - PA"}[attribute]
            rejected[attribute, metric] += p[attribute, metric, contrast] <= 0.05
    assert all(0.02 <= count / 250 <= 0.085 for count in rejected.values()), rejected


def test_a_gap_is_found():
    p = p_values(*cohort(3, 200, gap=0.3))
    assert p["sex", "tpr", "F - M"] <= 0.01 and p["view", "fpr", "AP - PA"] <= 0.01
    assert set(p) == {(a, m, c) for a, c in (("sex", "F - M"), ("view", "AP - PA")) for m in RATES[:4]}


def test_networks_that_disagree_about_a_gap_weaken_it():
    population, decisions = cohort(1, 200, gap=0.35)
    sure = p_values(population, np.repeat(decisions, 2, axis=0))["sex", "tpr", "F - M"]
    turned = decisions.copy()
    women = population.groups["sex"] == 0
    turned[0, women] = np.roll(1 - turned[0, women], 1)
    unsure = p_values(population, np.concatenate([decisions, turned]))["sex", "tpr", "F - M"]
    assert sure <= 0.01 and unsure > 0.1


def test_a_group_without_a_label_has_no_p_and_alike_groups_have_one():
    frame = pl.DataFrame({"patient": range(40), "label": [0, 1] * 20, "sex": ["F", "M"] * 20})
    population = Population.from_frame(frame)
    p = p_values(population, np.full((1, 40), 0.5))
    assert set(p) == {("sex", "selection_rate", "F - M")} and p["sex", "selection_rate", "F - M"] == 1
