"""The tables of the audit: schemas, pairing, verdicts, and what is not estimable."""

import logging

import numpy as np
import polars as pl
import pytest

from lib import results
from lib.audit import BASELINE, Population, audit
from lib.audit.rates import DESCRIBED
from lib.names import ATTRIBUTES, BASELINE_POSTPROCESSING, MAX_MIN, METRICS, NOT_ESTIMABLE, UNDECIDED

FIXED = (BASELINE_POSTPROCESSING, "none")
OTHER = ("best_threshold", "none")
ALL_SICK = ("equal_tpr", "view")


def cohort(patients=160, seed=0, networks=2):
    """Patients of one to four images; the sick score higher."""
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), draw.integers(1, 5, patients))
    n = len(patient)
    label = draw.integers(0, 2, n)
    own = {a: draw.choice(ATTRIBUTES[a].groups, patients)[patient] for a in ("sex", "age_group")}
    view = draw.choice(ATTRIBUTES["view"].groups, n)
    frame = pl.DataFrame({"patient": patient, "label": label, **own, "view": view})
    logits = 1.2 * (label - 0.5) + draw.normal(0, 1, n)
    return frame, 1 / (1 + np.exp(-(logits + draw.normal(0, 0.2, (networks, n)))))


@pytest.fixture(scope="module")
def audited():
    frame, scores = cohort(networks=4)
    scores = {"uniform": scores, "kamiran_calders_sex": scores[::-1].copy()}
    # one post-processing does nothing, the other calls everyone in AP sick
    nothing = {(w, *OTHER): (s >= 0.5).astype(float) for w, s in scores.items()}
    ap = frame["view"].to_numpy() == "AP"
    everyone = {(w, *ALL_SICK): np.where(ap, 1.0, s >= 0.5) for w, s in scores.items()}
    fixed = {(w, *FIXED): (s >= 0.5).astype(float) for w, s in scores.items()}
    return audit(Population.from_frame(frame), scores, fixed | nothing | everyone, replicates=1000)


def test_tables_are_those_of_the_bundle(audited):
    assert len(audited) == 10
    for name in audited:
        assert dict(audited[name].schema) == results.TABLES[name]
        assert audited[name].columns == list(results.TABLES[name])


def test_every_method_has_every_cell_and_only_the_fixed_threshold_has_auc(audited):
    cells = 1 + sum(len(a.groups) for a in ATTRIBUTES.values())
    assert audited["metrics"].height == 6 * cells * 8 + 2 * cells
    auc = audited["metrics"].filter(metric="auc")
    assert set(auc["postprocessing"]) == {BASELINE_POSTPROCESSING} and set(auc["target"]) == {"none"}
    assert set(audited["metrics"]["metric"]) == set(METRICS)


def test_combinations_are_asked_nothing_further(audited):
    alone = {("uniform", *FIXED), ("uniform", *OTHER), ("uniform", *ALL_SICK), ("kamiran_calders_sex", *FIXED)}
    for name in ("parity", "intersections", "amplification"):
        assert set(audited[name].select("weighting", "postprocessing", "target").iter_rows()) == alone


def test_without_the_further_tables_the_others_are_the_same(audited):
    frame, scores = cohort()
    people, decided = Population.from_frame(frame), {BASELINE: (scores >= 0.5) * 1.0}
    more, fewer = (audit(people, {"uniform": scores}, decided, replicates=30, further=f) for f in (True, False))
    assert set(more) - set(fewer) == set(audited) - {"metrics", "gaps", "changes", "interval_levels"}
    assert all(more[name].equals(fewer[name]) for name in fewer)


def test_values_lie_in_their_intervals_and_rates_between_0_and_1(audited):
    metrics = audited["metrics"].filter("estimable")
    assert metrics.filter((pl.col("low") > pl.col("value")) | (pl.col("value") > pl.col("high"))).is_empty()
    assert metrics["low"].min() >= 0 and metrics["high"].max() <= 1


