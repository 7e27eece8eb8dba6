"""Rows of a CSV find their images, and their weights, by name; whatever does not fit is one sentence."""

import polars as pl
import pytest
from drop_in import names, rewritten

from lib.cohort import CohortError
from lib.dropin.weights import KEY, read_table, weights_of, with_patients
from lib.preprocessing import WeightingError

pytest_plugins = ["drop_in_fixtures"]


def read_weights(path, column, images):
    return weights_of(read_table(path, images), path, column, images)


def test_each_image_gets_the_weight_of_its_own_row(cohort, tmp_path):
    rows = pl.read_csv(cohort / "metadata.csv")
    expected = dict(zip(rows["Image Index"], rows["OWN"].cast(pl.Float64), strict=True))
    shuffled = rewritten(cohort, tmp_path / "shuffled.csv", lambda rows: rows.reverse())
    assert read_weights(shuffled, "OWN", names(cohort)) == {name: expected[name] for name in names(cohort)}


WRITTEN = {
    "folders": lambda name: pl.lit("train/malade/") + name,
    "Windows": lambda name: pl.lit("C:\\Users\\nom\\") + name,
    "here": lambda name: pl.lit("./") + name,
    "upper case": lambda name: name.str.to_uppercase(),
    "upper suffix": lambda name: name.str.replace(".png", ".PNG", literal=True),
    "spaces": lambda name: pl.lit(" ") + name + pl.lit(" "),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_neither_folders_nor_case_of_a_name_matter(cohort, tmp_path, way):
    csv = rewritten(
        cohort,
        tmp_path / "a.csv",
        lambda rows: rows.with_columns(WRITTEN[way](pl.col("Image Index")).alias("Image Index")),
    )
    assert read_weights(csv, "OWN", names(cohort)) == read_weights(cohort / "metadata.csv", "OWN", names(cohort))


LAYOUTS = {
    "names and weights alone": lambda rows: rows.select("Image Index", "OWN"),
    "an index column": lambda rows: rows.select("Image Index", "OWN").with_row_index(""),
    "recoded attributes": lambda rows: rows.with_columns(
        pl.lit("0").alias("Patient Gender"), pl.lit("2").alias("Patient Age")
    ).drop("Finding Labels"),
    "another name of the column": lambda rows: rows.select(pl.col("Image Index").alias("image_name"), "OWN"),
    "decimal commas": lambda rows: rows.with_columns(OWN=pl.col("OWN") + pl.lit(",0")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_and_weights_are_all_that_is_needed(cohort, tmp_path, layout):
    csv = rewritten(cohort, tmp_path / "a.csv", LAYOUTS[layout])
    assert read_weights(csv, "OWN", names(cohort)) == read_weights(cohort / "metadata.csv", "OWN", names(cohort))


def keys(tmp_path, rows, files):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["Image Index,W", *(f"{row},1" for row in rows)]) + "\n", "utf-8")
    return read_table(path, files)[KEY].to_list()


def test_an_exact_name_wins(tmp_path):
    assert keys(tmp_path, ["a.PNG", "a.png", "b.PNG"], ["a.png", "b.png"]) == [None, "a.png", "b.png"]
    assert keys(tmp_path, ["a.png", "A.PNG"], ["a.png", "A.PNG"]) == ["a.png", "A.PNG"]
    assert keys(tmp_path, ["a.png", "a.png"], ["a.png"]) == ["a.png", "a.png"]


def test_a_name_that_fits_two_files_or_a_file_two_names_is_not_guessed_at(tmp_path):
    assert keys(tmp_path, ["A.png"], ["a.png", "a.PNG"]) == [None]
    assert keys(tmp_path, ["A.png", "a.PNG"], ["a.png"]) == [None, None]


def test_a_table_without_names_is_one_sentence(tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(CohortError, match=r"lacks the column Image Index; it has a, b\.$"):
        read_table(tmp_path / "in.csv", ["a.png"])


def test_images_without_a_row_are_named_and_many_are_counted(cohort, tmp_path):
    gone = names(cohort)[3:5]
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: rows.filter(~pl.col("Image Index").is_in(gone)))
    with pytest.raises(WeightingError, match=rf"no weight, for 2 of \d+ training images: {', '.join(gone)}; each"):
        read_weights(csv, "OWN", names(cohort))
    csv = rewritten(cohort, tmp_path / "b.csv", lambda rows: rows.with_columns(pl.lit("x.png").alias("Image Index")))
    total = len(names(cohort))
    with pytest.raises(WeightingError, match=rf"for {total} of {total} .* and {total - 5} more; each needs one"):
        read_weights(csv, "OWN", names(cohort))


@pytest.mark.parametrize("text", ["", "-1", "NaN", "inf", "heavy"])
def test_a_weight_that_is_none_names_its_line(cohort, tmp_path, text):
    def change(rows):
        return rows.with_columns(OWN=pl.when(pl.int_range(pl.len()) == 4).then(pl.lit(text)).otherwise("OWN"))

    csv = rewritten(cohort, tmp_path / "a.csv", change)
    name = pl.read_csv(csv)["Image Index"][4]
    with pytest.raises(WeightingError) as error:
        read_weights(csv, "OWN", names(cohort))
    assert f"'OWN': 1 weights of training images are not a number from 0, line 6 ({name}): {text or 'empty'}." in str(
        error.value
    )


def test_rows_of_one_image_that_disagree_are_named_and_rows_that_agree_are_one(cohort, tmp_path):
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: pl.concat([rows, rows[:3]]))
    assert read_weights(csv, "OWN", names(cohort)) == read_weights(cohort / "metadata.csv", "OWN", names(cohort))
    csv = rewritten(cohort, tmp_path / "b.csv", lambda rows: pl.concat([rows, rows[:1].with_columns(OWN=pl.lit("9"))]))
    name = pl.read_csv(csv)["Image Index"][0]
    with pytest.raises(WeightingError, match=f"1 training images have rows with different weights, {name}; each"):
        read_weights(csv, "OWN", names(cohort))


def test_an_absent_column_is_told_with_those_that_are_there(cohort):
    with pytest.raises(WeightingError, match=r"has no column 'MINE' .* its columns are Image Index, .*WEIGHTS, OWN\.$"):
        read_weights(cohort / "metadata.csv", "MINE", names(cohort))


def test_patients_come_from_the_table_else_from_the_names_of_images(tmp_path):
    images = pl.DataFrame({"image": ["00000013_004.png", "00000013_005.png", "own.png", "b.png"]})
    (tmp_path / "a.csv").write_text("Image Index,Patient ID\n00000013_004.png,x\nB.png,13\nown.png,\n", "utf-8")
    table = read_table(tmp_path / "a.csv", images["image"].to_list())
    patients, note = with_patients(images, table)
    assert patients["patient"].to_list() == ["x", "13", "own.png", "13"] and note is None
    patients, note = with_patients(images, table.drop("Patient ID"))
    assert patients["patient"].to_list() == ["13", "13", "own.png", "b.png"]
    assert note.startswith("The CSV has no column Patient ID")
