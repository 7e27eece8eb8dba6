"""Cohorts from the public download: patients never divided, resumable, the same for the same choice."""

import gzip
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cohorts import HEADER, draw_image
from conftest import ROOT
from PIL import Image

from lib import __main__ as cli
from lib.cohort import CohortError, read_cohort, unpack
from lib.cohort.nih import Choice, cohorts, import_nih, read_text_columns, select, student_names

PUBLIC = Path(os.environ.get("NIH_METADATA", ROOT.parent / "shared" / "Data_Entry_2017_v2020.csv.gz"))
FIRST_VERSION = HEADER.removesuffix("WEIGHTS")
"""The header of 2017 ends with a comma."""


def download(folder: Path, *, patients: int = 12, ages: str = "{:03}Y", parts: int = 3) -> tuple[Path, Path]:
    """A metadata file of the first version and images in folders `images_001/images` and so on."""
    draw, rows = np.random.default_rng(0), []
    for number in range(patients):
        for visit in range(1 + number % 3):
            name = f"{number:08}_{visit:03}.png"
            sick = (number + visit) % 2
            findings = ("Mass|Nodule", "Effusion")[number % 2] if sick else "No Finding"
            rows.append(f"{name},{findings},{visit},{number},{ages.format(30 + number)},{'FM'[number % 2]},PA,9,9,1,1,")
            place = folder / "images" / f"images_{number % parts + 1:03}" / "images"
            place.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(draw_image(draw, sick=bool(sick), size=128))
            (picture.convert("RGBA") if number == 0 else picture).save(place / name)
    (folder / "Data_Entry_2017.csv").write_text("\n".join([FIRST_VERSION, *rows]) + "\n", "utf-8")
    return folder / "Data_Entry_2017.csv", folder / "images"


