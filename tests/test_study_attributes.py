"""A study of an attribute that only this cohort has: weighted, adjusted and audited by it."""

import re

import polars as pl
import pytest
from conftest import rewrite_settings
from here import train_here
from made import quick_audits

from lib.cohort import read_cohort
from lib.names import is_weighting
from lib.preprocessing import WeightingError, catalogue, example_weights, names
from lib.results import load
from lib.settings import study_settings
from lib.study import run
from lib.study.attributes import asked_attributes
from lib.training import workers


def test_a_study_of_an_attribute_of_ones_own_reaches_its_end(tiny_cohort, tiny_root, monkeypatch):
    monkeypatch.setattr(workers, "train_here", train_here)
    own = {"attributes": '["visit:Follow-up #:1"]', "attribute": '"visit"', "seeds": "[1]"}
    rules = {"weightings": '["uniform", "group_balanced_visit"]', "postprocessings": '["fixed_0.5", "equal_tpr"]'}
    with quick_audits():
        run.run_study(tiny_cohort, root=rewrite_settings(tiny_root, **own, **rules))
    study = load("tiny", tiny_root)
    assert set(study.metrics["attribute"]) == {"overall", "visit"}
    assert study.metrics.select("weighting", "postprocessing").unique().height == 4
    assert not study.recommendation.is_empty()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("race:Rce", r"metadata.csv has no column 'Rce' \(PLACE\); it has "),
        ("sex=X", r"PLACE sex: 'X' is no group; allowed are F, M\."),
        ("a:Patient Age:60,40", r"PLACE 'a:Patient Age:60,40': allowed are NAME, "),
    ],
)
def test_a_wrong_attribute_is_told_with_its_place_in_the_settings(tiny_cohort, tmp_path, written, said):
    root = rewrite_settings(tmp_path, attributes=f'["view", "{written}"]', attribute='"view"')
    lines = (root / "study.toml").read_text("utf-8").splitlines()
    line = next(k for k, text in enumerate(lines, start=1) if text.startswith("attributes = "))
    place = re.escape(f"{root / 'study.toml'}, line {line}, [audit]")
    with pytest.raises(ValueError, match=said.replace("PLACE", place)) as error:
        read_cohort(tiny_cohort, attributes=asked_attributes(study_settings(root), root))
    assert "--attribute" not in str(error.value)


def test_weightings_by_any_attribute_have_names_and_weights():
    train = pl.DataFrame({"label": [0, 1, 0, 1, 0, 1], "patient": list("abcdef"), "race": list("AABBBB")})
    assert is_weighting("placebo_patient_balanced_x_kamiran_calders_race") and not is_weighting("group_balanced_a+a")
    assert example_weights("group_balanced_race", train).tolist() == [1.5, 1.5, 0.75, 0.75, 0.75, 0.75]
    with pytest.raises(WeightingError, match="^Weighting group_balanced_sex: there is no attribute 'sex'; "):
        example_weights("group_balanced_sex", train)
    train = train.with_columns(weight=pl.lit(1.0), image="patient")
    possible, refused = catalogue(train, ["race"])
    assert set(possible) | set(refused) == set(names(["race"])) and "kamiran_calders_race" in possible
