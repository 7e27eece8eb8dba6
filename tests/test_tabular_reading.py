"""The same two tables, written in every way that people write them, are the same audit: one reader for all of them."""

import bz2
import gzip
import json
import lzma
import runpy
import zipfile

import polars as pl
import pytest
from conftest import ROOT
from tables import given, people, read_metadata, same, scored, write

from lib.cohort.layout import CohortError
from lib.predictions import PredictionError
from lib.predictions.prepared import prepared
from lib.predictions.question import Request
from lib.tabular import TableError, match, read_table
from lib.tabular.naming import depth

META = people()
PREDS = scored(META)
WAYS = {
    "UTF-8 with a mark": ("utf-8-sig", None, ".csv"),
    "UTF-16": ("utf-16", None, ".csv"),
    "UTF-16 without a mark": ("utf-16-le", None, ".csv"),
    "UTF-16 without a mark, big end first": ("utf-16-be", None, ".csv"),
    "UTF-32": ("utf-32", None, ".csv"),
    "Windows": ("cp1252", None, ".csv"),
    "gzip": ("utf-8", gzip.compress, ".csv.gz"),
    "gzip under another name": ("utf-8", gzip.compress, ".csv"),
    "bzip2": ("utf-8", bz2.compress, ".csv.bz2"),
    "xz": ("utf-8", lzma.compress, ".csv.xz"),
    "UTF-16 in gzip": ("utf-16", gzip.compress, ".csv.gz"),
}


def plain(tmp_path):
    return given(tmp_path / "plain", PREDS, META)


@pytest.mark.parametrize("way", WAYS)
def test_encodings_and_compressions(tmp_path, way):
    encoding, pack, ending = WAYS[way]
    paths = []
    for name, frame in (("preds", PREDS), ("metadata", META)):
        content = frame.write_csv().encode(encoding)
        paths.append(tmp_path / f"{name}{ending}")
        paths[-1].write_bytes(pack(content) if pack else content)
    assert same(prepared(Request(paths[:1], paths[1])), plain(tmp_path))
    assert read_metadata(paths[1])[0].equals(read_metadata(write(tmp_path / "m.csv", META))[0])


def test_a_zip_with_one_table(tmp_path):
    with zipfile.ZipFile(tmp_path / "preds.zip", "w") as archive:
        archive.writestr("__MACOSX/._preds.csv", b"x")
        archive.writestr("preds.csv", PREDS.write_csv())
    assert same(prepared(Request([tmp_path / "preds.zip"], write(tmp_path / "m.csv", META))), plain(tmp_path))


@pytest.mark.parametrize("kind", ["parquet", "ipc"])
def test_typed_files(tmp_path, kind):
    getattr(PREDS, f"write_{kind}")(tmp_path / f"preds.{kind}")
    assert same(prepared(Request([tmp_path / f"preds.{kind}"], write(tmp_path / "m.csv", META))), plain(tmp_path))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("said", [True, False])
def test_separators_and_decimal_commas(tmp_path, separator, said):
    text = PREDS.with_columns(pl.col("score").cast(pl.String).str.replace(".", ",", literal=True)).write_csv(
        separator=separator
    )
    (tmp_path / "preds.csv").write_text(f"sep={separator}\n{text}" if said else text)
    found = prepared(Request([tmp_path / "preds.csv"], write(tmp_path / "m.csv", META, separator=separator)))
    assert same(found, plain(tmp_path))


def test_quoted_decimal_commas_between_commas(tmp_path):
    text = PREDS.with_columns(pl.col("score").cast(pl.String).str.replace(".", ",", literal=True)).write_csv()
    (tmp_path / "preds.csv").write_text(text)
    assert '"0,' in text and same(
        prepared(Request([tmp_path / "preds.csv"], write(tmp_path / "m.csv", META))), plain(tmp_path)
    )