@pytest.fixture
def public(tmp_path):
    return download(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_download_becomes_a_cohort(public, tmp_path):
    (out,) = import_nih(*public, tmp_path / "NOM_PRENOM", Choice(), size=64)
    cohort = read_cohort(out)
    found = {check: rows for check, rows, _ in cohort.checks.iter_rows() if rows}
    assert found == {"images in the folders": 24, "rows in metadata.csv": 24, "images used": 24}
    assert cohort.frame["age"].to_list() == (30 + cohort.frame["patient"].cast(int)).to_list()
    assert cohort.frame.group_by("patient").agg(pl.col("split").n_unique())["split"].max() == 1
    assert cohort.frame.filter(split="valid")["patient"].n_unique() == 3
    assert {(i.size, i.mode) for i in map(Image.open, out.rglob("*.png"))} == {((64, 64), "L")}


def test_one_folder_of_images_a_gz_and_plain_ages_do_as_well(tmp_path):
    metadata, images = download(tmp_path, ages="{}", parts=1)
    packed = tmp_path / "Data_Entry_2017_v2020.csv.gz"
    packed.write_bytes(gzip.compress(metadata.read_bytes()))
    (out,) = import_nih(packed, images / "images_001" / "images", tmp_path / "out", Choice(), size=32)
    assert read_cohort(out).frame.height == 24


def test_an_interrupted_import_resumes_and_ends_the_same(public, tmp_path, monkeypatch):
    from lib.cohort import nih_files

    (whole,) = import_nih(*public, tmp_path / "whole", Choice(), size=32)
    resized, real = [], nih_files.read_grey

    def sometimes(path, size):
        if len(resized) == 7:
            raise KeyboardInterrupt
        resized.append(path)
        return real(path, size)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(nih_files, "read_grey", sometimes)
        import_nih(*public, tmp_path / "again", Choice(), size=32)
    assert not (tmp_path / "again" / "metadata.csv").exists()
    monkeypatch.setattr(nih_files, "read_grey", lambda path, size: resized.append(path) or real(path, size))
    import_nih(*public, tmp_path / "again", Choice(), size=32)
    assert len(resized) == len(set(resized)) == 24
    assert contents(tmp_path / "again") == contents(whole)


def test_another_choice_does_not_mix_with_an_import_that_is_there(public, tmp_path):
    import_nih(*public, tmp_path / "out", Choice(), size=32)
    with pytest.raises(CohortError, match="holds an import with other settings"):
        import_nih(*public, tmp_path / "out", Choice(seed=1), size=32)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x", "utf-8")
    with pytest.raises(CohortError, match="is in use"):
        import_nih(*public, tmp_path / "mine", Choice(), size=32)


def test_chosen_findings_count_as_sick_and_other_sick_images_stay_out(public, tmp_path):
    (out,) = import_nih(*public, tmp_path / "out", Choice(findings=("Mass",)), size=32)
    labels = pl.read_csv(out / "metadata.csv", infer_schema=False, truncate_ragged_lines=True)["Finding Labels"]
    assert set(labels) == {"Mass|Nodule", "No Finding"}
    with pytest.raises(CohortError, match="'Masss' is not in .*; allowed are Effusion, Mass, Nodule"):
        import_nih(*public, tmp_path / "wrong", Choice(findings=("Masss",)), size=32)


def test_official_lists_decide_the_split(public, tmp_path):
    for name, patients in (("train", range(8)), ("valid", range(8, 11))):
        lines = [p.name for p in sorted(public[1].rglob("*.png")) if int(p.name[:8]) in patients]
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    choice = Choice(train_list=tmp_path / "train", valid_list=tmp_path / "valid")
    (out,) = import_nih(*public, tmp_path / "out", choice, size=32)
    splits = dict(read_cohort(out).frame.select(pl.col("patient").cast(int), "split").rows())
    assert splits == {n: "train" if n < 8 else "valid" for n in range(11)}
    (tmp_path / "valid").write_text((tmp_path / "train").read_text("utf-8"), "utf-8")
    with pytest.raises(CohortError, match="share 8 patients, such as 0; a patient is allowed in one of them only"):
        import_nih(*public, tmp_path / "other", choice, size=32)


def test_students_get_a_folder_and_a_zip_each_and_share_nobody(public, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("DUPONT_Zoé\nMARTIN_Ali\n", "utf-8")
    choice = Choice(patients=5, students=names)
    made = import_nih(*public, tmp_path / "out", choice, size=32)
    assert [p.name for p in made] == ["DUPONT_Zoé", "DUPONT_Zoé.zip", "MARTIN_Ali", "MARTIN_Ali.zip"]
    one, two = (read_cohort(p).frame for p in made[::2])
    assert one["patient"].n_unique() == two["patient"].n_unique() == 5
    assert not set(one["patient"]) & set(two["patient"])
    assert read_cohort(unpack(made[1], tmp_path / "store")).key == read_cohort(made[0]).key
    again = import_nih(*public, tmp_path / "again", choice, size=32)
    assert [p.read_bytes() for p in again[1::2]] == [p.read_bytes() for p in made[1::2]]


def test_with_overlap_a_students_cohort_does_not_depend_on_the_others(public, tmp_path):
    table = select(read_text_columns(public[0]), public[0], Choice())
    parts = {}
    for names in ("A_B\nC_D\nE_F", "E_F"):
        (tmp_path / "names.txt").write_text(names, "utf-8")
        parts[names] = cohorts(table, Choice(patients=8, students=tmp_path / "names.txt", overlap=True))["E_F"]
    assert parts["E_F"].equals(parts["A_B\nC_D\nE_F"])


@pytest.mark.parametrize("names", ["../evil", "a/b", "", "A_B\na_b", "<b>", ".hidden", "A B", "x" * 90])
def test_names_that_are_no_folder_are_refused(tmp_path, names):
    (tmp_path / "names.txt").write_text(names, "utf-8")
    with pytest.raises(CohortError, match="allowed|one name a line"):
        student_names(tmp_path / "names.txt")


@pytest.mark.parametrize(
    "wrong",
    [
        {"patients": 3},
        {"valid_share": 0},
        {"valid_share": 1},
        {"seed": -1},
        {"students": Path("x")},
        {"train_list": Path("x")},
    ],
)
def test_a_choice_that_cannot_be_is_one_sentence(wrong):
    with pytest.raises(CohortError, match=r"^--[a-z-]+ .*\.$"):
        Choice(**wrong)


def test_too_few_patients_missing_images_and_broken_ones_are_told(public, tmp_path, caplog):
    with pytest.raises(CohortError, match="13 patients are wanted and 12 are there"):
        import_nih(*public, tmp_path / "a", Choice(patients=13), size=32)
    (tmp_path / "none").mkdir()
    with pytest.raises(CohortError, match="holds none of the 24 images"):
        import_nih(public[0], tmp_path / "none", tmp_path / "b", Choice(), size=32)
    some = sorted(public[1].rglob("*.png"))
    some[0].unlink()
    some[1].write_bytes(b"half")
    with (
        caplog.at_level("INFO"),
        pytest.raises(CohortError, match=f"1 images cannot be read, such as {some[1]}; download"),
    ):
        import_nih(*public, tmp_path / "c", Choice(), size=32)
    assert "1 of 24 images are not in" in caplog.text


def test_the_command_line(public, tmp_path, capsys):
    metadata, images = map(str, public)
    call = ["import-nih", "--metadata", metadata, "--images", images, "--out", str(tmp_path / "out"), "--size", "32"]
    assert cli.main(call) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}\n"
    assert cli.main([*call, "--findings", "Gout"]) == 1
    assert capsys.readouterr().err.startswith("--findings: 'Gout' is not in ")


@pytest.fixture(scope="module")
def whole():
    if not PUBLIC.is_file():
        pytest.skip(f"the public metadata is not there: {PUBLIC}")
    return select(read_text_columns(PUBLIC), PUBLIC, Choice())


def test_the_whole_public_metadata_is_read(whole):
    assert whole.height == 112_120 and whole["Patient ID"].n_unique() == 30_805
    assert whole["sick"].mean() == pytest.approx(1 - 60_361 / 112_120)


def test_twenty_students_share_the_public_download_without_a_common_patient(whole, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(f"NOM_{n}" for n in range(20)), "utf-8")
    parts = cohorts(whole, Choice(patients=1500, students=tmp_path / "names.txt"))
    patients = [set(part["Patient ID"]) for part in parts.values()]
    assert all(len(p) == 1500 for p in patients) and len(set.union(*patients)) == 30_000
    for part in parts.values():
        assert part.group_by("Patient ID").agg(pl.col("split").n_unique())["split"].max() == 1
        assert part.filter(split="valid")["Patient ID"].n_unique() == 375


def test_generated_images_under_public_names_become_a_cohort(whole, tmp_path):
    few = whole.filter(pl.col("Patient ID").is_in(whole["Patient ID"].unique(maintain_order=True).head(30).implode()))
    (tmp_path / "images").mkdir()
    for name in few["Image Index"]:
        Image.new("L", (64, 64), 90).save(tmp_path / "images" / name)
    (out,) = import_nih(PUBLIC, tmp_path / "images", tmp_path / "out", Choice(), size=32)
    cohort = read_cohort(out)
    assert cohort.frame.height == few.height and cohort.frame["patient"].n_unique() == 30
    assert cohort.frame["label"].sum() == few["sick"].sum()
