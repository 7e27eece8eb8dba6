"""A cohort folder becomes one checked frame; every defect is counted under its own name, or is one clear sentence."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from cohorts import Handmade, draw_cohort, write_metadata
from PIL import Image

from lib.cohort import CohortError, read_cohort
from lib.names import DEFAULTS, Attribute
from lib.tabular import parse_attribute

CHECKS = [
    "images in the folders",
    "files that are no PNG, JPEG or DICOM by name",
    "rows in metadata.csv",
    "rows without an image name or a patient",
    "repeated rows that agree",
    "repeated rows that differ",
    "ages outside 0 to 120 years",
    "ages that are not a number",
    "sexes other than F and M",
    "views other than AP and PA",
    "image names in both malade and sain",
    "image names found twice",
    "image names written differently (folder, case, accents or suffix)",
    "images without a row in metadata.csv",
    "rows without an image",
    "folder and Finding Labels disagree",
    "training images of patients who are also in valid",
    "patients recorded with two sexes",
    "images whose age is unknown",
    "images whose sex is unknown",
    "images whose view is unknown",
    "images identical to another one",
    "images of another size than most",
    "images that are not 8-bit grey",
    "images used",
]


@pytest.fixture
def handmade(tmp_path):
    return Handmade(tmp_path / "NOM_PRENOM")


def counted(cohort) -> dict[str, int]:
    """The checks that found something, without the sizes of the cohort."""
    sizes = {"images in the folders", "rows in metadata.csv", "images used"}
    return {check: rows for check, rows, _ in cohort.checks.iter_rows() if rows and check not in sizes}


def names(cohort) -> set[str]:
    return set(cohort.frame["image"])


def test_every_check_is_listed_whether_or_not_it_found_something(handmade):
    cohort = read_cohort(handmade.write())
    assert cohort.checks["check"].to_list() == CHECKS
    assert counted(cohort) == {}


def test_the_folder_decides_split_and_label(handmade):
    frame = read_cohort(handmade.write()).frame
    for image, split, label in frame.select("image", "split", "label").iter_rows():
        assert image == f"{split}_{label}.png"


def test_a_drawn_cohort_is_read_whole(tiny_cohort):
    cohort = read_cohort(tiny_cohort)
    assert counted(cohort) == {}
    assert cohort.frame.height == len(list(tiny_cohort.rglob("*.png")))
    assert cohort.frame["patient"].n_unique() == 96
    assert cohort.name == "tiny"


def test_paths_are_absolute_also_when_the_folder_is_not(handmade, monkeypatch):
    monkeypatch.chdir(handmade.write().parent)
    cohort = read_cohort(handmade.folder.name)
    assert all(Path(path).is_absolute() for path in cohort.frame["path"])
    assert cohort.key == read_cohort(handmade.folder).key


def test_an_image_without_a_row_is_left_out_and_a_row_without_an_image_is_ignored(handmade):
    handmade.image("train", 1, "stray.png")
    handmade.row("nowhere.png")
    cohort = read_cohort(handmade.write())
    assert names(cohort).isdisjoint({"stray.png", "nowhere.png"})
    assert counted(cohort) == {"images without a row in metadata.csv": 1, "rows without an image": 1}


def test_other_files_are_counted_and_hidden_ones_are_not(handmade):
    handmade.image("train", 1, "scan.tif", b"not read")
    handmade.image("train", 1, "._train_1.png", b"left by a Mac")
    handmade.image("train", 1, ".DS_Store", b"left by a Mac")
    assert counted(read_cohort(handmade.write())) == {"files that are no PNG, JPEG or DICOM by name": 1}


def test_jpeg_and_capital_suffixes_are_images(handmade):
    for name in ("a.jpg", "b.JPEG", "c.PNG"):
        handmade.add("valid", 0, name)
    assert names(read_cohort(handmade.write())) >= {"a.jpg", "b.JPEG", "c.PNG"}


def test_a_name_in_both_classes_is_left_out_wherever_it_lies(handmade):
    for split in ("train", "valid"):
        handmade.add("train", 1, f"torn_{split}.png")
        handmade.image(split, 0, f"torn_{split}.png")
    cohort = read_cohort(handmade.write())
    assert names(cohort).isdisjoint({"torn_train.png", "torn_valid.png"})
    assert counted(cohort)["image names in both malade and sain"] == 4


def test_a_name_in_both_splits_is_kept_in_valid(handmade):
    handmade.add("train", 1, "twice.png")
    handmade.image("valid", 1, "twice.png")
    cohort = read_cohort(handmade.write())
    assert cohort.frame.filter(image="twice.png")["split"].to_list() == ["valid"]
    assert counted(cohort) == {"image names found twice": 1}


def test_training_images_of_a_patient_who_is_also_in_valid_are_left_out(handmade):
    handmade.add("train", 1, "t1.png", patient="both")
    handmade.add("train", 0, "t2.png", patient="both")
    handmade.add("valid", 1, "v1.png", patient="both")
    cohort = read_cohort(handmade.write())
    assert names(cohort) & {"t1.png", "t2.png", "v1.png"} == {"v1.png"}
    assert counted(cohort) == {"training images of patients who are also in valid": 2}


def test_finding_labels_that_disagree_are_counted_and_the_folder_wins(handmade):
    handmade.add("train", 1, "called_sick.png", findings="No Finding")
    handmade.add("train", 0, "called_healthy.png", findings="Mass|Nodule")
    cohort = read_cohort(handmade.write())
    assert cohort.frame.filter(image="called_sick.png")["label"].item() == 1
    assert cohort.frame.filter(image="called_healthy.png")["label"].item() == 0
    assert counted(cohort) == {"folder and Finding Labels disagree": 2}


def test_a_patient_with_two_sexes_is_counted_and_kept(handmade):
    handmade.add("train", 1, "as_f.png", patient="p", sex="F")
    handmade.add("train", 1, "as_m.png", patient="p", sex="M")
    cohort = read_cohort(handmade.write())
    assert cohort.frame.filter(patient="p")["sex"].to_list() == ["F", "M"]
    assert counted(cohort) == {"patients recorded with two sexes": 1}


def test_unknown_attributes_are_counted_twice_once_as_rows_and_once_as_images(handmade):
    handmade.add("train", 1, "u.png", age="411", sex="O", view="LL")
    cohort = read_cohort(handmade.write())
    assert cohort.frame.filter(image="u.png").select("age", "sex", "age_group", "view").row(0) == (None,) * 4
    assert counted(cohort) == {
        "ages outside 0 to 120 years": 1,
        "sexes other than F and M": 1,
        "views other than AP and PA": 1,
        "images whose age is unknown": 1,
        "images whose sex is unknown": 1,
        "images whose view is unknown": 1,
    }


def test_identical_images_are_counted_and_kept(handmade):
    first = handmade.add("train", 1, "one.png")
    handmade.add("train", 1, "other.png", first.read_bytes())
    cohort = read_cohort(handmade.write())
    assert names(cohort) >= {"one.png", "other.png"}
    assert counted(cohort) == {"images identical to another one": 1}


def test_a_folder_named_like_an_image_is_no_image(handmade):
    (handmade.folder / "train" / "malade" / "album.png").mkdir()
    handmade.row("album.png")
    assert "album.png" not in names(read_cohort(handmade.write()))


def test_equal_content_has_an_equal_key_wherever_it_lies(tmp_path, handmade):
    folder = handmade.write()
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "OTHER_NAME")
    write_metadata(moved, reversed(handmade.lines))
    assert read_cohort(moved).key == read_cohort(folder).key


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.image("train", 1, "train_1.png", Image.new("L", (64, 64), 3)),
        lambda h: h.add("train", 1, "one_more.png"),
        lambda h: h.lines.__setitem__(0, h.lines[0].replace(",F,", ",M,")),
        lambda h: h.lines.__setitem__(0, h.lines[0].replace(",50,", ",51,")),
        lambda h: h.lines.__setitem__(0, h.lines[0].removesuffix("1") + "2.5"),
    ],
    ids=["pixels", "images", "sex", "age", "weight"],
)
def test_changed_content_has_another_key(handmade, change):
    before = read_cohort(handmade.write()).key
    change(handmade)
    assert read_cohort(handmade.write()).key != before


@pytest.mark.parametrize("gone", ["", "metadata.csv", "train", "train/malade", "valid", "valid/sain"])
def test_a_missing_part_is_one_sentence_that_names_it(handmade, gone):
    path = handmade.write() / gone
    path.unlink() if path.is_file() else shutil.rmtree(path)
    with pytest.raises(CohortError) as error:
        read_cohort(handmade.folder)
    named = path if path.name in ("NOM_PRENOM", "metadata.csv", "malade", "sain") else path / "malade"
    assert str(named) in str(error.value)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_a_class_without_a_usable_image_is_one_sentence_that_names_its_folder(handmade):
    (handmade.folder / "valid" / "malade" / "valid_1.png").unlink()
    with pytest.raises(CohortError, match="malade holds no usable image.* both classes need some") as error:
        read_cohort(handmade.write())
    assert "\n" not in str(error.value)


def test_drawing_a_cohort_twice_gives_the_same_cohort(tmp_path, tiny_cohort):
    assert read_cohort(draw_cohort(tmp_path / "again")).key == read_cohort(tiny_cohort).key


def test_every_group_has_sick_and_healthy_patients_in_both_splits(tiny_cohort):
    frame = read_cohort(tiny_cohort).frame
    for attribute in ("sex", "age_group", "view"):
        cells = frame.group_by("split", "label", attribute).agg(pl.col("patient").n_unique())
        assert cells.height == 4 * frame[attribute].n_unique()
        assert cells["patient"].min() >= 5


def test_a_cohort_may_be_compared_by_any_column_and_need_not_have_sex_age_or_view(handmade):
    folder = handmade.write()
    table = pl.read_csv(folder / "metadata.csv", infer_schema=False)
    other = table.select("Image Index", "Finding Labels", "Patient ID", Race=pl.Series(["A", "B", "a", "B"]))
    other.write_csv(folder / "metadata.csv")
    cohort = read_cohort(folder, attributes=[parse_attribute("race:Race=B")])
    assert cohort.attributes == {"race": Attribute("race", "race", ("A", "B"), "B", True)}
    assert sorted(cohort.frame["race"]) == ["A", "A", "B", "B"] and cohort.frame["sex"].null_count() == 4
    other.with_columns(Race=pl.Series(["A", None, "a", "B"])).write_csv(folder / "metadata.csv")
    some = read_cohort(folder, attributes=[parse_attribute("race:Race")])
    assert counted(some)["images whose race is unknown"] == 1
    other.with_columns(Race=pl.Series(["A", "A", "a", "B"])).write_csv(folder / "metadata.csv")
    assert read_cohort(folder, attributes=[parse_attribute("race:Race")]).key != cohort.key
    other.with_columns(Race=pl.lit("A")).write_csv(folder / "metadata.csv")
    with pytest.raises(
        CohortError, match="column 'Race', puts everyone into one group, 'A': there is nothing to compare"
    ):
        read_cohort(folder, attributes=[parse_attribute("race:Race")])
    with pytest.raises(
        CohortError, match=r"lacks the column\(s\) Patient Gender, Patient Age, View Position; it has Image Index"
    ):
        read_cohort(folder)


def test_usual_attributes_asked_for_by_name_are_the_default(tiny_cohort):
    asked = read_cohort(tiny_cohort, attributes=[parse_attribute(name) for name in ("sex", "age_group", "view")])
    assert asked.key == read_cohort(tiny_cohort).key and asked.attributes == DEFAULTS


def test_a_column_of_splits_in_the_table_does_not_move_an_image(handmade):
    folder = handmade.write()
    table = pl.read_csv(folder / "metadata.csv", infer_schema=False)
    table.with_columns(split=pl.lit("train")).write_csv(folder / "metadata.csv")
    assert set(read_cohort(folder).frame["split"]) == {"train", "valid"}
