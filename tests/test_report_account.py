"""What is left of a gap is told from the side of those who fare worse, by three ways of judging it; the rest is arithmetic."""

import polars as pl
import pytest
from bundles import NULL, bundle
from scipy.stats import binomtest

from lib.names import BASELINE, DEFAULTS, PATIENT
from lib.report import load, say
from lib.report.facts import account, whatif
from lib.report.facts.choice import second
from lib.report.facts.decision import LEVELS, decide
from lib.report.facts.gaps import LABELS, Gap
from lib.report.facts.options import ONE_CUT
from lib.report.facts.values import KEYS, Estimate, error_gaps, estimate
from lib.report.words.language import language
from lib.results import Results

VIEW = DEFAULTS["view"]


@pytest.mark.parametrize(
    ("metric", "value", "worse"), [("tpr", 0.2, "PA"), ("tpr", -0.2, "AP"), ("fpr", 0.2, "AP"), ("fpr", -0.2, "PA")]
)
def test_the_group_that_fares_worse_is_missed_more_or_alarmed_more(metric, value, worse):
    gap = Gap.of(VIEW, metric, "AP - PA", Estimate(value, value - 0.3, value + 0.1))
    assert gap.worse == worse and gap.size.value == pytest.approx(0.2)
    assert gap.size.low < gap.size.value < gap.size.high
    assert gap.size.high == pytest.approx(0.3 if value > 0 else 0.5)


@pytest.mark.parametrize(
    ("tpr", "fpr", "ppv", "npv"), [(0.8, 0.1, 0.04 / 0.135, 0.855 / 0.865), (0.0, 0.0, None, 0.95)]
)
def test_predictive_values_are_those_of_bayes(tpr, fpr, ppv, npv):
    """Where one of 20 is sick; of nobody who is called sick there is no share."""
    study = bundle()
    rates = pl.when(metric="tpr").then(tpr).when(metric="fpr").then(fpr).otherwise("estimate")
    told = account.predictive(
        Results(study.manifest, study.tables | {"metrics": study.metrics.with_columns(estimate=rates)})
    )
    assert told["rare"] == 0.05 and told["lines"][0]["group"] == "all" and told["lines"][0]["option"].nothing
    for line in told["lines"]:
        assert line["rare"]["right"] == (ppv and pytest.approx(ppv))
        assert line["rare"]["healthy"] == pytest.approx(npv)
        assert line["rare"]["called"] == pytest.approx(0.05 * tpr + 0.95 * fpr)


def test_what_is_left_is_judged_in_three_ways_and_the_headline_is_one_of_them():
    study = bundle()
    told, d = account.left(study), decide(study)
    assert (
        {"mean", "anew"} <= set(told["ways"]) <= {"mean", "deployed", "anew"}
    )  # one rule is deployed, a weighting is not
    keys = dict(zip(KEYS, d.choice.method, strict=True))
    place = {"attribute": "view", "contrast": "AP - PA", "metric": "tpr", "unit": PATIENT}
    row = study.effects.filter(**keys, **place).row(0, named=True)
    assert told["ways"]["mean"]["tpr"].size.value == pytest.approx(abs(row["left"]))
    assert d.mean.size.value == pytest.approx(d.choice.gap)
    found = study.chosen_anew.filter(pl.col("attribute") == "view")["estimate"].abs().max()
    assert d.anew.size.value == pytest.approx(found)
    expected = d.deployed.size.value if d.deployed else found
    assert d.left == pytest.approx(max(expected, d.choice.gap))


def test_where_nothing_is_chosen_nothing_is_left_to_judge():
    null = bundle(NULL)
    assert decide(null).choice.nothing and account.left(null) is None and decide(null).anew is None
    assert not account.attributes(null)["opened"]


def test_one_thing_is_held_fixed_at_a_time_and_the_untouched_gap_comes_first():
    study = bundle()
    told, main = whatif.held(study), decide(study).main
    first, *rest = told["lines"]
    assert first["what"] == "nothing" and first["gaps"][main.metric].size.value == pytest.approx(main.gap.value)
    assert rest and all(line["gaps"].keys() == {"tpr", "fpr"} and any(line["gaps"].values()) for line in rest)
    assert whatif.held(bundle(NULL)) is None


