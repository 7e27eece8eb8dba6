"""Columns in other words: found where they are known, by an option where they are not, asked for in one sentence otherwise."""

import numpy as np
import polars as pl
import pytest
from tables import given, people, same, scored, write

from lib.predictions import PredictionError
from lib.predictions.prepared import prepared
from lib.predictions.question import Request
from lib.tabular import parse_attribute

META = people()
PREDS = scored(META)
SICK = (META["Finding Labels"] != "No Finding").to_numpy()
SCORE = PREDS["score"].to_numpy()


@pytest.fixture
def right(tmp_path):
    return given(tmp_path / "right", PREDS, META)


@pytest.mark.parametrize("role", ["score", "image"])
def test_a_column_that_is_named(tmp_path, right, role):
    frame = PREDS.rename({role: "own words"}).with_columns(
        other=pl.lit(0.5) + pl.col("own words" if role == "score" else "score") / 4
    )
    asked = {"score": "own words"} if role == "score" else {"score": "score", "image": "own words"}
    assert same(given(tmp_path, frame, META, **asked), right)


def test_a_column_that_holds_names_of_images_is_found(tmp_path, right):
    found = given(tmp_path, PREDS.rename({"image": "radio"}), META)
    assert same(found, right)
    assert any("'radio' names the images" in note for note in found.notices)


def test_patients_that_are_named_or_none(tmp_path, right):
    renamed = META.rename({"Patient ID": "dossier"})
    assert same(given(tmp_path, PREDS, renamed, patient="dossier"), right)
    alone = given(tmp_path, PREDS, renamed, patient="none")
    assert alone.rows["patient"].n_unique() == META.height
    with pytest.raises(PredictionError, match="no column for whose image each row is .*dossier.*--patient none"):
        given(tmp_path, PREDS, renamed)


def test_patients_in_the_names_of_the_nih_and_of_chexpert(tmp_path):
    public = META.with_columns(pl.col("Image Index").str.replace("^", "000")).drop("Patient ID")
    preds = PREDS.with_columns(image=public["Image Index"])
    assert given(tmp_path, preds, public).rows["patient"].n_unique() == 60
    path = [f"CheXpert-v1.0-small/train/patient{k // 2:05}/study{k % 2}/view1_frontal.jpg" for k in range(META.height)]
    chexpert = pl.DataFrame(
        {
            "Path": path,
            "Sex": META["Patient Gender"].replace({"F": "Female", "M": "Male"}),
            "Age": META["Patient Age"],
            "Frontal/Lateral": ["Frontal"] * META.height,
            "AP/PA": META["View Position"],
            "No Finding": pl.Series(np.where(SICK, np.nan, 1.0)).fill_nan(None),
            "Pleural Effusion": pl.Series(np.where(SICK, 1.0, np.nan)).fill_nan(None),
        }
    )
    for like in (None, "chexpert"):
        found = given(tmp_path, pl.DataFrame({"Path": path, "score": SCORE}), chexpert, like=like)
        assert found.rows["patient"].n_unique() == 60
        assert found.rows["label"].to_list() == SICK.astype(int).tolist()
        assert set(found.rows["findings"]) == {"Pleural Effusion", "No Finding"}
        assert list(found.attributes) == ["sex", "age_group", "view"]


def test_mimic(tmp_path):
    mimic = pl.DataFrame(
        {
            "dicom_id": [f"{k:08x}-aaaa" for k in range(META.height)],
            "subject_id": META["Patient ID"] + 10_000_000,
            "study_id": range(META.height),
            "split": np.where(np.arange(META.height) < 60, "train", "test"),
            "ViewPosition": META["View Position"],
            "gender": META["Patient Gender"],
            "anchor_age": META["Patient Age"],
            "race": np.where(np.arange(META.height) % 3 > 0, "WHITE", "BLACK/AFRICAN AMERICAN"),
            "insurance": np.where(np.arange(META.height) % 5 > 1, "Medicare", "Other"),
            "No Finding": pl.Series(np.where(SICK, np.nan, 1.0)).fill_nan(None),
        }
    )
    preds = pl.DataFrame({"dicom_id": mimic["dicom_id"], "score": SCORE})
    found = given(tmp_path, preds, mimic, like="mimic", attributes=["race", "insurance", "sex", "view"])
    assert list(found.attributes) == ["race", "insurance", "sex", "view"]
    assert found.held_out and found.rows.height == META.height - 60
    assert found.attributes["race"].groups == ("BLACK/AFRICAN AMERICAN", "WHITE")


