"""The appendix on trust says what its table says, all of it, whatever rows it has."""

import polars as pl
import pytest
from boards import published

from benchmarks.tally import COUNTED, KEY
from lib.names import IMAGE, PATIENT
from lib.report import heading, read, say, show
from lib.report.facts import trust


def rows(kind="gap", attribute="view", world="none", unit=PATIENT, patients=375, networks=1, metric="tpr", **numbers):
    found = {"source": "simulated", "world": world, "unit": unit, "patients": patients, "networks": networks}
    found |= {"kind": kind, "attribute": attribute, "metric": metric, "contrast": "AP - PA", "cohorts": 300}
    return found | dict.fromkeys(COUNTED) | numbers


def made(covered=0.95, alarms=0.04, wrong=0.05) -> pl.DataFrame:
    numbers = {"truth": 0.0, "covered": covered, "below": 0.02, "above": 0.03, "width": 0.2, "p_below_5": alarms}
    kinds = ("level", "gap", "weighting: placebo (gap)", "post-processing: jitter (level)", "left (gap)")
    found = [rows(kind, unit=u, networks=n, **numbers) for kind in kinds for u in (PATIENT, IMAGE) for n in (1, 3)]
    found.append(rows("net_benefit (level)", **numbers | {"covered": 0.85}))
    found.append(rows("gap", unit=IMAGE, patients=1500, **numbers | {"width": 0.4}))
    family = {"attribute": trust.FAMILY, "wrong": wrong, "simultaneous": 0.95, "agree": 1.0, "shown": wrong}
    found += [rows(kind, networks=n, **family) for kind in ("baseline gaps", "family of weightings") for n in (2, 3)]
    found.append(rows("family of weightings", networks=5, **family | {"wrong": 0.04}))
    found.append(rows(world="gap 20", **numbers | {"p_below_5": 0.93, "shown": 0.77, "truth": 0.2}))
    found.append(rows("narrowed: mirrored", world="gaps", truth=0.2, shown=0.06, wrong=0.06))
    found += [rows("recommended", "all", metric=m, shown=0.5, wrong=0.1) for m in trust.WRONG.values()]
    schema = dict.fromkeys((*KEY, "cohorts"), pl.String) | dict.fromkeys(("patients", "networks", "cohorts"), pl.Int64)
    return trust.sorted_by_kind(pl.DataFrame(found, schema=schema | dict.fromkeys(COUNTED, pl.Float64)))


@pytest.fixture(scope="module")
def study():
    return published()


def test_the_answer_tells_whether_the_aim_was_met(study):
    assert "in 95 % on average" in say(study, "trust", "answer", frame=made()).replace("\N{NO-BREAK SPACE}", " ")
    poor = say(study, "trust", "answer", frame=made(covered=0.80))
    assert "80" in poor and "gaps between groups" in poor and "aim" in poor


def test_every_interval_is_told_in_the_figure_and_what_misses_the_aim_in_the_table(study):
    frame = made()
    assert {own["sort"] for own in trust.covered(frame, PATIENT)} == set(trust.intervals(frame)["sort"])
    assert [(s["sort"], s["covered"]) for s in trust.missed(study, frame)["found"]] == [("net_benefit", 0.85)]
    assert "85.0" in show(study, "missed_aims", frame=frame)
    assert "net benefit" in say(study, "trust", "further", frame=frame)
    assert "every setting meets the aim" in show(study, "missed_aims", frame=frame.filter(covered=0.95))


def test_false_alarms_power_and_claims_are_those_of_the_table(study):
    facts = trust.told(study, made(wrong=0.123))
    assert facts["families"] == {
        "baseline gaps": {2: 0.123, 3: 0.123},
        "family of weightings": {2: 0.123, 3: 0.123, 5: 0.04},
    }
    assert [(p["size"], p["shown"]) for p in facts["power"]] == [(20, 0.77)] and facts["claims"]["mirrored"] == 0.06
    told = say(study, "trust", "alarms", frame=made(wrong=0.123)).replace("\N{NO-BREAK SPACE}", " ")
    assert "4.0 % to 12.3 %" in told and "More than 6 %: weightings with two networks, with three networks" in told
    assert "More than" not in say(study, "trust", "alarms", frame=made())
    assert facts["wider"] > 1


def test_advice_is_told_with_how_often_it_is_wrong(study):
    facts = trust.told(study, made())["advice"]
    assert facts == {"loss": 0.1, "gap": 0.1, "margin": 0.1, "shown": 0.5, "cohorts": 300}
    assert "recommended in 50 %" in say(study, "trust", "advice", frame=made()).replace("\N{NO-BREAK SPACE}", " ")


def test_rows_count_as_many_as_they_hold():
    two = [rows(covered=1.0, truth=0.2), rows(covered=0.5, truth=0.2)]
    frame = pl.DataFrame(two, infer_schema_length=None).with_columns(figures=pl.Series([300, 100]))
    assert trust.covered(trust.sorted_by_kind(frame), PATIENT)[0]["mean"] == pytest.approx(0.875)


@pytest.mark.parametrize("frame", [made(), made().clear()], ids=["some", "none"])
@pytest.mark.parametrize("code", ["en", "fr"])
def test_sentences_figure_and_table_hold_with_and_without_rows(frame, code):
    study = published().told_in(code)
    texts = [
        say(study, "trust", block, frame=frame)
        for block in ("answer", "further", "alarms", "power", "advice", "by_image")
    ]
    texts += [heading(study, "coverage", frame=frame), read(study, "missed_aims", frame=frame)]
    assert all(text and "None" not in text and "nan" not in text for text in texts), texts
    assert "NaN" not in show(study, "coverage", frame=frame)