def test_a_method_that_does_nothing_changes_exactly_nothing(audited):
    same = audited["changes"].filter(weighting="uniform", postprocessing=OTHER[0])
    assert same.height > 0
    for column in ("change", "low", "high"):
        assert (same[column] == 0).all()
    assert (same["p"] == 1).all() and (same["verdict"] == UNDECIDED).all()


def test_the_baseline_is_not_among_its_own_changes(audited):
    methods = {tuple(row) for row in audited["changes"].select("weighting", "postprocessing", "target").rows()}
    assert BASELINE not in methods and len(methods) == 5


def test_calling_everyone_sick_in_one_view_is_seen(audited):
    method = {"weighting": "uniform", "postprocessing": ALL_SICK[0]}
    words = {(r["metric"], r["contrast"]): r["verdict"] for r in audited["changes"].filter(**method).to_dicts()}
    assert words["fpr", "AP"] == "worsens" and words["tpr", "AP"] == "improves"
    assert words["selection_rate", "AP"] == "rises" and words["fpr", "PA"] == UNDECIDED
    assert words["balanced_accuracy", "all"] == "worsens"
    spread = audited["changes"].filter(**method, attribute="view", metric="fpr", contrast=MAX_MIN)
    assert spread["verdict"].item() == "worsens" and spread["change"].item() > 0
    gap = audited["gaps"].filter(**method, metric="fpr", contrast="AP - PA")
    assert gap["verdict"].item() == "higher" and gap["low"].item() > 0


def test_a_spread_has_no_p_and_no_verdict(audited):
    spreads = audited["gaps"].filter(contrast=MAX_MIN)
    assert spreads.height > 0
    assert all(spreads[column].null_count() == spreads.height for column in ("p", "p_holm", "verdict"))


def test_differences_are_group_minus_reference(audited):
    values = {(r["group"], r["metric"]): r["value"] for r in audited["metrics"].head(8 * 9).to_dicts()}
    for row in audited["gaps"].head(35).filter(pl.col("contrast") != MAX_MIN).to_dicts():
        group, reference = row["contrast"].split(" - ")
        assert reference == ATTRIBUTES[row["attribute"]].reference
        assert row["value"] == pytest.approx(values[group, row["metric"]] - values[reference, row["metric"]], abs=1e-12)


def test_holm_takes_the_differences_of_a_method_as_one_family(audited):
    for _, rows in audited["gaps"].filter(pl.col("p").is_not_null()).group_by("weighting", "postprocessing"):
        assert rows.sort("p")["p_holm"][0] == pytest.approx(min(1, rows.height * rows["p"].min()))


def test_the_patient_level_is_the_reported_one(audited):
    level = audited["interval_levels"].filter(level="patient")
    own = audited["metrics"].filter(weighting="uniform", postprocessing=BASELINE_POSTPROCESSING)
    own = own.filter(~pl.col("metric").is_in(DESCRIBED))
    assert level.drop("level").equals(own.select(level.drop("level").columns))


def test_images_and_patients_are_those_the_metric_is_about(audited):
    frame, _ = cohort()
    overall = audited["metrics"].filter(
        attribute="overall", weighting="uniform", postprocessing=BASELINE_POSTPROCESSING
    )
    images = dict(overall.select("metric", "images").rows())
    assert images["tpr"] == frame["label"].sum() and images["tpr"] + images["fpr"] == images["auc"] == frame.height


def test_a_small_group_is_not_estimable_and_is_kept_with_its_size():
    frame, scores = cohort()
    few = frame["patient"].unique().sort().head(10).implode()
    sex = pl.when(pl.col("patient").is_in(few)).then(pl.lit("F")).otherwise(pl.lit("M"))
    population = Population.from_frame(frame.with_columns(sex=sex))
    decisions = {BASELINE: (scores >= 0.5).astype(float)}
    tables = audit(population, {"uniform": scores}, decisions, replicates=50)
    women = tables["metrics"].filter(group="F", metric="selection_rate")
    assert not women["estimable"].item() and women["patients"].item() == 10 and women["images"].item() > 0
    assert all(women[column].item() is None for column in ("value", "low", "high", "seed_sd"))
    gaps = tables["gaps"].filter(attribute="sex")
    assert (gaps["verdict"] == NOT_ESTIMABLE).all() and gaps["value"].null_count() == gaps.height
    assert not gaps["estimable"].any()