@pytest.mark.parametrize(
    "names", [("preds_age_logit0", "preds_age_logit1"), ("logits_0", "logits_1"), ("proba_0", "proba_1")]
)
def test_two_outputs_of_a_network(tmp_path, right, names):
    logit = np.log(SCORE / (1 - SCORE))
    values = (SCORE, 1 - SCORE) if names[0].startswith("proba") else (3 + logit, np.full(len(logit), 3.0))
    frame = PREDS.select("image").with_columns(pl.Series(name, own) for name, own in zip(names, values, strict=True))
    assert same(given(tmp_path, frame, META), right)


def test_the_outputs_of_two_networks_are_asked_for_and_either_or_both_can_be_chosen(tmp_path, right):
    logit = np.log(SCORE / (1 - SCORE))
    frame = PREDS.select(
        "image",
        preds_age_logit0=pl.Series(logit),
        preds_age_logit1=pl.lit(0.0),
        preds_sex_logit0=pl.Series(-logit),
        preds_sex_logit1=pl.lit(0.0),
    )
    with pytest.raises(
        PredictionError, match="outputs of 2 networks: choose with --score preds_age or --score preds_sex"
    ):
        given(tmp_path, frame, META)
    assert same(given(tmp_path, frame, META, score=("preds_age",)), right)
    both = given(tmp_path, frame, META, score=("preds_age", "preds_sex"))
    assert both.methods == {"uniform": "preds_age", "preds_sex": "preds_sex"}


def test_single_logits_are_turned_into_chances(tmp_path, right):
    frame = PREDS.select("image", logit=pl.Series(np.log(SCORE / (1 - SCORE))))
    assert same(given(tmp_path, frame, META, score=("logit",)), right)


def test_the_confidence_in_a_decision_is_no_chance_of_sick(tmp_path, right):
    frame = PREDS.select(
        "image",
        pred=pl.Series(np.where(SCORE >= 0.5, "malade", "sain")),
        confidence=pl.Series(np.maximum(SCORE, 1 - SCORE)),
    )
    found = given(tmp_path, frame, META, score=("confidence",))
    assert same(found, right) and any("confidence in the decision" in note for note in found.notices)


def test_a_file_with_a_column_for_each_network_tells_its_methods(tmp_path):
    frame = pl.DataFrame(
        {"image": PREDS["image"]}
        | {f"{m}/seed{k}": SCORE.astype(np.float32) for m in ("uniform", "kc_sex+view") for k in (1, 2)}
    )
    frame.write_parquet(tmp_path / "predictions.parquet")
    found = prepared(Request([tmp_path / "predictions.parquet"], write(tmp_path / "m.csv", META)))
    assert {name: own.shape for name, own in found.scores.items()} == {
        "uniform": (2, META.height),
        "kc_sex+view": (2, META.height),
    }
    assert found.held_out and not found.warnings


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("train_valid", ("train", "valid")),
        ("split", ("Training", "VAL")),
        ("set", ("train", "test")),
        ("whatever", ("train", "validation")),
        ("train", ("True", "False")),
        ("is_train", ("1", "0")),
        ("valid", ("0", "1")),
        ("test", ("non", "oui")),
    ],
)
@pytest.mark.parametrize("in_metadata", [False, True])
def test_every_way_to_say_which_images_are_for_validation(tmp_path, column, values, in_metadata):
    split = pl.Series(column, np.where(np.arange(META.height) < 80, *values))
    files = (PREDS, META.with_columns(split)) if in_metadata else (PREDS.with_columns(split), META)
    found = given(tmp_path, *files)
    assert found.held_out and found.rows["image"].to_list() == META["Image Index"][80:].to_list()


def test_folds_of_a_cross_validation_are_no_split(tmp_path):
    found = given(tmp_path, PREDS.with_columns(fold=pl.int_range(pl.len()) % 5), META)
    assert not found.held_out and found.rows.height == META.height


@pytest.mark.parametrize("labels", [("0", "1"), ("sain", "malade"), ("Healthy", "Sick"), ("No Finding", "Effusion")])
def test_the_truth_may_stand_in_the_file_alone(tmp_path, right, labels):
    frame = PREDS.with_columns(label=pl.Series(np.where(SICK, labels[1], labels[0])))
    assert same(given(tmp_path, frame, META.drop("Finding Labels")), right)


def test_the_truth_may_stand_under_another_name(tmp_path, right):
    frame = PREDS.with_columns(etat=pl.Series(np.where(SICK, "malade", "sain")))
    assert same(given(tmp_path, frame, META.drop("Finding Labels"), label="etat"), right)
    with_meta = META.drop("Finding Labels").with_columns(Effusion=pl.Series(SICK.astype(int)))
    assert same(given(tmp_path, PREDS, with_meta, label="Effusion"), right)
    with pytest.raises(PredictionError, match="has no column of the truth .*name one, as in --label COLUMN"):
        given(tmp_path, PREDS, META.drop("Finding Labels"))