def test_corrections_by_a_second_attribute_are_told_with_what_they_leave_of_both():
    study = load()
    told = second(study)
    assert told["lines"]["none"]["method"] == BASELINE and told["lines"].keys() >= {"rule", "ours"}
    rule, attribute = told["lines"]["rule"], told["attribute"]
    own = study.effects.filter(
        attribute=attribute.name, unit=PATIENT, metric="tpr", **dict(zip(KEYS, rule["method"], strict=True))
    )
    widest = own.filter(pl.col("contrast").is_in(list(attribute.contrasts)))["left"].abs().max()
    assert rule["gaps"][attribute.name]["tpr"].size.value == pytest.approx(widest)
    assert told["least"]["widest"] == min(line["widest"] for line in told["lines"].values())


def test_in_a_year_all_groups_together_are_as_sick_as_the_hospital_says():
    d = decide(load())
    shares = [share for option in d.yearly if option.recommended for share in option.shares]
    sick = sum(share.yearly["found"].value / share.more_found.value for share in shares)
    assert len(shares) == len(d.attribute.groups) and sick == pytest.approx(d.per_year * d.sick, rel=0.02)


def test_an_interval_that_holds_for_all_comparisons_together_bears_a_dagger_and_no_other():
    row = {"estimate": 0.2, "low": 0.1, "high": 0.3, "low_simultaneous": 0.05, "high_simultaneous": 0.35}
    single, joint = (estimate(row | {"verdict": verdict}) for verdict in ("suggested", "shown"))
    assert not single.joint and joint.joint and (-joint).joint and joint.times(2).joint
    assert language("en").estimated(single, "hundred") == "20 (10 to 30)"
    assert language("fr").estimated(-joint, "hundred") == "−20 (−35 à −5)†"
    assert language("en").estimated(Estimate(0.2), "hundred") == "20" and "†" not in language("en").phrase("alone")


def test_what_one_fitted_rule_leaves_is_told_of_every_method_that_is_compared():
    d, study = decide(load()), load()
    for option in d.compared:
        own = study.deployed.filter(attribute="view", contrast="AP - PA", **dict(zip(KEYS, option.method, strict=True)))
        told = {metric: gap.size.value for metric, gap in d.fitted[option.method].items() if gap}
        assert told == {row["metric"]: pytest.approx(abs(row["estimate"])) for row in own.to_dicts()}
    assert d.fitted[d.sparing.method] and d.sparing.kind == "threshold rule" and d.sparing in d.offered
    assert set(account.left(study)["spared"]) == {"spared", "spared_once"}
    floor = study.metrics.filter(
        attribute="overall", metric="tpr", unit=PATIENT, **dict(zip(KEYS, ONE_CUT, strict=True))
    )
    if d.sparing.rule == LEVELS:
        assert d.floor.value == pytest.approx(floor["estimate"].item())
    else:
        assert d.floor is None


def test_the_evener_option_leaves_the_smallest_widest_gap_by_any_attribute():
    d, study = decide(load()), load()
    for option in (d.evener, d.change):
        left = [
            gap["left"]
            for attribute in study.attributes.values()
            for gap in study.effects.filter(
                error_gaps(attribute), **dict(zip(KEYS, option.method, strict=True))
            ).to_dicts()
        ]
        assert option.widest == pytest.approx(max(map(abs, left)))
    assert d.evener.widest == min(option.widest for option in d.compared) < d.change.widest


def test_the_control_by_the_same_patient_stands_beside_the_gap():
    d, study = decide(load()), load()
    same = study.within_patient.filter(attribute="view", contrast="AP - PA", metric="selection_rate")
    for finding in d.lead:
        own = same.filter(label=LABELS[finding.metric]).row(0, named=True)
        assert finding.same_patient["patients"] == own["patients"]
        assert finding.same_patient["gap"].value == pytest.approx(abs(own["estimate"]))
    assert [attribute.name for attribute in d.main.unadjusted] == ["age_group"]
    page = say(study, "decision", "why", "same")
    assert "In the same patients" in page and "age" in page


def test_the_protocol_says_how_many_must_be_found_for_the_interval_to_clear_the_floor():
    told, floor = account.needed(load()), decide(load()).tested["asked"]
    clears = [
        binomtest(found, told["each"]).proportion_ci(method="wilson").low > floor
        for found in (told["found"] - 1, told["found"])
    ]
    assert clears == [False, True]


def test_a_years_false_alarms_today_are_those_of_all_healthy_and_the_change_that_of_the_groups():
    net, d = account.yearly(load())["net"], decide(load())
    assert net["alarmed"] == pytest.approx(sum(s.yearly["alarmed"].value for s in d.change.shares))
    today = d.spared.value * (1 - d.sick) * d.per_year
    assert f" {today:,.0f} false alarms as it is" in say(load(), "account", "workload")
