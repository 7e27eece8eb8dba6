"""What the chapter on post-processing and the appendix say of rules is what the bundle holds, and no more."""

from dataclasses import replace

import polars as pl
import pytest
from boards import published

from lib.names import NOT_TOLD, PATIENT, SHOWN, SUGGESTED
from lib.report import heading, read, say
from lib.report.facts import rules, whatif
from lib.report.facts.decision import decide
from lib.report.facts.rules import adjusting
from lib.report.facts.values import keys_of
from lib.report.words.language import language, languages


@pytest.fixture(params=["nih", "demo"])
def study(request):
    return published(request.param)


def unseen(study):
    """The same with no verdict that says anything."""
    quiet = pl.col("verdict").replace({SHOWN: NOT_TOLD, SUGGESTED: NOT_TOLD})
    told = {name: frame.with_columns(quiet) for name, frame in study.tables.items() if "verdict" in frame.columns}
    told["effects"] = study.effects.with_columns(
        quiet, pl.col("outcome_verdict").replace({SHOWN: NOT_TOLD, SUGGESTED: NOT_TOLD})
    )
    told["recommendation"] = study.recommendation.with_columns(support=pl.lit(None, pl.String))
    return replace(study, tables=study.tables | told)


def test_the_answer_says_what_the_best_rule_is_told_to_do(study):
    option = decide(study).rule
    answer = say(study, "adjusting", "answer")
    assert answer.startswith("**Yes.**") == bool(option and option.support == SHOWN)
    assert answer.startswith("**Perhaps.**") == bool(option and option.support == SUGGESTED)


@pytest.mark.parametrize("code", languages())
def test_without_verdicts_nothing_is_claimed(study, code):
    quiet = unseen(study).told_in(code)
    facts = adjusting(quiet)
    assert (facts["main"], facts["higher"], facts["widen"], facts["may_widen"]) == (None, None, (), ())
    wrong = rules.wrong_groups(quiet)
    assert wrong is None or not wrong["back"]
    assert whatif.label_errors(quiet) is None
    perhaps = {"en": ("perhaps", "Yes"), "fr": ("peut-être", "Oui")}[code]
    for text in (say(quiet, "adjusting"), read(quiet, "abstention"), read(quiet, "seed_decisions")):
        assert not [word for word in perhaps if word in text]


def test_rules_are_told_with_the_numbers_of_the_bundle(study):
    own = rules.optimism(study)
    worst, told = own["worst"], language("en")
    row = study.optimism.filter(attribute="overall", **keys_of(worst)).row(0, named=True)
    assert row["estimate"] == max(r["balanced"]["optimism"].value for r in own["rules"].values())
    for number in (row["naive"], row["cross_fitted"]):
        assert told.percent(number) in read(study, "optimism")


def test_what_calibrated_odds_replace_is_what_becomes_of_the_sick(study):
    facts = rules.replaced(study)
    for own in facts["shown"]:
        row = study.metrics.filter(
            weighting="uniform",
            postprocessing=own["postprocessing"],
            target=facts["d"].attribute.name,
            attribute=facts["d"].attribute.name,
            group=own["group"],
            metric="tpr",
            unit=PATIENT,
        )
        assert own["after"] == pytest.approx(row["estimate"].item(), abs=1e-9)


def test_the_selector_holds_every_method_once(study):
    facts = whatif.combinations(study)
    shown = {
        (weighting, *rule)
        for table in facts["tables"].values()
        for rule in table["rules"]
        for weighting in facts["weightings"]
    }
    assert shown >= set(study.metrics.select("weighting", "postprocessing", "target").unique().rows())


def test_the_share_of_decisions_that_hinge_on_the_seed_is_the_tables():
    study = published()
    row = study.seed_decisions.filter(attribute="overall", among="all", metric="disagreement")
    assert f"{100 * row['estimate'].item():.0f} hinge" in heading(study, "seed_decisions")
