"""Warnings that save people: each is given where it is true, once, and nowhere else."""

import numpy as np
import polars as pl
import pytest
from tables import given, people, scored

from lib.predictions import PredictionError
from lib.predictions.remarks import OPTIMISM

META = people(patients=100)
PREDS = scored(META).with_columns(split=pl.lit("valid"))
SICK = (META["Finding Labels"] != "No Finding").to_numpy()


def told(tmp_path, preds=PREDS, meta=META, **asked) -> list[str]:
    return list(given(tmp_path, preds, meta, **asked).warnings)


def test_nothing_is_said_of_what_is_well(tmp_path):
    assert told(tmp_path) == []


def test_that_nothing_tells_training_images(tmp_path):
    assert told(tmp_path, PREDS.drop("split")) == [OPTIMISM]


def test_patients_on_both_sides_of_the_split(tmp_path):
    both = PREDS.with_columns(split=pl.Series(np.where(np.arange(200) % 2, "train", "valid")))
    (warning,) = told(tmp_path, both)
    assert warning.startswith(
        "preds.csv: 100 patients have images on both sides of the split, 100 of the 100 images audited"
    )
    apart = PREDS.with_columns(split=pl.Series(np.where(np.arange(200) < 100, "train", "valid")))
    assert told(tmp_path, apart) == []


def test_patients_on_both_sides_of_a_cohort_folder(tmp_path):
    for k, name in enumerate(META["Image Index"]):
        place = tmp_path / "cohort" / ("train" if k % 2 else "valid") / ("malade" if SICK[k] else "sain")
        place.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    (warning,) = told(tmp_path, PREDS.drop("split"), valid=tmp_path / "cohort")
    assert "100 patients have images on both sides" in warning


def test_a_score_the_wrong_way_round(tmp_path):
    (warning,) = told(tmp_path, PREDS.with_columns(score=1 - pl.col("score")))
    assert "well under .5: the score may be that of healthy" in warning


def test_a_score_that_knows_nothing_is_not_called_the_wrong_way_round(tmp_path):
    draw = np.random.default_rng(3)
    assert told(tmp_path, PREDS.with_columns(score=pl.Series(draw.random(200)))) == []


def test_constant_scores(tmp_path):
    assert told(tmp_path, PREDS.with_columns(score=pl.lit(0.7))) == [
        "preds.csv: every score is 0.7: nothing is told apart."
    ]


def test_a_patient_with_most_of_the_images(tmp_path):
    crowd = META.with_columns(pl.when(pl.int_range(pl.len()) < 154).then(0).otherwise("Patient ID").alias("Patient ID"))
    (warning,) = told(tmp_path, meta=crowd)
    assert warning == "one patient has 77 % of the images audited: what is found is mostly about that one."


def test_decisions_that_are_no_cut_of_the_scores(tmp_path):
    decided = np.where(PREDS["score"].to_numpy() >= 0.5, "malade", "sain")
    decided[:6] = np.where(decided[:6] == "malade", "sain", "malade")
    found = given(tmp_path, PREDS.with_columns(preds=pl.Series(decided)), META)
    (warning,) = found.warnings
    assert "of 200 decisions contradict the scores, whatever the threshold" in warning
    assert found.decisions["uniform"][0].tolist() == (decided == "malade").astype(float).tolist()


def test_decisions_by_another_threshold_are_no_contradiction(tmp_path):
    decided = pl.Series(np.where(PREDS["score"].to_numpy() >= 0.3, 1, 0))
    found = given(tmp_path, PREDS.with_columns(pred=decided), META)
    assert found.warnings == () and any("cut between" in note for note in found.notices)
    assert (found.decisions["uniform"][0] == decided.to_numpy()).all()
    asked = given(tmp_path, PREDS.with_columns(pred=decided), META, threshold=0.6)
    assert (asked.decisions["uniform"] == (asked.scores["uniform"] >= 0.6)).all()


def test_labels_that_contradict_the_metadata(tmp_path):
    labels = SICK.astype(int)
    labels[:7] = 1 - labels[:7]
    (warning,) = told(tmp_path, PREDS.with_columns(label=pl.Series(labels)))
    assert (
        warning == "preds.csv: labels differ from the Finding Labels of metadata.csv in 7 images; the file's are kept."
    )


def test_labels_the_other_way_round_are_turned_and_that_is_said(tmp_path):
    found = given(tmp_path, PREDS.with_columns(label=pl.Series(1 - SICK)), META)
    assert found.rows["label"].to_list() == SICK.astype(int).tolist()
    (warning,) = found.warnings
    assert "in 200 of 200 images the labels are the opposite of the Finding Labels" in warning


def test_words_that_contradict_the_metadata_are_refused(tmp_path):
    words = pl.Series(np.where(SICK, "sain", "malade"))
    with pytest.raises(PredictionError, match="labels contradict the Finding Labels .* in 200 of 200 images"):
        given(tmp_path, PREDS.with_columns(label=words), META)


def test_unlikely_ages(tmp_path):
    old = META.with_columns(pl.when(pl.int_range(pl.len()) < 4).then(412).otherwise("Patient Age").alias("Patient Age"))
    (warning,) = told(tmp_path, meta=old)
    assert warning.startswith("metadata.csv: 4 ages outside 0 to 120 years")
    (warning,) = told(tmp_path, meta=META.with_columns(pl.col("Patient Age") // 20))
    assert warning == "ages run from 1 to 3 only: they may be codes, not years."


def test_a_coded_attribute_is_compared_as_it_is_written_and_can_be_told(tmp_path):
    codes = META.with_columns(pl.col("Patient Gender").replace({"M": "0", "F": "1"}))
    found = given(tmp_path, PREDS, codes)
    assert found.attributes["sex"].groups == ("0", "1")
    assert any("what 0 and 1 mean is not written" in warning for warning in found.warnings)
    known = given(tmp_path, PREDS, codes, codes={"sex": {"0": "M", "1": "F"}})
    assert known.warnings == () and known.rows["sex"].to_list() == META["Patient Gender"].to_list()


def test_rows_of_the_metadata_that_contradict_each_other(tmp_path):
    twice = pl.concat([META, META.head(3).with_columns(pl.lit("X").alias("Finding Labels"))])
    (warning,) = told(tmp_path, meta=twice)
    assert warning == (
        "metadata.csv: of rows that contradict each other about an image, the first is kept (3 rows left out)."
    )


def test_two_thousand_repeated_rows_are_counted_and_contradictions_are_named(tmp_path):
    many = pl.concat([PREDS] * 11)
    assert any("2,000 repeated rows left out" in note for note in given(tmp_path, many, META).notices)
    other = pl.concat([PREDS, PREDS.head(1).with_columns(score=pl.lit(0.123))])
    with pytest.raises(PredictionError, match="rows that differ for the same image .'00000_000.png'"):
        given(tmp_path, other, META)