def test_decimal_commas_between_commas_are_not_taken_for_whole_numbers(tmp_path):
    lines = ["image,score", *(f"{image},{str(score).replace('.', ',')}" for image, score in PREDS.rows())]
    (tmp_path / "preds.csv").write_text("\n".join(lines))
    with pytest.raises(PredictionError, match="more fields in every row than names in its header.*decimal commas"):
        prepared(Request([tmp_path / "preds.csv"], write(tmp_path / "m.csv", META)))


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_index_columns_are_not_looked_at(tmp_path, name):
    numbered = PREDS.with_row_index("n").rename({"n": name})
    assert same(given(tmp_path, numbered, META), plain(tmp_path))


def test_row_numbers_as_r_writes_them(tmp_path):
    lines = ["image,score", *(f"{k + 1},{image},{score}" for k, (image, score) in enumerate(PREDS.rows()))]
    (tmp_path / "preds.csv").write_text("\n".join(lines))
    assert same(prepared(Request([tmp_path / "preds.csv"], write(tmp_path / "m.csv", META))), plain(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda n: f"data\\valid\\malade\\{n}",
        lambda n: f"./valid/sain/{n}",
        lambda n: n.replace(".png", ".jpg"),
        lambda n: n.removesuffix(".png"),
        lambda n: n.replace(".png", ".dcm"),
        lambda n: f" {n} ",
    ],
    ids=["upper case", "Windows", "folders", "jpg", "no suffix", "dcm", "spaces"],
)
def test_names_of_images(tmp_path, change):
    renamed = PREDS.with_columns(pl.Series("image", [change(name) for name in PREDS["image"]]))
    assert same(given(tmp_path, renamed, META), plain(tmp_path))


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("Patient Gender", {"F": "Female", "M": "Male"}),
        ("Patient Gender", {"F": "femme", "M": "homme"}),
        ("Patient Gender", {"F": "woman", "M": "MAN"}),
        ("View Position", {"AP": "ap", "PA": "pa"}),
        ("View Position", {"AP": "Antero-posterior", "PA": "Postero Anterior"}),
    ],
)
def test_words_for_sex_and_view(tmp_path, column, words):
    assert same(given(tmp_path, PREDS, META.with_columns(pl.col(column).replace(words))), plain(tmp_path))


@pytest.mark.parametrize(
    "names",
    [
        {"Patient Gender": "Patient Sex"},
        {"Patient Gender": "sexe", "Patient Age": "AGE", "View Position": "projection", "Patient ID": "subject_id"},
        {"Image Index": "image_id", "Patient ID": "patient id", "Finding Labels": "finding_labels"},
    ],
)
def test_names_of_columns(tmp_path, names):
    assert same(given(tmp_path, PREDS, META.rename(names)), plain(tmp_path))
    assert read_metadata(write(tmp_path / "m.csv", META.rename(names)))[0].height == META.height


def test_ages_with_units_and_decimals(tmp_path):
    ages = META.with_columns(pl.format("0{}Y", "Patient Age").alias("Patient Age"))
    assert same(given(tmp_path, PREDS, ages), plain(tmp_path))


def test_what_is_no_table_is_named_for_what_it_is(tmp_path):
    for content, said in {
        b"\x89PNG\r\n\x1a\n": "an image",
        b"\xd0\xcf\x11\xe0abc": "an old Excel workbook",
        b"%PDF-1.7": "a PDF",
        b"\x93NUMPY\1": "a NumPy array",
        gzip.compress(b"image,score\n" * 900)[:40]: "not a whole gzip file",
        b"PAR1 is not all": "not a whole parquet",
        b"00001_000.png,0.5\n00001_001.png,0.4\n": "has no header",
    }.items():
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(TableError, match=said) as error:
            read_table(tmp_path / "x.csv")
        assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_an_excel_workbook_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.csv", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(TableError, match="an Excel workbook: save the sheet as CSV"):
        read_table(tmp_path / "x.csv")


def test_a_lone_quotation_mark_swallows_no_rows(tmp_path):
    (tmp_path / "m.csv").write_text(META.write_csv().replace("Effusion", '"Effusion', 1))
    assert read_table(tmp_path / "m.csv").frame.height == META.height


