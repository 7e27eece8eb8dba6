"""Phantom cohorts: same seed, same bytes; as frequent as the public counts say; every dial does what it says, alone."""

import json
from dataclasses import asdict, fields

import numpy as np
import polars as pl
import pytest
from PIL import Image

from lib.cohort import CohortError, read_cohort
from lib.cohort.phantom import DEFAULT, EFFECTS, NULL, Dials, draw_phantom, read_dials
from lib.cohort.phantom.calibration import FINDINGS, MOST_IMAGES, STRATA
from lib.cohort.phantom.findings import OVERLAY
from lib.cohort.phantom.patients import AP_SHARE, SICK_SHARE, Shot, draw_records
from lib.cohort.phantom.render import render


def table(dials: Dials, images: int = 4000, seed: int = 3) -> pl.DataFrame:
    """Who is in a cohort, without drawing a pixel."""
    rows = [
        {"patient": r.shot.patient, "split": r.split, "sex": r.sex, "view": r.view, "age": r.age, "label": r.label}
        | {"sick": r.sick, "disc": r.shot.disc, "strength": r.shot.strength, "poor": r.shot.poor, "drawn_ap": r.shot.ap}
        for r in draw_records(seed, images, dials)
    ]
    return pl.DataFrame(rows)


def share(frame: pl.DataFrame, column: str = "label", **where: str) -> float:
    return float(frame.filter(**where)[column].mean())


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_phantom(tmp_path_factory.mktemp("phantom") / "demo", images=60, seed=5, size=64)


