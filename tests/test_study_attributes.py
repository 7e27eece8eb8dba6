"""A study of an attribute that only this cohort has: weighted, adjusted and audited by it."""

import polars as pl
import pytest
from conftest import rewrite_settings
from here import train_here
from made import quick_audits

from lib.names import is_weighting
from lib.preprocessing import WeightingError, catalogue, example_weights, names
from lib.results import load
from lib.study import run
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


def test_weightings_by_any_attribute_have_names_and_weights():
    train = pl.DataFrame({"label": [0, 1, 0, 1, 0, 1], "patient": list("abcdef"), "race": list("AABBBB")})
    assert is_weighting("placebo_patient_balanced_x_kamiran_calders_race") and not is_weighting("group_balanced_a+a")
    assert example_weights("group_balanced_race", train).tolist() == [1.5, 1.5, 0.75, 0.75, 0.75, 0.75]
    with pytest.raises(WeightingError, match="^Weighting group_balanced_sex: there is no attribute 'sex'; "):
        example_weights("group_balanced_sex", train)
    train = train.with_columns(weight=pl.lit(1.0), image="patient")
    possible, refused = catalogue(train, ["race"])
    assert set(possible) | set(refused) == set(names(["race"])) and "kamiran_calders_race" in possible
