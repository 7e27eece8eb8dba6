"""The course's cohort, where it lies beside the project: read whole, and a small part of it taken to a bundle."""

import shutil

import numpy as np
import polars as pl
import pytest
from conftest import QUICK, ROOT, TINY, rewrite_settings
from here import train_here

from lib.cohort import load_pixels, read_cohort
from lib.results import load
from lib.study.run import run_study
from lib.tables import TABLES
from lib.training import workers

FOLDER = ROOT.parent / "shared" / "cohorts" / "NIH_A"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the cohort is not there: {FOLDER}")


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(FOLDER)


def test_every_image_is_used(cohort):
    counts = dict(cohort.checks.select("check", "rows").rows())
    assert counts["images in the folders"] == counts["images used"] == 4956
    assert cohort.frame["patient"].n_unique() == 1500
    assert counts["images without a row in metadata.csv"] == counts["rows without an image"] == 0


def test_one_age_is_beyond_belief(cohort):
    counts = dict(cohort.checks.select("check", "rows").rows())
    assert counts["ages outside 0 to 120 years"] == 1
    assert cohort.frame["age"].null_count() == cohort.frame["age_group"].null_count() == 1
    assert cohort.frame["sex"].null_count() == cohort.frame["view"].null_count() == 0


def test_no_patient_is_in_train_and_in_valid(cohort):
    assert cohort.frame.group_by("patient").agg(pl.col("split").n_unique())["split"].max() == 1


def test_images_decode_to_grey_that_is_not_flat(cohort, tmp_path):
    some = cohort.frame.gather_every(cohort.frame.height // 60)
    pixels = load_pixels(some, 64, tmp_path)
    assert not pixels.unreadable.any()
    assert pixels.values.shape == (some.height, 64, 64)
    assert (pixels.values.reshape(some.height, -1).std(1) > 5).all()
    assert 60 < np.mean(pixels.values) < 200


def part_of(cohort, folder, images: int):
    """A cohort of about this many images, by whole patients of at most three images, in both splits and classes."""
    few = cohort.frame.filter(pl.len().over("patient") <= 3)
    chosen = pl.concat(
        part.filter(pl.col("patient").is_in(part["patient"].unique(maintain_order=True).head(images // 6).implode()))
        for part in few.partition_by("split", "label")
    )
    for row in chosen.iter_rows(named=True):
        target = folder / row["path"].removeprefix(f"{FOLDER.absolute()}").lstrip("/\\")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(row["path"], target)
    lines = (FOLDER / "metadata.csv").read_text("utf-8").splitlines(keepends=True)
    kept = set(chosen["image"])
    (folder / "metadata.csv").write_text(
        "".join([lines[0], *(line for line in lines[1:] if line.split(",")[0] in kept)]), "utf-8"
    )
    return folder


@pytest.mark.usefixtures("audited_quickly")
def test_a_small_part_goes_all_the_way_to_a_bundle(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "train_here", train_here)
    folder = part_of(cohort, tmp_path / "part", images=150)
    root = rewrite_settings(
        tmp_path,
        **TINY | QUICK | {"weightings": '["uniform"]', "seeds": "[1]", "postprocessings": '["fixed_0.5", "equal_tpr"]'},
    )
    run_study(folder, root=root)
    study = load("part", root)
    assert 100 <= study.manifest["cohort"]["images"] <= 250
    assert study.runs.height == 1 and study.runs["auc"].is_between(0, 1).all()
    assert study.tables.keys() == TABLES.keys()
    for name in ("checks", "composition", "metrics", "gaps", "families", "effects", "thresholds", "calibration"):
        assert not study.tables[name].is_empty(), name
    images = read_cohort(folder).frame["image"]
    for table in study.tables.values():
        for words in table.select(pl.col(pl.String)).iter_columns():
            assert not words.is_in(images.implode()).any()
