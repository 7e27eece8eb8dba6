"""The appendix on planted biases says what its table says; the benchmark's rules claim only what the report would."""

import polars as pl
import pytest
from boards import published

from benchmarks import planted as benchmark
from lib.cohort.phantom import EFFECTS
from lib.report import heading, say, show
from lib.report.facts import trust as planted


def claims(found: float = 1.0, alarms: float = 0.0, cohorts: int = 20) -> pl.DataFrame:
    """Claims of an audit that finds each bias in a share of cohorts, and alarms falsely in another."""
    rows = []
    for dial, value in benchmark.settings():
        for seed in range(cohorts):
            for question, right in planted.QUESTIONS.items():
                share = found if dial == question else alarms
                rows.append((dial, value, seed, question, right if seed < share * cohorts else 0, 0.8))
    return pl.DataFrame(rows, schema=list(benchmark.FIELDS), orient="row")


@pytest.fixture(scope="module")
def study():
    return published()


def test_the_report_asks_what_the_phantom_plants():
    assert {name: effect.sign for name, effect in EFFECTS.items()} == planted.QUESTIONS


def test_an_audit_that_finds_all_and_alarms_never_is_told_so(study):
    told = say(study, "planted", "answer", frame=claims())
    assert told.startswith("Yes: planted in full, every bias is found") and "0.0" in told


def test_an_audit_that_finds_nothing_and_alarms_often_is_told_so(study):
    told = say(study, "planted", "answer", frame=claims(found=0.1, alarms=0.3))
    assert "none is found in most" in told and "Missed in most: women are sick" in told and "42 of 140" in told


def test_few_cohorts_decide_nothing(study):
    found = planted.rates(claims(found=0.5, cohorts=4))
    assert not [own for own in found if own["value"] == 1 and (own["found"] or own["missed"])]
    assert "Too few cohorts to say" in say(study, "planted", "answer", frame=claims(found=0.5, cohorts=4))


def test_a_wrong_sign_is_not_found():
    turned = claims().with_columns(sign=-pl.col("sign"))
    found = [own for own in planted.rates(turned) if own["value"]]
    assert {own["share"] for own in found} == {0}


@pytest.mark.parametrize(
    "frame", [claims(), claims(0.4, 0.1, 3), claims(cohorts=2).filter(dial="none"), claims().clear()], ids=len
)
@pytest.mark.parametrize("code", ["en", "fr"])
def test_figure_and_sentences_are_whole(frame, code):
    study = published().told_in(code)
    assert "NaN" not in show(study, "planted", frame=frame)
    texts = [say(study, "planted", block, frame=frame) for block in ("answer", "classifier", "mislabelled")]
    ends = ".", ".**", "<!-- -->"  # without a table, only the answer speaks
    assert all(text.endswith(ends) and "None" not in text for text in texts) and heading(study, "planted", frame=frame)


def test_intervals_are_apart_only_where_they_do_not_meet():
    def between(low, high):
        return {"low": low, "high": high}

    assert benchmark.apart(between(0.5, 0.6), between(0.1, 0.2)) == 1
    assert benchmark.apart(between(0.1, 0.2), between(0.5, 0.6)) == -1
    assert (
        benchmark.apart(between(0.1, 0.5), between(0.4, 0.6))
        == benchmark.apart(between(None, None), between(0, 1))
        == 0
    )
