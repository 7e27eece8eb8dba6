"""The appendix on trust says what its table says, all of it."""

import polars as pl
import pytest

from benchmarks.tally import COUNTED, KEY
from lib.report import exhibit, trust


def rows(kind="gap", attribute="view", world="none", unit="patient", patients=375, networks=1, **numbers):
    found = {"source": "simulated", "world": world, "unit": unit, "patients": patients, "networks": networks}
    found |= {"kind": kind, "attribute": attribute, "metric": "tpr", "contrast": "AP - PA", "cohorts": 300}
    return found | dict.fromkeys(COUNTED) | numbers


def made(covered=0.95, alarms=0.04, wrong=0.05) -> pl.DataFrame:
    numbers = {"truth": 0.0, "covered": covered, "below": 0.02, "above": 0.03, "width": 0.2, "p_below_5": alarms}
    kinds = ("level", "gap", "weighting: placebo (gap)", "post-processing: jitter (level)", "left (gap)")
    found = [rows(kind, unit=u, networks=n, **numbers) for kind in kinds for u in ("patient", "image") for n in (1, 3)]
    found.append(rows("gap", unit="image", patients=1500, **numbers | {"width": 0.4}))
    family = {"attribute": trust.FAMILY, "wrong": wrong, "simultaneous": 0.95, "agree": 1.0, "shown": wrong}
    found += [rows(kind, **family) for kind in ("baseline gaps", "family of weightings")]
    seen = {"p_below_5": 0.93, "shown": 0.77, "wald": 0.9, "wald_holm": 0.7, "permutation": 0.88, "at_most": 0.01}
    found.append(rows(world="gap 20", **numbers | seen | {"truth": 0.2}))
    found.append(rows("narrowed: mirrored", world="gaps", truth=0.2, shown=0.05, wrong=0.05))
    schema = dict.fromkeys((*KEY, "cohorts"), pl.String) | dict.fromkeys(("patients", "networks", "cohorts"), pl.Int64)
    frame = pl.DataFrame(found, schema=schema | dict.fromkeys(COUNTED, pl.Float64))
    return frame.with_columns(sort=pl.col("kind").str.replace(r" \(.*", "").str.split(": ").list.first())


def test_the_answer_tells_whether_the_aim_was_met():
    assert "miss the aim" not in trust.answer(made())
    poor = trust.answer(made(covered=0.80))
    assert "80.0 % for differences between groups" in poor and "miss the aim of 93 to 97 %" in poor


def test_false_alarms_are_those_of_single_tests_and_of_families():
    told = trust.alarms(made(alarms=0.04, wrong=0.123))
    assert "4.0 % of differences between groups" in told and "12.3 % for baseline gaps" in told


def test_every_row_is_told_somewhere():
    frame = made()
    told = trust.intervals(frame).height + frame.filter(attribute=trust.FAMILY).height
    narrowed = frame.filter(pl.col("kind").str.starts_with("narrowed")).height
    assert told + narrowed == frame.height
    texts = [
        exhibit.to_html(make(frame), f"tbl-{k}")
        for k, make in enumerate((trust.summary, trust.families, trust.power, trust.claims))
    ]
    assert texts[0].count("1,500 patients") == 1 and "12.3" not in texts[1]
    for number in ("93.0", "77.0", "88.0"):
        assert number in texts[2]
    assert "Truly as large on the other side" in texts[3] and "5.0" in texts[3]


def test_by_image_is_wider():
    assert "times as wide as by patient" in trust.by_image(made())


def test_the_figure_is_told_by_its_table():
    chart = trust.figure(made(covered=0.91))
    title = " ".join(chart.to_dict(validate=False)["title"]["text"]).replace("\u00a0", " ")
    assert "in 91 % of cases" in title and "NaN" not in exhibit.to_svg(chart) and chart.description


@pytest.mark.parametrize("make", [trust.answer, trust.alarms, trust.by_image])
def test_the_committed_table_is_told_whole(make):
    sentence = make()
    assert sentence.endswith(".") and "None" not in sentence and "nan" not in sentence
