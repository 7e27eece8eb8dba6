"""The appendix on trust says what its table says."""

import polars as pl
import pytest

from lib.report import exhibit, trust


@pytest.fixture
def frame():
    return trust.coverage()


def with_coverage(frame, level: str, share: float):
    return frame.with_columns(covered=pl.when(pl.col("level") == level).then(share).otherwise("covered"))


def test_the_committed_table_has_both_worlds_and_two_three_and_five_networks(frame):
    assert set(frame["world"]) == {"gaps", "null"} and set(frame["networks"]) == {2, 3, 5}
    assert frame.filter(level="patient")["cohorts"].min() >= 100


def test_the_answer_tells_whether_the_aim_was_met(frame):
    assert "miss the aim" not in trust.answer(with_coverage(frame, "patient", 0.95))
    poor = trust.answer(with_coverage(frame, "patient", 0.80))
    assert "80.0 %" in poor and "those of rates, differences and changes miss the aim of 93 to 97 %" in poor


def test_the_figure_is_titled_and_told_by_its_table(frame):
    chart = trust.figure(with_coverage(with_coverage(frame, "patient", 0.95), "image", 0.6))
    title = " ".join(chart.to_dict(validate=False)["title"]["text"])
    assert title.replace("\u00a0", " ").endswith("in 95 % of cases, intervals by image in 60 %")
    assert "NaN" not in exhibit.to_svg(chart) and chart.description


def test_false_alarms_are_those_where_nothing_differs(frame):
    loud = frame.with_columns(p_below_5=pl.when(pl.col("truth").abs() < trust.NULL).then(0.04).otherwise(0.9))
    assert "alarm in 4.0 % of differences between groups and 4.0 % of changes by a method" in trust.alarms(loud)


def test_the_summary_and_the_sentences_are_whole(frame):
    assert "by image" in exhibit.to_html(trust.summary(frame), "tbl-x")
    for sentence in (trust.answer(), trust.by_image(), trust.alarms()):
        assert sentence.endswith(".") and "None" not in sentence and "nan" not in sentence