def test_same_seed_same_bytes_by_one_process_or_two(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr("lib.cohort.phantom.write.FEW", 0)
    again = draw_phantom(tmp_path / "again", images=60, seed=5, size=64, workers=2)
    files = sorted(p.relative_to(drawn) for p in drawn.rglob("*") if p.is_file())
    assert len(files) == 62
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert all((drawn / f).read_bytes() == (again / f).read_bytes() for f in files)


def test_another_seed_gives_other_images(drawn, tmp_path):
    other = read_cohort(draw_phantom(tmp_path / "other", images=60, seed=6, size=64)).frame
    assert not set(other["digest"]) & set(read_cohort(drawn).frame["digest"])


def test_the_cohort_is_read_whole_and_says_what_it_is(drawn):
    cohort = read_cohort(drawn)
    found = {check: rows for check, rows, _ in cohort.checks.iter_rows() if rows}
    assert found == {"images in the folders": 60, "rows in metadata.csv": 60, "images used": 60}
    assert "phantom" in cohort.source


def test_the_truth_lies_beside_the_cohort(drawn, tmp_path):
    truth = json.loads((drawn / "truth.json").read_text("utf-8"))
    assert truth["dials"] == asdict(DEFAULT) and truth["seed"] == 5
    assert truth["planted"].keys() == {name for name in EFFECTS if getattr(DEFAULT, name)}
    noisy = draw_phantom(tmp_path / "noisy", images=60, size=32, dials=Dials(label_noise=1))
    hidden = json.loads((noisy / "truth.json").read_text("utf-8"))["sick_but_labelled_healthy"]
    assert hidden and set(hidden) <= set(read_cohort(noisy).frame.filter(label=0, view="AP")["image"])


def test_images_are_grey_radiographs_of_the_size_asked_for(drawn):
    shapes = {(image.size, image.mode) for image in map(Image.open, drawn.rglob("*.png"))}
    assert shapes == {((64, 64), "L")}
    pixels = np.stack([np.asarray(Image.open(p), float) for p in drawn.rglob("*.png")])
    lung, middle, corner = pixels[:, 22:34, 14:22], pixels[:, 30:44, 30:34], pixels[:, 50:60, 28:36]
    assert lung.mean() + 40 < middle.mean() and lung.mean() + 40 < corner.mean()
    assert 90 < pixels.mean() < 170 and pixels.std((1, 2)).mean() > 35


@pytest.mark.parametrize("finding", OVERLAY)
def test_a_finding_changes_the_image_the_more_the_stronger_and_nothing_else_does(finding):
    def changed(strength: float) -> float:
        with_it, without = (
            [render(Shot(n, 0, False, 50, n % 2 == 0, f, strength), seed=0, size=64).astype(float) for n in range(4)]
            for f in ((finding,), ())
        )
        return float(np.abs(np.subtract(with_it, without)).mean())

    assert changed(0) == 0
    assert 0 < changed(0.1) < changed(1)


def test_images_of_a_patient_resemble_each_other_more_than_those_of_two():
    one, again, other = (
        render(Shot(p, v, True, 50, False), seed=0, size=64).astype(float) for p, v in ((1, 0), (1, 1), (2, 0))
    )
    assert 0 < np.abs(one - again).mean() < np.abs(one - other).mean()


def test_every_finding_of_the_public_metadata_is_drawn():
    assert FINDINGS.keys() == OVERLAY.keys()
    assert sum(cell.images for cell in STRATA) == 112_120


def test_frequencies_follow_the_public_counts():
    people = table(Dials(), images=12_000)
    assert share(people, "label") == pytest.approx(SICK_SHARE, abs=0.03)
    assert (people["view"] == "AP").mean() == pytest.approx(AP_SHARE, abs=0.03)
    assert share(people, view="AP") - share(people, view="PA") == pytest.approx(0.53 - 0.416, abs=0.05)
    repeats = people.group_by("patient").len()["len"]
    assert repeats.median() == 1 and repeats.max() == MOST_IMAGES and 2 < repeats.mean() < 3.7
    pairs = people.with_columns(same=pl.col("sick") == pl.col("sick").shift(1).over("patient"))
    assert pairs["same"].mean() == pytest.approx(0.659, abs=0.04)


def test_no_patient_is_in_both_splits():
    assert table(DEFAULT).group_by("patient").agg(pl.col("split").n_unique())["split"].max() == 1


def test_the_null_plants_nothing():
    people = table(NULL, images=12_000)
    for column in ("label", "disc", "strength", "poor", "drawn_ap"):
        for attribute, (one, two) in {"sex": ("F", "M"), "view": ("AP", "PA")}.items():
            apart = share(people, column, **{attribute: one}) - share(people, column, **{attribute: two})
            assert abs(apart) < 0.03, (column, attribute)
    assert (people["label"] == people["sick"].cast(int)).all()


def gap(people: pl.DataFrame, column: str, attribute: str, one: str, two: str) -> float:
    return share(people, column, **{attribute: one}) - share(people, column, **{attribute: two})


def test_each_dial_does_what_it_says():
    full = {dial: table(Dials(nature=0, **{dial: 1.0})) for dial in EFFECTS}
    assert gap(full["prevalence"], "label", "sex", "F", "M") == pytest.approx(0.5, abs=0.06)
    women = full["representation"].with_columns(f=pl.col("sex") == "F")
    assert share(women, "f", split="train") < 0.1 and share(women, "f", split="valid") > 0.35
    disc = full["shortcut"].filter(view="AP")
    assert share(disc, "disc", label=1) > 0.95 and share(disc, "disc", label=0) < 0.05
    assert abs(gap(full["shortcut"].filter(view="PA"), "disc", "label", 1, 0)) < 0.06
    assert share(full["visibility"], "strength", sex="F") == pytest.approx(
        0.15 * share(full["visibility"], "strength", sex="M"), rel=0.1
    )
    hidden = full["label_noise"].filter(sick=True)
    assert share(hidden, view="AP") == pytest.approx(0.4, abs=0.05) and share(hidden, view="PA") == 1
    assert gap(full["exposure"], "poor", "view", "AP", "PA") == 1
    reversed_ = full["simpson"]
    assert gap(reversed_, "label", "sex", "F", "M") < -0.1
    assert all(gap(reversed_.filter(view=view), "label", "sex", "F", "M") > 0.08 for view in ("AP", "PA"))


def test_dials_and_effects_have_the_same_names():
    assert {dial.name for dial in fields(Dials)} == {"nature", *EFFECTS}


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "much", None, True])
def test_a_dial_outside_0_to_1_is_one_sentence(value):
    with pytest.raises(ValueError, match=r"^shortcut is .*; allowed is a number from 0 to 1\.$"):
        Dials(shortcut=value)


def test_dials_are_read_from_the_command_line():
    assert read_dials(["visibility=0.5", "nature=0"], NULL) == Dials(nature=0, visibility=0.5)
    with pytest.raises(ValueError, match="'charm' is unknown; allowed are .*nature, "):
        read_dials(["charm=1"], NULL)
    with pytest.raises(ValueError, match="^shortcut is 'lots'"):
        read_dials(["shortcut=lots"], NULL)


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(ValueError, match="is in use"):
        draw_phantom(tmp_path, images=20, size=32)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("wrong", [{"images": 0}, {"size": 100}, {"size": 16}, {"seed": -1}])
def test_what_cannot_be_drawn_is_one_sentence(tmp_path, wrong):
    with pytest.raises(ValueError, match="cannot be drawn; allowed are"):
        draw_phantom(tmp_path / "p", **{"images": 20, "size": 32} | wrong)


def test_an_interrupted_drawing_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("lib.cohort.phantom.render.render", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_phantom(tmp_path / "p", images=20, size=32)
    assert not list(tmp_path.iterdir())
    with pytest.raises(CohortError):
        read_cohort(tmp_path / "p")
