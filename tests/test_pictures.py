"""Pictures: means over enough people, every patient once; nothing about few of them can be read or worked out."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from lib.pictures import (
    BOX,
    LEAST,
    LEAST_IN_BIN,
    OUTSIDE_IF_EVEN,
    mean_radiographs,
    mean_saliency,
    score_histograms,
)
from lib.pictures.cells import between, patient_weights
from lib.pictures.histograms import BINS, THRESHOLD

ATTRIBUTES = ["race", "device"]
few = settings(max_examples=10)


def people(seed: int, *, patients: int = 260, unknown: float = 0.0, rare: bool = True) -> pl.DataFrame:
    """Images of patients: `race` (some `rare`, of a patient) and `device` (of an image); labels of images."""
    draw = np.random.default_rng(seed)
    owner = np.sort(draw.integers(0, patients, 2 * patients))
    race = draw.choice(list("ABC"), patients, p=draw.dirichlet([2, 1, 0.5]) if rare else [0.4, 0.3, 0.3])[owner].astype(
        object
    )
    race[draw.random(patients)[owner] < unknown] = None
    frame = {"patient": owner, "label": draw.integers(0, 2, len(owner)), "race": race.tolist()}
    frame["device"] = draw.choice(["x", "y"], len(owner), p=[0.8, 0.2]).tolist()
    return pl.DataFrame(frame, schema_overrides={"race": pl.String})


def grey(frame: pl.DataFrame, side: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frame.height, side, side), dtype=np.uint8)


def of_cell(frame: pl.DataFrame, row: dict) -> pl.DataFrame:
    return frame.with_row_index("row").filter(pl.col(row["attribute"]) == row["group"], label=row["label"])


@few
@given(st.integers(0, 200), st.integers(20, 400), st.sampled_from([0.0, 0.02, 0.2]))
def test_no_picture_is_of_fewer_than_fifty_patients(seed, patients, unknown):
    frame = people(seed, patients=patients, unknown=unknown)
    for row in mean_radiographs(frame, grey(frame, 1), ATTRIBUTES).to_dicts():
        distinct = of_cell(frame, row)["patient"].n_unique()
        assert row["patients"] == distinct
        assert row["pixels"] is None or distinct >= LEAST == 50


@few
@given(st.integers(0, 200), st.integers(60, 400), st.sampled_from([0.0, 0.02, 0.2]))
def test_no_difference_of_pictures_shows_fewer_than_fifty_patients(seed, patients, unknown):
    """Whoever adds up all published pictures of an attribute and takes them from everyone's finds noise, or nobody."""
    frame = people(seed, patients=patients, unknown=unknown)
    table = mean_radiographs(frame, grey(frame, 1), ATTRIBUTES)
    for (attribute, label), own in table.filter(pl.col("pixels").is_not_null()).group_by("attribute", "label"):
        rest = frame.filter((~pl.col(attribute).is_in(own["group"].to_list())).fill_null(True), label=label)
        left = rest["patient"].n_unique()
        rounding = np.sqrt((own["patients"] ** 2).sum() / 12)
        assert left == 0 or left >= LEAST or rounding / left >= 64


def test_a_single_patient_of_unknown_group_costs_no_picture_and_thirty_do():
    def shown(unknown: int) -> int:
        race = [None] * unknown + ["A"] * 300 + ["B"] * 200
        frame = pl.DataFrame({"patient": range(len(race)), "label": 1, "race": race})
        return mean_radiographs(frame, grey(frame, 1), ["race"])["pixels"].count()

    assert (shown(0), shown(1), shown(30), shown(60)) == (2, 2, 1, 2)


def test_a_mean_radiograph_is_the_mean_over_patients_of_the_patients_mean():
    frame = people(3, patients=400, rare=False)
    pixels = grey(frame)
    shown = mean_radiographs(frame, pixels, ATTRIBUTES).filter(pl.col("pixels").is_not_null()).to_dicts()
    assert {row["attribute"] for row in shown} == set(ATTRIBUTES)
    for row in shown:
        of_patients = [pixels[own["row"]].mean(axis=0) for _, own in of_cell(frame, row).group_by("patient")]
        expected = np.mean(of_patients, axis=0).ravel()
        assert row["side"] == 4 and np.abs(np.array(row["pixels"]) - expected).max() <= 0.51


def test_a_patient_with_many_images_counts_once():
    patients = np.array([*range(60), *[0] * 1000])
    frame = pl.DataFrame({"patient": patients, "label": 0, "race": "A"})
    pixels = np.where(patients == 0, 240, 0).astype(np.uint8).reshape(-1, 1, 1)
    row = mean_radiographs(frame, pixels, ["race"]).row(0, named=True)
    assert (row["patients"], row["images"], row["pixels"]) == (60, 1060, [4])


def saliency_of(frame: pl.DataFrame, networks: int = 2, size: int = 4) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(5)
    return draw.random((networks, frame.height, size, size)), draw.random((networks, frame.height))


@few
@given(st.integers(0, 50), st.integers(20, 400))
def test_no_saliency_is_of_fewer_than_fifty_patients(seed, patients):
    frame = people(seed, patients=patients)
    maps, scores = saliency_of(frame)
    for row in mean_saliency(frame, maps, scores, ATTRIBUTES).to_dicts():
        own = of_cell(frame, row)["row"].to_numpy()
        here = ((scores[:, own] >= 0.5) == (row["label"] == 1)) == row["correct"]
        distinct = frame["patient"].to_numpy()[own[here.any(axis=0)]]
        assert row["patients"] == len(set(distinct)) and row["images"] == here.any(axis=0).sum()
        assert (row["density"] is None) == (row["outside"] is None) == (row["patients"] < LEAST)