def test_a_column_name_that_stands_twice(tmp_path):
    (tmp_path / "a.csv").write_text("image,score,score\na.png,.5,.5\n")
    assert read_table(tmp_path / "a.csv").columns == ["image", "score"]
    (tmp_path / "a.csv").write_text("image,score,score\na.png,.5,.6\n")
    with pytest.raises(TableError, match="two columns called 'score' that differ"):
        read_table(tmp_path / "a.csv")


def test_names_are_told_apart_by_as_many_folders_as_it_takes():
    names = [f"patient{p}/study{s}/view1.jpg" for p in range(2) for s in range(2)]
    assert depth(names) == 3 and depth(["a/x.png", "b/y.png"]) == 1
    found, _ = match([f"CheXpert/train/{name}" for name in names], names)
    assert list(found.values()) == names
    assert match(["view1.jpg"], names)[0] == {}


def test_a_name_that_may_mean_two_is_not_guessed():
    assert match(["x.PNG"], ["x.png", "X.png"])[0] == {}
    assert match(["A.PNG", "a.png"], ["a.png"])[0] == {"a.png": "a.png"}
    assert match(["A.PNG", "a.png"], ["a.png", "A.PNG"])[0] == {"a.png": "a.png", "A.PNG": "A.PNG"}


# the cases that the shared generator writes, with what is right told beside them


SHARED = ROOT.parent / "shared" / "cases" / "make.py"


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    if not SHARED.is_file():
        pytest.skip("the generator of cases is not here")
    folder = tmp_path_factory.mktemp("cases")
    runpy.run_path(str(SHARED))["main"](folder)
    return folder / "columns"


def test_every_shared_case_is_read_as_it_is_meant(columns):
    told = json.loads((columns / "cases.json").read_text("utf-8"))

    def read(name: str, **asked):
        return prepared(Request([columns / name / "preds.csv"], next((columns / name).glob("metadata.csv*")), **asked))

    alike = [name for name, right in told.items() if right.startswith("the same figures")]
    assert len(alike) >= 8
    assert [name for name in alike if not same(read(name), read("plain"))] == []
    for name in ("split-train-valid", "split-train-bool"):
        found = read(name)
        assert found.held_out and set(found.rows["patient"].cast(int) % 4) == {0}
        assert any("of 223 images are marked for validation" in note for note in found.notices)
    assert any("patients have images on both sides of the split" in warning for warning in read("both-sides").warnings)
    with pytest.raises(PredictionError, match="might be score_malade: name it, as in --score score_malade"):
        read("named-score")
    assert same(read("named-score", score="score_malade"), read("plain"))
    differ = read("decisions-differ")
    assert ((differ.scores["uniform"] >= 0.3) == (differ.decisions["uniform"] == 1)).all()
    assert any("decisions, cut between 0.3 and" in note for note in differ.notices)
    assert any("5 rows without a score left out" in note for note in read("missing-scores").notices)
    assert any("23 repeated rows left out" in note for note in read("repeated-rows").notices)
    assert any("well under .5: the score may be that of healthy" in w for w in read("inverted").warnings)
    race = read("other-attribute", attributes=["race:Race"])
    assert list(race.attributes) == ["race"]
    assert any(note.startswith("race: A, B") and "against B" in note for note in race.notices)


def test_a_cohort_and_an_audit_read_the_same_file_alike(tmp_path):
    (tmp_path / "metadata.csv").write_bytes(gzip.compress(META.write_csv(separator=";").encode("utf-16")))
    frame, _ = read_metadata(tmp_path / "metadata.csv")
    found = prepared(Request([write(tmp_path / "preds.csv", PREDS)], tmp_path / "metadata.csv"))
    assert frame["sex"].to_list() == found.rows["sex"].to_list()
    with pytest.raises(CohortError, match="lacks the column"):
        read_metadata(write(tmp_path / "less.csv", META.drop("View Position")))