def test_an_attribute_nobody_has_is_not_estimable():
    frame, scores = cohort()
    population = Population.from_frame(frame.with_columns(sex=pl.lit(None, pl.String)))
    tables = audit(population, {"uniform": scores}, {BASELINE: (scores >= 0.5).astype(float)}, replicates=20)
    sex = tables["metrics"].filter(attribute="sex")
    assert sex.height == 18 and not sex["estimable"].any() and (sex["images"] == 0).all()


def test_one_network_has_no_spread_between_networks():
    frame, scores = cohort()
    tables = audit(
        Population.from_frame(frame), {"uniform": scores[:1]}, {BASELINE: (scores[:1] >= 0.5) * 1.0}, replicates=50
    )
    assert tables["metrics"]["seed_sd"].null_count() == tables["metrics"].height
    assert tables["changes"].is_empty() and dict(tables["changes"].schema) == results.TABLES["changes"]


def test_the_same_seed_gives_the_same_tables_and_progress_counts_the_methods():
    frame, scores = cohort()
    population, seen = Population.from_frame(frame), []
    runs = [
        audit(
            population,
            {"uniform": scores},
            {BASELINE: (scores >= 0.5) * 1.0, ("uniform", *OTHER): (scores >= 0.6) * 1.0},
            replicates=60,
            seed=seed,
            progress=lambda done, total: seen.append((done, total)),
        )
        for seed in (1, 1, 2)
    ]
    assert all(runs[0][name].equals(runs[1][name]) for name in runs[0])
    assert not runs[0]["metrics"].equals(runs[2]["metrics"])
    assert seen[:2] == [(1, 2), (2, 2)]


def test_adding_a_postprocessing_leaves_the_others_as_they_were():
    frame, scores = cohort()
    population = Population.from_frame(frame)
    few = {BASELINE: (scores >= 0.5) * 1.0, ("uniform", *OTHER): (scores >= 0.6) * 1.0}
    many = few | {("uniform", "equal_tpr", "sex"): (scores >= 0.4) * 1.0}
    one, two = (audit(population, {"uniform": scores}, d, replicates=60) for d in (few, many))
    kept = two["metrics"].filter(pl.col("postprocessing") != "equal_tpr")
    assert one["metrics"].equals(kept)
    assert one["gaps"].equals(two["gaps"].filter(pl.col("postprocessing") != "equal_tpr"))


def test_too_few_replicates_to_decide_are_said(caplog):
    frame, scores = cohort()
    decisions = {BASELINE: (scores >= 0.5) * 1.0, ("uniform", *OTHER): (scores >= 0.6) * 1.0}
    with caplog.at_level(logging.WARNING):
        audit(Population.from_frame(frame), {"uniform": scores}, decisions, replicates=20)
    assert "20 replicates are too few" in caplog.text


def test_inputs_that_do_not_fit_together_are_refused():
    frame, scores = cohort()
    population, decided = Population.from_frame(frame), (scores >= 0.5) * 1.0
    cases = (
        ({"uniform": scores}, {("uniform", *OTHER): decided}, "baseline"),
        ({"uniform": scores, "b": scores}, {BASELINE: decided}, "weighting 'b' lacks"),
        ({"uniform": scores}, {BASELINE: decided[:1]}, "1 networks"),
        ({"uniform": scores}, {BASELINE: decided, ("b", *FIXED): decided}, "the scores of 'b' differ"),
        ({"uniform": scores[:, 1:]}, {BASELINE: decided}, "shape"),
        ({"uniform": scores * np.nan}, {BASELINE: decided}, "not finite"),
        ({"uniform": scores}, {BASELINE: decided * 2}, "allowed is 0 to 1"),
    )
    for own, decisions, said in cases:
        with pytest.raises(ValueError, match=said):
            audit(population, own, decisions, replicates=10)