def test_mean_saliency_is_over_patients_of_maps_scaled_to_one():
    frame = people(1)
    maps, scores = saliency_of(frame, networks=1)
    maps[0] *= np.linspace(1, 1000, frame.height)[:, None, None]  # how sure a network is makes no difference
    found = mean_saliency(frame, maps, scores, ["race"]).filter(pl.col("density").is_not_null()).to_dicts()
    assert found
    for row in found:
        own = of_cell(frame, row)
        chosen = ((scores[0, own["row"]] >= 0.5) == (row["label"] == 1)) == row["correct"]
        own = own.filter(pl.Series(chosen))
        means = []
        for _, images in own.group_by("patient"):
            fine = between(4, 32) @ maps[0][images["row"]] @ between(4, 32).T
            means.append((fine / fine.mean(axis=(1, 2), keepdims=True)).mean(axis=0))
        mean = np.mean(means, axis=0)
        box = slice(int(BOX[0] * 32), int(BOX[1] * 32))
        assert np.array(row["density"]) == approx(mean.ravel(), rel=1e-4)
        assert row["outside"] == approx(1 - mean[box, box].sum() / 1024, rel=1e-4)
        assert row["low"] < row["outside"] < row["high"]


@pytest.mark.parametrize("place", ["corner", "centre", "even", "nowhere"])
def test_saliency_outside_the_lungs_is_seen(place):
    frame = pl.DataFrame({"patient": range(80), "label": 1, "view": "AP"})
    maps = np.zeros((1, 80, 8, 8))
    if place == "corner":
        maps[:, :, 0, 0] = 1
    elif place == "centre":
        maps[:, :, 3:5, 3:5] = 1
    elif place == "even":
        maps[:] = 0.1
    row = mean_saliency(frame, maps, np.full((1, 80), 0.9), ["view"]).filter(label=1, correct=True).row(0, named=True)
    if place == "nowhere":
        assert row["density"] is None and row["blank"] == 80 and row["patients"] == 0
    else:
        expected = {"corner": approx(1, abs=0.2), "centre": 0, "even": approx(OUTSIDE_IF_EVEN)}
        assert row["outside"] == expected[place] and np.mean(row["density"]) == approx(1, rel=1e-5)


@few
@given(st.integers(0, 60), st.integers(60, 150))
def test_bars_hold_five_patients_and_add_up_to_all(seed, patients):
    frame = people(seed, patients=patients)
    scores = {
        "uniform": np.random.default_rng(seed).beta(2, 5, (2, frame.height)),
        "other": np.full((2, frame.height), 1.0),
    }
    table = score_histograms(frame, scores, ATTRIBUTES)
    for _, bars in table.group_by("weighting", "attribute", "group", "label", maintain_order=True):
        assert bars["patients"].min() >= LEAST_IN_BIN == 5
        assert bars["share"].sum() == approx(1)
        assert bars["start"][0] == 0 and bars["end"][-1] == 1
        assert all(left == right for (_, left), (right, _) in pairwise(bars.select("start", "end").rows()))


def test_a_bar_is_the_share_of_patients_each_counted_once():
    frame = people(2)
    scores = np.random.default_rng(1).random((3, frame.height))
    table = score_histograms(frame, {"uniform": scores}, ["race"])
    assert (table["end"] - table["start"]).min() == approx(1 / BINS)
    for row in table.to_dicts():
        of_group = frame.with_columns(index=pl.row_index(), overall=pl.lit("all"))
        of_group = of_group.filter(pl.col(row["attribute"]) == row["group"], label=row["label"])
        values = scores[:, of_group["index"].to_numpy()]
        inside = (values >= row["start"]) & ((values < row["end"]) | (row["end"] == 1))
        shares = of_group.with_columns(inside=pl.Series(inside.mean(axis=0))).group_by("patient").agg("inside")
        assert row["share"] == approx(shares["inside"].list.mean().mean())
        assert row["patients"] == of_group.filter(pl.Series(inside.any(axis=0)))["patient"].n_unique()


def test_a_histogram_cut_at_the_threshold_gives_the_mean_of_the_networks_rates():
    frame, rng = people(4, patients=60), np.random.default_rng(4)
    scores = rng.beta(4, 4, (3, frame.height))
    table = score_histograms(frame, {"uniform": scores}, [])
    for label in (0, 1):
        rows = np.flatnonzero(frame["label"].to_numpy() == label)
        called = frame[rows].with_columns(called=pl.Series((scores[:, rows] >= THRESHOLD).mean(axis=0)))
        rate = called.group_by("patient").agg(pl.col("called").mean())["called"].mean()
        assert table.filter(pl.col("start") >= THRESHOLD, label=label)["share"].sum() == approx(rate)


def test_weights_of_patients_add_up_to_one():
    weights = patient_weights(np.array(["a", "a", "b", "c"]), np.array([True, True, True, False]))
    assert weights == approx([0.25, 0.25, 0.5, 0])
    assert patient_weights(np.array(["a"]), np.array([False])).sum() == 0


def test_a_group_of_four_patients_has_no_histogram():
    frame = pl.DataFrame({"patient": range(12), "label": 1, "race": ["A"] * 8 + ["B"] * 4})
    table = score_histograms(frame, {"uniform": np.full((1, 12), 0.3)}, ["race"])
    assert set(table.select("attribute", "group").rows()) == {("overall", "all"), ("race", "A")}
