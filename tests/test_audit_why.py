"""Questions about why and what if find what was planted, and nothing where nothing was."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from lib.audit.context import Context
from lib.audit.inference import Population
from lib.audit.questions import (
    QUESTIONS,
    abstention,
    equal_rates,
    gap_by_findings,
    gap_parts,
    label_errors,
    label_mixture,
    misses_by_finding,
    net_benefit,
    operating_points,
    pooled_crossings,
    seed_decisions,
)
from lib.names import BASELINE, Attribute

WARD = Attribute("ward", "ward", ("near", "far"), "far", True)
TIME = Attribute("time", "time", ("day", "eve", "night"), "day", True)


def made(
    n=4000,
    networks=1,
    shift=0.0,
    signal=(1.4, 1.4),
    wrong=0.0,
    seed=0,
    tilt=0.0,
    images=1,
    noise=0.2,
    prevalence=0.5,
    decided=None,
    hard=(0.0, 0.0),
):
    """Two wards: `shift` moves all logits of the near one, `signal` is (near, far) distance of sick and healthy, `wrong` the share
    of the near sick labelled healthy, `tilt` what the finding Nodule takes off the logits, `hard` its share among the sick.
    """
    draw = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n), images)
    near = draw.integers(0, 2, n)[patient]
    sick = (draw.random(n) < prevalence)[patient].astype(int)
    nodule = draw.random(len(patient)) < np.where(near == 1, hard[0], hard[1])
    logits = np.where(near == 1, *(np.array(signal)[:, None] * np.ones(len(patient)))) * (sick - 0.5) + shift * near
    logits = logits + draw.normal(0, 1, len(patient)) - tilt * nodule * sick
    label = np.where((near == 1) & (sick == 1) & (draw.random(len(patient)) < wrong), 0, sick)
    people = pl.DataFrame(
        {
            "patient": patient,
            "label": label,
            "ward": np.where(near == 1, "near", "far"),
            "time": draw.choice(TIME.groups, n)[patient],
            "findings": np.where(label == 0, "No Finding", np.where(nodule, "Nodule", "Effusion|Mass")),
        }
    )
    scores = expit(logits + noise * draw.normal(size=(networks, len(patient))))
    decisions = (scores >= 0.5).astype(float) if decided is None else decided(people, scores)
    population = Population.from_frame(people, attributes=[WARD, TIME])
    return Context(population, people, {"uniform": scores}, {BASELINE: decisions})


def answered(question, context):
    return QUESTIONS[question.name].answer(context)


def of(table, **what):
    (row,) = table.filter(attribute="ward", **what).to_dicts()
    return row


def holds(row, value):
    return row["low"] <= value <= row["high"]


def test_a_shift_is_all_operating_point():
    table = answered(gap_parts, made(shift=0.8))
    for metric in ("tpr", "fpr"):
        parts = {part: of(table, metric=metric, part=part) for part in ("whole", "discrimination", "operating point")}
        assert parts["whole"]["estimate"] > 0.15
        assert holds(parts["discrimination"], 0) and abs(parts["discrimination"]["estimate"]) < 0.05
        assert parts["operating point"]["low"] > 0.1
        total = parts["discrimination"]["estimate"] + parts["operating point"]["estimate"]
        assert total == pytest.approx(parts["whole"]["estimate"], abs=1e-9)
    assert holds(of(table, metric="auc", part="whole"), 0)


def test_weaker_signal_is_discrimination():
    table = answered(gap_parts, made(signal=(0.6, 2.2)))
    assert of(table, metric="tpr", part="discrimination")["high"] < -0.1
    assert of(table, metric="fpr", part="discrimination")["low"] > 0.1
    expected = norm.cdf(0.6 / np.sqrt(2)) - norm.cdf(2.2 / np.sqrt(2))
    assert of(table, metric="auc", part="whole")["estimate"] == pytest.approx(expected, abs=0.04)


def test_rates_at_equal_rates_are_those_of_the_normal_curve():
    found = made(shift=0.8, n=20_000, noise=0)
    table = answered(equal_rates, found)
    everyone = table.filter(attribute="overall", metric="fpr")["estimate"].item()
    for group in ("near", "far"):
        expected = norm.cdf(1.4 + norm.ppf(everyone))
        assert of(table, group=group, metric="tpr_at_equal_fpr")["estimate"] == pytest.approx(expected, abs=0.02)
        assert of(table, group=group, metric="auc")["estimate"] == pytest.approx(norm.cdf(1.4 / 2**0.5), abs=0.015)


def test_a_curve_is_scikit_learns_and_counts_patients_once():
    found = made(n=300, images=2, shift=0.5)
    found = replace(found, scores={"uniform": found.scores["uniform"].round(1)})  # with ties
    table = answered(equal_rates, found)
    rates = {(row["group"], row["metric"]): row["estimate"] for row in table.to_dicts()}
    people = found.people.with_columns(score=pl.Series(found.scores["uniform"][0]))
    for group in ("near", "far"):
        own = people.filter(ward=group).with_columns(weight=1 / pl.len().over("patient", "label"))
        columns = (own[name].to_numpy() for name in ("label", "score", "weight"))
        label, score, weight = columns
        fpr, tpr, _ = roc_curve(label, score, sample_weight=weight, drop_intermediate=False)
        assert rates[group, "auc"] == pytest.approx(roc_auc_score(label, score, sample_weight=weight))
        assert rates[group, "tpr_at_equal_fpr"] == pytest.approx(np.interp(rates["all", "fpr"], fpr, tpr))
        assert rates[group, "fpr_at_equal_tpr"] == pytest.approx(np.interp(rates["all", "tpr"], tpr, fpr))


def test_a_gap_of_findings_is_composition_and_a_gap_at_equal_findings_is_not():
    harder = answered(gap_by_findings, made(tilt=2.0, hard=(0.6, 0.1)))
    assert of(harder, part="whole")["high"] < -0.1 and holds(of(harder, part="same findings"), 0)
    assert of(harder, part="composition")["estimate"] == pytest.approx(of(harder, part="whole")["estimate"], abs=0.04)
    shifted = answered(gap_by_findings, made(shift=0.8, tilt=2.0, hard=(0.3, 0.3)))
    assert of(shifted, part="same findings")["low"] > 0.1 and abs(of(shifted, part="composition")["estimate"]) < 0.03


def test_misses_by_finding_are_those_of_the_images():
    found = made(tilt=2.0, hard=(0.4, 0.4), n=3000)
    table = answered(misses_by_finding, found)
    rows = found.people.with_columns(missed=1 - pl.Series(found.decisions[BASELINE][0]))
    for finding in ("Nodule", "Mass"):
        own = rows.filter(pl.col("findings").str.contains(finding), ward="near")["missed"]
        row = of(table.filter(pl.col("contrast").is_null()), finding=finding, group="near")
        assert row["estimate"] == pytest.approx(own.mean()) and row["patients"] == len(own)
    overall = table.filter(attribute="overall", finding="Nodule")["estimate"].item()
    assert overall > table.filter(attribute="overall", finding="Mass")["estimate"].item() + 0.3
    assert table.filter(pl.col("contrast").is_null())["verdict"].null_count() == table["contrast"].null_count()


def test_findings_are_named_by_the_sick_alone():
    found = made(n=40)
    said = pl.when(pl.col("label") == 0).then(pl.lit("A")).when(pl.col("patient") % 2 == 0).then(pl.lit("B|C"))
    people = found.people.with_columns(findings=said.otherwise(pl.lit(None)))
    table = answered(misses_by_finding, replace(found, people=people)).filter(attribute="overall")
    even = (people["label"] * (people["patient"] % 2 == 0)).sum()
    patients = dict(table.select("finding", "patients").rows())
    assert patients == {"B": even, "C": even, "not named": people["label"].sum() - even}


def test_labels_made_wrong_by_the_tipping_share_make_the_gap():
    table = answered(label_errors, made(n=20_000, wrong=0.3))
    row = of(table, metric="fpr", reading="as the others")
    # of the near labelled healthy, .3 of as many sick as healthy are sick
    assert row["group"] == "near" and row["estimate"] == pytest.approx(0.3 / 1.3, abs=0.03) and holds(row, 0.3 / 1.3)
    assert row["wrong"] == pytest.approx(row["estimate"] * row["patients"])
    assert of(table, metric="fpr", reading="errors first")["estimate"] < row["estimate"]
    assert holds(of(answered(label_errors, made(n=4000)), metric="fpr", reading="as the others"), 0)


def test_relabelling_the_errors_first_closes_the_gap():
    found = made(shift=0.8)
    row = of(answered(label_errors, found), metric="fpr", reading="errors first")
    called, near = found.decisions[BASELINE][0] == 1, (found.people["ward"] == "near").to_numpy()
    label = found.people["label"].to_numpy()
    wrong = np.flatnonzero(called & near & (label == 0))[: round(row["wrong"])]
    kept = np.setdiff1d(np.arange(len(label)), wrong)
    rates = [called[kept][(label[kept] == 0) & (near[kept] == side)].mean() for side in (True, False)]
    assert rates[0] == pytest.approx(rates[1], abs=1e-3)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_the_mixture_finds_the_wrong_labels_and_none_where_there_are_none(shift):
    share = 0.4 / 1.4
    found = of(
        answered(label_mixture, made(wrong=0.4, signal=(2.0, 2.0), shift=shift)),
        group="near",
        reading="aligned",
    )
    assert found["low"] > 0.1 and holds(found, share)
    null = answered(label_mixture, made(signal=(2.0, 2.0), shift=shift, seed=1))
    assert holds(of(null, group="near", reading="aligned"), 0)
    as_they_are = of(null, group="near", reading="as they are")
    assert holds(as_they_are, 0) if shift == 0 else as_they_are["low"] > 0.2


def test_net_benefit_is_its_formula_and_treating_all_is_the_prevalence():
    found = made(prevalence=0.3)
    table = answered(net_benefit, found).filter(attribute="overall")
    label, scores = found.people["label"].to_numpy(), found.scores["uniform"][0]
    for t in (0.2, 0.5):
        called = scores >= t
        expected = (called & (label == 1)).mean() - (called & (label == 0)).mean() * t / (1 - t)
        own = {r["metric"]: r["estimate"] for r in table.filter(threshold=t).to_dicts()}
        assert own["model"] == pytest.approx(expected)
        assert own["treat all"] == pytest.approx(label.mean() - (1 - label.mean()) * t / (1 - t))
        assert own["gain"] == pytest.approx(own["model"] - max(0, own["treat all"]))


def test_a_threshold_that_nobody_reaches_has_no_certain_net_benefit():
    """One false alarm among 1,000 healthy weighs nine of the sick at a threshold of .9; none seen does not rule it out."""
    found = made()
    found = replace(found, scores={w: np.minimum(rows, 0.85) for w, rows in found.scores.items()})
    (own,) = answered(net_benefit, found).filter(attribute="overall", threshold=0.9, metric="model").to_dicts()
    assert own["estimate"] == 0 and -0.2 < own["low"] < -0.005 and own["high"] > 0


def test_scores_that_say_nothing_have_no_net_benefit():
    table = answered(net_benefit, made(signal=(0.0, 0.0))).filter(metric="gain", threshold=0.5)
    assert (table["high"] <= 0.03).all() or (table["estimate"].abs() < 0.05).all()


def test_disagreement_is_the_mean_over_pairs():
    draw = np.random.default_rng(0)
    for networks in (2, 3, 5):
        decisions = (draw.random((networks, 50)) < 0.5).astype(float)
        pairs = [decisions[a] != decisions[b] for a in range(networks) for b in range(a)]
        assert seed_decisions.disagreement(decisions).mean(axis=0) == pytest.approx(np.mean(pairs, axis=0))


def test_decisions_of_one_group_hinge_on_the_seed():
    def decided(people, scores):
        tossed = np.random.default_rng(1).random(scores.shape) < 0.5
        return np.where((people["ward"] == "near").to_numpy(), tossed, True).astype(float)

    table = answered(seed_decisions, made(networks=5, decided=decided, n=1500))
    near = of(table.filter(pl.col("contrast").is_null()), group="near", among="all", metric="disagreement")
    assert holds(near, 0.5) and near["estimate"] == pytest.approx(0.5, abs=0.03)
    assert near["low"] * near["high"] == pytest.approx(near["estimate"] ** 2)  # even in logarithms
    split = of(table.filter(pl.col("contrast").is_null()), group="near", among="all", metric="split")
    assert split["estimate"] == pytest.approx(1 - 2 * 0.5**5, abs=0.03) and split["networks"] == 5
    assert of(table, contrast="near - far", among="all", metric="disagreement")["low"] > 0.4


def test_the_least_sure_are_referred_and_every_patient_counts_once():
    scores, patients = np.array([0.5, 0.52, 0.9, 0.1, 0.45, 0.99]), np.array([0, 1, 2, 3, 4, 5])
    assert abstention.referred(scores, patients, 0.5).tolist() == [True, True, False, False, True, False]
    # two images of one patient are half a patient each
    assert abstention.referred(scores, np.array([0, 0, 1, 2, 3, 4]), 0.2).tolist() == [True, True] + [False] * 4
    assert not abstention.referred(scores, patients, 0.0).any()


def test_abstention_lowers_errors_and_refers_those_near_one_half():
    table = answered(abstention, made(shift=0.0, signal=(0.8, 3.0), n=3000)).filter(attribute="ward")
    levels = table.filter(pl.col("contrast").is_null())
    far = levels.filter(group="far", metric="fpr")["estimate"].to_list()
    assert far == sorted(far, reverse=True) and far[-1] < far[0]
    assert of(table, contrast="near - far", metric="referred", share=0.2)["low"] > 0.1
    overall = answered(abstention, made(n=1000)).filter(attribute="overall", metric="referred", share=0.2)
    assert overall["estimate"].item() == pytest.approx(0.2, abs=2e-3)


def test_high_sensitivity_is_reached_on_other_patients():
    table = answered(operating_points, made(shift=0.8, n=3000, images=2))
    for point, target in (("TPR 0.90", 0.9), ("TPR 0.95", 0.95)):
        own = table.filter(attribute="overall", point=point)
        assert own.filter(metric="tpr")["estimate"].item() == pytest.approx(target, abs=0.02)
        # P(sick score >= threshold) = target in the mixture of both wards
        threshold = own.filter(metric="threshold")["estimate"].item()
        logit = np.log(threshold / (1 - threshold))
        reached = np.mean([norm.sf((logit - 0.7 - shift) / np.sqrt(1.04)) for shift in (0, 0.8)])
        assert reached == pytest.approx(target, abs=0.02)
    gap = {p: of(table, point=p, metric="tpr", contrast="near - far")["estimate"] for p in operating_points.POINTS}
    assert gap["TPR 0.95"] < gap["0.5"] and gap["TPR 0.95"] > 0
    each = table.filter(attribute="ward", point=operating_points.IN_EACH).filter(pl.col("contrast").is_null())
    assert each.filter(metric="tpr")["estimate"].to_list() == pytest.approx([0.9, 0.9], abs=0.02)
    near, far = each.filter(metric="threshold")["estimate"]
    assert near > far  # whose scores lie higher


def test_pooled_crossings_are_nearer_to_the_truth_and_never_lack_an_estimate():
    off = []
    for seed in range(8):
        found = made(n=160, shift=0.8, seed=seed, noise=0)
        table = answered(pooled_crossings, found).filter(metric="fpr")
        for row in table.to_dicts():
            ward = row["group"].split(", ")[0]
            truth = norm.cdf((0.8 if ward == "near" else 0.0) - 0.7)
            off.append((row["raw"] - truth, row["estimate"] - truth, row["low"] <= truth <= row["high"]))
    raw, pooled, held = np.array(off).T
    assert (pooled**2).mean() < 0.9 * (raw**2).mean() and held.mean() > 0.85


def test_a_crossing_without_anyone_has_the_priors_estimate():
    found = made(n=600, shift=0.8)
    kept = ~((found.people["ward"] == "near") & (found.people["time"] == "night")).to_numpy()
    people = found.people.filter(kept)
    few = Context(
        Population.from_frame(people, attributes=[WARD, TIME]),
        people,
        {"uniform": found.scores["uniform"][:, kept]},
        {BASELINE: found.decisions[BASELINE][:, kept]},
    )
    (row,) = answered(pooled_crossings, few).filter(group="near, night", metric="fpr").to_dicts()
    assert row["raw"] is None and row["patients"] == 0 and row["kept"] == 0 and not row["estimable"]
    assert row["estimate"] == pytest.approx(row["prior"]) and row["low"] <= norm.cdf(0.1) <= row["high"]
