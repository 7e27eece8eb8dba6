"""The audit's intervals and families on a few simulated cohorts; `benchmarks/coverage.py` does the same on many."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
from made import quick_audits

from benchmarks import asked as questions
from benchmarks import coverage, fitted, trust
from benchmarks.coverage import asked_of, figures_of
from benchmarks.methods import Setting, true_levels, world_of
from benchmarks.simulation import NETWORK_IMAGE, NETWORK_PERSON, SHIFT, draw, plasmode, simulated
from benchmarks.tally import COUNTED, FAMILY
from lib.audit.metrics import Unit, rates

NULL = Setting("simulated", "none", Unit.PATIENT, 375)


@pytest.fixture(scope="module")
def counted(tmp_path_factory) -> pl.DataFrame:
    """Four batches of two settings, written after the first and gone on with."""
    path = tmp_path_factory.mktemp("trust") / "coverage.csv"
    settings = (NULL, Setting("simulated", "gap 20", Unit.PATIENT, 375))
    jobs = [trust.Job(own.key, (), 10, trust.Rates(own)) for own in settings]
    with quick_audits(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage, "AGREE", 5)
        patch.setattr(trust, "ProcessPoolExecutor", lambda processes, context: ThreadPoolExecutor(processes))
        patch.setattr(trust, "OUT", path)
        patch.setattr(trust, "jobs", lambda sources: jobs)
        for cohorts in (10, 40):
            trust.main(cohorts)
    return pl.read_csv(path, schema_overrides=trust.SCHEMA)


def test_the_table_goes_on_where_it_stopped_the_fewest_first(tmp_path):
    def key(setting: tuple, networks: int = 1) -> tuple:
        return (*setting, networks, "gap", "view", "tpr", "AP - PA")

    def counts(cohorts: int) -> np.ndarray:
        return np.array([cohorts, cohorts * 0.4] * len(trust.COUNTED))

    small, large = ("simulated", "none", "patient", 375), ("simulated", "gaps", "image", 1500)
    jobs = [trust.Job(small, (), 20, dict), trust.Job(large, (), 5, dict)]
    cohorts = {key(small): 60, key(small, 2): 60, key(large): 5}
    sums = {own: counts(n) for own, n in cohorts.items()}
    trust.write(tmp_path / "table.csv", sums, cohorts)
    found, again = trust.read(tmp_path / "table.csv")
    assert again == cohorts and all(np.allclose(found[own], sums[own]) for own in cohorts)
    assert list(trust.rounds(jobs, cohorts, 100)) == [(1, 1), (1, 2), (0, 3), (1, 3), (0, 4), (1, 4)]


@pytest.mark.parametrize("unit", list(Unit))
def test_the_truth_of_a_population_is_what_many_networks_show_in_all_of_it(unit):
    people = simulated(patients=1500)
    generator = np.random.default_rng(1)
    whole = draw(people, 1500, 1, generator)
    own = people.__class__(whole.population, people.logit[whole.rows])
    true = own.rates(unit)
    called = (own.logit + whole.noise(40) >= 0).astype(float)
    found = rates(whole.population, called, unit=unit, metrics=("tpr", "fpr"))
    error = found.by_network.std(axis=0, ddof=1) / np.sqrt(40)
    for row, value, margin in zip(found.index.rows(), found.estimate, error, strict=True):
        assert abs(value - true[row[:3]]) < 4.5 * margin + 0.002


@pytest.mark.parametrize("unit", list(Unit))
def test_gaps_are_removed_and_set_as_asked(unit):
    people = simulated(patients=3000).without_gaps(unit)
    own = people.rates(unit)
    for attribute, metric in (("sex", "tpr"), ("age_group", "fpr"), ("view", "fpr")):
        values = [rate for (a, _, m), rate in own.items() if (a, m) == (attribute, metric)]
        assert max(values) - min(values) < 2e-4
    gap = people.with_view_gap(0.2, unit).rates(unit)
    assert gap["view", "AP", "tpr"] - gap["view", "PA", "tpr"] == pytest.approx(0.2, abs=1e-4)


def test_sickness_goes_with_images_and_with_scores():
    people = simulated(patients=3000)
    population = people.population
    images = np.bincount(population.patients)
    sick = np.bincount(population.patients, population.labels) / images
    score = np.bincount(population.patients, people.logit * (population.labels == 0)) / np.maximum(
        np.bincount(population.patients, population.labels == 0), 1
    )
    mixed = (sick > 0) & (sick < 1)
    assert np.corrcoef(sick, np.log(images))[0, 1] > 0.2
    # among the healthy images of patients with both labels, too: labels do not tell all about how sick somebody is
    assert np.corrcoef(sick[mixed], score[mixed])[0, 1] > 0.05


def test_cohorts_side_by_side_are_those_cohorts_alone():
    people = world_of(NULL, "baseline")
    batch = draw(people, 375, 20, np.random.default_rng(2))
    called = (people.logit[batch.rows] >= 0).astype(float)[None]
    figures = figures_of(NULL, batch, called, "uniform")
    asked = asked_of(NULL, 20)[0]
    third = batch.of_image == 3
    alone = batch.population.__class__(
        batch.population.patients[third] - 3 * 375,
        batch.population.labels[third],
        {name: codes[third] for name, codes in batch.population.groups.items()},
    )
    told = rates(alone, called[:, third], metrics=("tpr", "fpr"))
    found = dict(zip(asked, figures.estimate[3 * len(asked) : 4 * len(asked)], strict=True))
    for row, value in zip(told.index.rows(), told.estimate, strict=True):
        assert found["level", row[0], row[1], row[2]] == pytest.approx(value)


def test_intervals_cover_and_families_alarm_as_promised(counted):
    null = counted.filter(world="none")
    for kind in ("level", "gap", "weighting: placebo (gap)", "post-processing: jitter (gap)"):
        for (networks,), own in null.filter(kind=kind).group_by("networks"):
            assert own["cohorts"].max() == 40
            assert 0.89 <= own["covered"].mean() <= 1.0, (kind, networks)
    families = null.filter(attribute=FAMILY)
    assert families["wrong"].mean() <= 0.12 and set(families["kind"]) >= {"baseline gaps", "family of weightings"}


def test_a_real_gap_is_seen_and_seeds_agree(counted):
    seen = counted.filter(world="gap 20", kind="gap", attribute="view")
    assert seen["p_below_5"].min() > 0.6 and (seen["p_below_5"] >= seen["shown"]).all()
    assert seen["permutation"].drop_nulls().len() == 2
    assert counted.drop_nulls("agree")["agree"].min() >= 0.95


def test_truths_are_those_of_the_methods():
    setting = Setting("simulated", "gaps", Unit.PATIENT, 375)
    asked = (("gap", "view", "AP - PA", "tpr"), ("level", "overall", "all", "balanced_accuracy"))
    before, closed, half, mirrored = (
        true_levels(setting, m, asked) for m in ("baseline", "closed", "half", "mirrored")
    )
    assert closed[0] == pytest.approx(0, abs=1e-4) and half[0] == pytest.approx(before[0] / 2, abs=1e-4)
    assert mirrored[0] == pytest.approx(-before[0], abs=1e-4) and 0.5 < before[1] < 0.9


def test_real_scores_are_read_by_their_columns(tmp_path):
    draws = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "patient": [f"p{k}" for k in range(60)],
            "label": [0, 1] * 30,
            "sex": ["F", "M"] * 30,
            "view": ["AP", "PA", "PA"] * 20,
        }
    )
    frame = frame.with_columns(age_group=pl.lit("<40"), **{f"score_{s}": draws.random(60) for s in (1, 2)})
    frame.write_parquet(tmp_path / "scores.parquet")
    people = plasmode(tmp_path / "scores.parquet")
    assert people.population.n_patients == 60 and people.noise > np.sqrt(SHIFT**2 + NETWORK_PERSON + NETWORK_IMAGE)
    assert np.allclose(people.chance > 0.5, people.logit > 0)


def test_questions_are_held_against_their_own_answer_on_everyone(monkeypatch):
    monkeypatch.setattr(questions, "PEOPLE", 300)
    monkeypatch.setattr(questions, "POOL", 6)
    asked = ("metrics", "calibration", "net_benefit", "label_mixture", "operating_points", "seed_decisions", "shares")
    monkeypatch.setattr(questions, "ASKED", asked)
    for made in (questions.world, questions.truth):
        made.cache_clear()
    rows = list(questions.one_cohort("simulated", 150, asked, 0))
    for made in (questions.world, questions.truth):
        made.cache_clear()
    assert {question for _, _, question, *_ in rows} == set(asked)
    assert {networks for networks, *_ in rows} == set(questions.NETWORKS)
    numbers = np.concatenate([own for *_, own in rows], axis=1)
    true, low, high = numbers
    assert np.isfinite(numbers).all() and (low <= high).all() and 0.8 <= ((low <= true) & (true <= high)).mean() < 1


def test_what_is_fitted_is_held_against_other_cohorts_and_rules_against_the_population(monkeypatch):
    monkeypatch.setattr(fitted, "BATCH", {375: 4})
    monkeypatch.setattr(fitted, "REFITS", 20)
    monkeypatch.setattr(fitted, "RULES", ("fixed_0.5", "equal_tpr"))
    found = fitted.one_batch("simulated", 375, 1, 0)
    means = {key[5:8:2]: own.reshape(-1, 2)[COUNTED.index("covered")] for key, own in found.items()}
    assert {kind.split(" (")[0] for kind, _ in means} == {*fitted.FITTED, *fitted.VERDICTS} - {"optimism"}
    count, covered = means["deployed (figure)", "balanced_accuracy"]
    assert count == 4 * 2 and covered >= 6
    cohorts = sum(n for (kind, _), (n, _) in means.items() if kind == "probes (figure)")
    assert cohorts == 4 * (3 + 4)  # label, sex and view; three age groups and their mean


def test_a_cohorts_own_estimate_is_no_part_of_its_truth():
    rows = pl.DataFrame({"estimate": [1.0, 2.0, 3.0, 10.0]}).with_columns(
        low=pl.col("estimate") - 1.5, high=pl.col("estimate") + 1.5, true=None,
        question=pl.lit("probes"), cohort=pl.int_range(pl.len()), kind=pl.lit("figure"), measure=pl.lit("loss"), about=pl.lit("a"),
    ).with_columns(pl.col("true").cast(pl.Float64))  # fmt: skip
    ((place, columns),) = fitted.held_against(rows)
    assert place[0] == "probes (figure)" and columns["truth"].tolist() == [5, 14 / 3, 13 / 3, 2]
    assert columns["covered"].tolist() == [False, False, True, False]
