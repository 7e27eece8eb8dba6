"""The appendix on planted biases says what its table says; the benchmark's rules claim only what the report would."""

import polars as pl
import pytest

from benchmarks import planted as benchmark
from lib.cohort.phantom import EFFECTS
from lib.report import exhibit, planted


def claims(found: float = 1.0, alarms: float = 0.0, cohorts: int = 20) -> pl.DataFrame:
    """Claims of an audit that finds each bias in a share of cohorts, and alarms falsely in another."""
    rows = []
    for dial, value in benchmark.settings():
        for seed in range(cohorts):
            for question, (_, right) in planted.QUESTIONS.items():
                share = found if dial == question else alarms
                rows.append((dial, value, seed, question, right if seed < share * cohorts else 0, 0.8))
    return pl.DataFrame(rows, schema=list(benchmark.FIELDS), orient="row")


def test_the_report_asks_what_the_phantom_plants():
    assert {name: effect.sign for name, effect in EFFECTS.items()} == {
        k: sign for k, (_, sign) in planted.QUESTIONS.items()
    }


def test_an_audit_that_finds_all_and_alarms_never_is_told_so():
    told = planted.answer(planted.rates(claims()))
    assert told.startswith("Of seven biases planted in full, the audit finds seven in most cohorts. Where nothing is")
    assert "0.0 % of its answers claim a difference" in told


def test_an_audit_that_finds_nothing_and_alarms_often_is_told_so():
    told = planted.answer(planted.rates(claims(found=0.1, alarms=0.3)))
    assert "finds no in" not in told and "the audit finds none" in told and "it misses in most: women are sick" in told
    assert "30.0 % of its answers claim" in told


def test_few_cohorts_decide_nothing():
    assert "for seven the cohorts are too few to say" in planted.answer(planted.rates(claims(found=0.5, cohorts=4)))


def test_a_wrong_sign_is_not_found():
    turned = claims().with_columns(sign=-pl.col("sign"))
    frame = planted.rates(turned).filter(pl.col("dial") != planted.NONE)
    assert frame["found"].max() == 0 and frame["wrong"].min() == 1


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 20, 0, 0.161), (10, 20, 0.299, 0.701), (20, 20, 0.839, 1)])
def test_wilson(hits, n, low, high):
    assert planted.wilson(hits, n) == pytest.approx((low, high), abs=0.001)


@pytest.mark.parametrize("frame", [claims(), claims(0.4, 0.1, 3), claims(cohorts=2).filter(dial="none")], ids=len)
def test_figure_table_and_sentences_are_whole(frame):
    frame = planted.rates(frame)
    chart = planted.figure(frame)
    assert "NaN" not in exhibit.to_svg(chart) and chart.description
    assert "None" not in exhibit.to_html(planted.summary(frame), "tbl-a")
    for sentence in (planted.answer(frame), planted.alarms(frame), planted.classifier(frame)):
        assert sentence.endswith(".") and "None" not in sentence


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
