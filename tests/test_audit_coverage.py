"""The audit's intervals on a few simulated cohorts; `benchmarks/coverage.py` does the same on many."""

import numpy as np
import pytest

from benchmarks.coverage import many_cohorts
from benchmarks.simulation import World, draw, truth
from lib.audit import Population
from lib.audit.components import patient_degrees
from lib.audit.networks import DEGREES, Retraining
from lib.audit.ranking import auc
from lib.audit.rates import RATES, rates

NULL = World(gaps=False)


def test_the_truth_of_a_world_is_what_large_cohorts_show():
    world, draws = World(gaps=True), np.random.default_rng(3)
    found = []
    for _ in range(12):
        cohort = draw(world, 2500, 4, draws)
        people = Population.from_frame(cohort.frame)
        scores = cohort.scores["uniform"]
        found.append(
            np.concatenate(
                [rates(people, (scores >= 0.5) * 1.0).mean(0)[:, :4], auc(people, scores).mean(0)[:, None]], 1
            )
        )
    found, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(12)
    true = truth(world, "uniform")
    for g, cell in enumerate(people.cells):
        for m, metric in enumerate((*RATES[:4], "auc")):
            assert abs(found[g, m] - true[cell.attribute, cell.group, metric]) < 5 * error[g, m] + 0.003


def test_groups_that_are_alike_are_alike_in_truth():
    true = truth(NULL, "uniform")
    assert max(abs(true["view", g, "tpr"] - true["overall", "all", "tpr"]) for g in ("AP", "PA")) < 1e-12


def test_intervals_by_patient_cover_where_those_by_image_do_not():
    sums = many_cohorts(("null", 2, range(1, 37)))
    share = {
        (level, kind): np.mean(
            [value[2] / value[0] for key, value in sums.items() if key[2:4] == (level, kind) and value[2] == value[2]]
        )
        for level, kind in (("patient", "gap"), ("patient", "change, placebo"), ("image", "level"))
    }
    assert 0.90 < share["patient", "gap"] < 0.99
    assert 0.90 < share["patient", "change, placebo"] < 0.99
    assert share["image", "level"] < 0.88


def test_degrees_of_freedom_are_those_of_equal_patients_and_fall_with_a_dominant_one():
    noise = np.random.default_rng(0).normal(size=(4000, 3))
    assert patient_degrees(noise) == pytest.approx([4000] * 3, rel=0.1)
    noise[0] = 400
    assert (patient_degrees(noise) < 4).all() and (patient_degrees(noise) >= 1).all()
    assert np.isinf(patient_degrees(np.zeros((5, 2)))).all()


@pytest.mark.parametrize("degrees", [2, 10, 1000])
def test_widened_normals_are_students(degrees):
    retraining = Retraining.of({"a": 3}, 20_000, 0)
    t = np.random.default_rng(1).normal(size=20_000) * retraining.widened(np.array([degrees + 0.4]))[:, 0]
    expected = {2: 4.303, 10: 2.228, 1000: 1.962}[degrees]
    assert degrees in DEGREES and np.quantile(np.abs(t), 0.95) == pytest.approx(expected, rel=0.05)