def test_one_file_may_hold_everything_also_without_names_of_images(tmp_path):
    frame = META.rename({"Patient Gender": "sex"}).drop("Image Index").with_columns(PREDS["score"])
    found = given(tmp_path, frame)
    assert found.rows.height == META.height and found.rows["patient"].n_unique() == 60


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"score": "nothing"}, "has no column 'nothing' .--score.; it has score"),
        ({"split": "spilt"}, "has no column 'spilt' .--split."),
        ({"label": "lable"}, "has no column 'lable' .--label."),
        ({"decision": "x"}, "has no column 'x' .--decision."),
        ({"image": "x"}, "has no column 'x' .--image."),
        ({"like": "imagenet"}, "'imagenet' is not known; allowed are nih, chexpert, mimic"),
        ({"attributes": ["race"]}, "has no column 'race' .--attribute.; it has Image Index"),
        ({"attributes": ["age:Patient Age:60,40"]}, "rising cut points"),
        (
            {"attributes": ["age2:Patient Age"]},
            "different numbers: give cut points .--attribute., as in .age2:Patient Age:",
        ),
        ({"attributes": ["who:Image Index"]}, "it does not group anyone"),
        ({"attributes": ["sex=X"]}, "'X' is no group; allowed are F, M"),
        ({"attributes": ["v:View Position=LL"]}, "no group 'LL' to be the reference; it has AP, PA"),
        ({"attributes": ["a:View Position"] * 2}, "names 'a' twice"),
        ({"attributes": [f"a{k}:View Position" for k in range(9)]}, "at most 8 are compared"),
        ({"threshold": 1.5}, "--threshold is 1.5; allowed is 0 to 1"),
        ({"postprocess": ["magic"]}, "--postprocess 'magic' is not known; allowed are best_threshold"),
        ({"target": ["race"]}, "--target 'race' is not compared; allowed are sex, age_group, view"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, asked, said):
    with pytest.raises(PredictionError, match=said) as error:
        given(tmp_path, PREDS, META, **asked)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


# attributes


def test_an_attribute_is_grouped_by_value_and_compared_with_the_largest_group(tmp_path):
    race = np.where(np.arange(60) % 4 == 0, "B", np.where(np.arange(60) % 4 == 1, "a", "A")).repeat(2)
    found = given(tmp_path, PREDS, META.with_columns(Race=pl.Series(race)), attributes=["race:Race"])
    own = found.attributes["race"]
    assert (own.groups, own.reference, own.of_patient) == (("A", "B"), "A", True)
    assert found.rows["race"].to_list() == ["B" if r == "B" else "A" for r in race]


def test_of_patient_or_of_image_is_found_from_the_data(tmp_path):
    found = given(tmp_path, PREDS, META, attributes=["v:View Position", "s:Patient Gender"])
    assert not found.attributes["v"].of_patient and found.attributes["s"].of_patient


@pytest.mark.parametrize(
    ("cuts", "groups"),
    [
        ("40,60", ("<40", "40-60", ">60")),
        ("50", ("<50", "50+")),
        ("30,50,65", ("<30", "30-49", "50-65", ">65")),
    ],
)
def test_numbers_are_cut(tmp_path, cuts, groups):
    found = given(tmp_path, PREDS, META, attributes=[f"years:Patient Age:{cuts}"])
    assert found.attributes["years"].groups == groups
    rows = found.rows
    edges = [float(c) for c in cuts.split(",")]
    for age, group in zip(rows["age"], rows["years"], strict=True):
        upper = [edge for edge in edges if age >= edge]
        position = (
            len(edges) if age > edges[-1] or (len(edges) == 1 and age >= edges[0]) else min(len(upper), len(edges) - 1)
        )
        assert group == groups[position]


def test_rare_values_are_joined_and_that_is_told(tmp_path):
    wards = np.repeat([f"ward {k}" for k in range(12)], 10)
    found = given(tmp_path, PREDS, META.with_columns(Ward=pl.Series(wards)), attributes=["ward:Ward"])
    assert len(found.attributes["ward"].groups) == 8 and "other" in found.attributes["ward"].groups
    assert any("5 rarest of 12 values are joined" in note for note in found.notices)


def test_a_name_that_means_something_else_in_the_tables_is_another_one():
    assert [parse_attribute(name).key for name in ("label:x", "age:x:40", "Follow-up #:x", "sex x view:y")] == [
        "label_group",
        "age_group",
        "follow_up",
        "sex_view",
    ]
