"""A network that failed is named, one that merely differs is not; what is told without it is what the others say."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pytest import approx

from lib.audit import Population
from lib.names import Attribute
from lib.study.odd_networks import SCHEMA, odd_networks, without_failed

WEIGHTINGS = ("uniform", "kamiran_calders_view", "group_balanced_view")


def runs(*, weightings=WEIGHTINGS, seeds=5, spread=0.01, of_seed=0.04, **of_all) -> pl.DataFrame:
    """Networks whose tuning AUC depends on the seed (its tuning patients) and varies a little."""
    draw = np.random.default_rng(1)
    shift = draw.normal(0, of_seed, seeds)
    rows = [
        {"weighting": weighting, "seed": seed + 1, "epochs": 3, "kept_epoch": 2 + seed % 2, "seconds": 200.0 + seed}
        | {"tune_auc": 0.74 + shift[seed] + draw.normal(0, spread), "precision": "32-true", "device": "cpu"}
        for weighting in weightings
        for seed in range(seeds)
    ]
    return pl.DataFrame([row | of_all for row in rows])


def planted(frame: pl.DataFrame, row: int, **values) -> pl.DataFrame:
    """The same networks, one of them with these facts."""
    here = pl.int_range(pl.len()) == row
    return frame.with_columns(pl.when(here).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in values.items())


def named(frame: pl.DataFrame) -> list[tuple]:
    return odd_networks(frame.to_dicts()).select("weighting", "seed", "reason", "failed").rows()


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
def test_a_planted_failing_network_is_named(seeds):
    frame = runs(seeds=seeds, spread=0.005)
    usual = frame["tune_auc"][seeds]
    assert named(planted(frame, seeds, tune_auc=usual - 0.12)) == [("kamiran_calders_view", 1, "tune_auc", True)]
    assert named(frame) == named(planted(frame, seeds, tune_auc=usual - 0.02)) == []


def test_a_failing_network_among_those_of_a_single_weighting_is_named():
    frame = runs(weightings=("uniform",), of_seed=0)
    assert named(planted(frame, 2, tune_auc=0.6)) == [("uniform", 3, "tune_auc", True)]
    told = odd_networks(planted(frame, 2, tune_auc=0.6).to_dicts()).row(0, named=True)
    assert told["found"] == "0.6" and float(told["usual"]) == approx(0.74, abs=0.02)


@pytest.mark.parametrize("weightings", [WEIGHTINGS, ("uniform",)])
def test_five_equal_networks_are_not_odd(weightings):
    found = odd_networks(runs(weightings=weightings, spread=0, of_seed=0).to_dicts())
    assert found.is_empty() and dict(found.schema) == SCHEMA


@pytest.mark.parametrize("count", [1, 2])
def test_of_one_or_two_networks_nothing_is_known(count):
    frame = runs(weightings=("uniform",), seeds=count)
    assert named(planted(frame, 0, tune_auc=0.5, kept_epoch=1, seconds=1.0)) == []


def test_kept_at_the_first_epoch_is_odd_where_the_others_were_not():
    assert named(planted(runs(), 7, kept_epoch=1)) == [("kamiran_calders_view", 3, "first_epoch", True)]
    assert named(runs(kept_epoch=1)) == named(runs(epochs=1, kept_epoch=1)) == []


def test_mixed_precisions_and_devices_and_strange_times_are_told_and_are_no_failures():
    frame = planted(runs(), 1, precision="bf16-mixed")
    frame = planted(planted(frame, 8, device="cuda"), 14, seconds=20.0)
    assert named(frame) == [
        ("uniform", 2, "precision", False),
        ("kamiran_calders_view", 4, "device", False),
        ("group_balanced_view", 5, "seconds", False),
    ]


def test_networks_of_a_faster_device_are_compared_with_their_own():
    fast = pl.int_range(pl.len()) % 3 == 0
    frame = runs().with_columns(
        seconds=pl.when(fast).then(10.0).otherwise("seconds"),
        device=pl.when(fast).then(pl.lit("cuda")).otherwise("device"),
    )
    assert {row[2] for row in named(frame)} == {"device"}


def test_what_is_told_without_the_failed_is_what_the_others_say():
    draw = np.random.default_rng(3)
    n = 400
    frame = pl.DataFrame({"patient": draw.integers(0, 150, n), "label": draw.integers(0, 2, n)})
    frame = frame.with_columns(sex=pl.Series(draw.choice(["F", "M"], n)), view=pl.Series(draw.choice(["AP", "PA"], n)))
    scores = draw.random((4, n))
    scores[1] = 0.9  # calls everyone sick
    attributes = [Attribute("sex", "sex", ("F", "M"), "M", True), Attribute("view", "view", ("AP", "PA"), "PA", False)]
    people = Population.from_frame(frame, attributes=attributes)
    table = without_failed(people, {"uniform": scores, "other": scores}, {"uniform": [1]})
    assert table["weighting"].unique().to_list() == ["uniform"] and table.height == 2 * (1 + 2 * 2)
    assert table.select("networks", "networks_without").unique().rows() == [(4, 3)]
    for row in table.to_dicts():
        values = [figure(frame, own, row) for own in scores]
        others = [value for network, value in enumerate(values) if network != 1]
        assert row["value"] == approx(np.mean(values)) and row["seed_sd"] == approx(np.std(values, ddof=1))
        assert row["value_without"] == approx(np.mean(others))
        assert row["seed_sd_without"] == approx(np.std(others, ddof=1))


def figure(frame: pl.DataFrame, scores: np.ndarray, row: dict) -> float:
    """One figure of one network, with polars."""
    decided = frame.with_columns(called=pl.Series((scores >= 0.5).astype(float)), all=pl.lit("all"))

    def rate(column: str, group: str, label: int) -> float:
        own = decided.filter(pl.col(column) == group, label=label)
        return (
            own["called"].mean()
            if row["by"] == "image"
            else own.group_by("patient").agg(pl.col("called").mean())["called"].mean()
        )

    if row["metric"] == "balanced_accuracy":
        return (rate("all", "all", 1) + 1 - rate("all", "all", 0)) / 2
    group, reference = row["contrast"].split(" - ")
    label = int(row["metric"] == "tpr")
    return rate(row["attribute"], group, label) - rate(row["attribute"], reference, label)


def test_the_failed_network_of_a_study_on_real_images_is_found():
    """Facts of fifty networks, one of which (balanced accuracy .56) was kept at its first epoch of eight."""
    facts = Path(__file__).with_name("odd_runs.csv")
    found = odd_networks(pl.read_csv(facts).to_dicts())
    assert found.filter("failed").select("weighting", "seed", "reason").rows() == [
        ("kamiran_calders_sex+age_group+view", 2, "first_epoch")
    ]
    assert found.filter(reason="seconds").select("weighting", "seed").rows() == [
        ("effective_number_age_group+view", 2),
        ("effective_number_age_group+view", 3),
    ]
