"""The benchmark's arithmetic and its page; nothing here depends on how fast the machine is."""

import shutil
from pkgutil import resolve_name

import numpy as np
import polars as pl
import pytest
import torch

from benchmarks import recipe, report
from benchmarks.quality import Compared, row
from benchmarks.workers import Measured, rates
from lib.audit import Population
from lib.training.store import Run

ROUND = {
    **{f"reference {what}": (10.0, 5.0) for what in ("train", "predict")},
    **{"224": (20.0, 10.0), "64 of 224": (100.0, 50.0), "64 of 96": (200.0, 100.0), "96": (50.0, 25.0)},
    **{"predict 96": (180.0, 100.0), "predict 96, mirror": (90.0, 50.0), "predict 224": (10.0, 5.0)},
    **{"sgemm": (100e9, 100e9), "load": (1.0, 1.0)},
}


VARIANT = "images always shown as they are"


def test_rates_add_over_workers_that_are_busy_together():
    assert rates([Measured(32, 4.0, 2.0), Measured(32, 2.0, 2.0)]) == (24.0, 16.0)


def test_epochs_at_two_sizes_are_weighed_by_the_settings():
    """13 of the 20 default epochs train on small images."""
    both = report.over_epochs((100.0, 100.0), (20.0, 20.0))
    assert both == pytest.approx((20 / (13 / 100 + 7 / 20),) * 2)


def test_operations_are_those_of_three_forward_passes():
    """ResNet-18 at 224 px needs 1.81 billion multiplications and additions (table 1 of arXiv 1512.03385: 1.8)."""
    assert report.operations(224, plain=True) == pytest.approx(3 * 2 * 1.81e9, rel=0.01)
    assert report.operations(224, plain=False) < report.operations(224, plain=True)


def test_ratios_are_taken_round_by_round():
    slow = {name: (value[0] / 4, value[1]) for name, value in ROUND.items()}
    starts = [{"import": 3.0, "begins": 1.0, "ends": 1.5}]
    text = report.speed([dict(ROUND), dict(slow)], starts, {1000: {"private": 300.0, "mapped": 200.0}})
    assert (
        "| 224 px throughout, batches of 16 | 12.5 (5.0 to 20.0) | 2.00 (2.00 to 2.00) | 2.00 (2.00 to 2.00) |" in text
    )
    assert "| then, until the first step begins | 1.00 (1.00 to 1.00) |" in text
    assert "| 1,000 | 300 | 200 |" in text
    assert "private memory" not in report.speed([dict(ROUND)], starts, {1000: None})


def test_variants_are_paired_with_the_recipe_by_seed():
    """Differences -.01 and -.03: mean -.02, standard error .01, and Student's t of one degree of freedom is 12.706."""
    found = {(recipe.RECIPE, 1): 0.70, (recipe.RECIPE, 2): 0.74, (VARIANT, 1): 0.69, (VARIANT, 2): 0.71}
    lines = recipe.table(found).splitlines()
    assert lines[2] == f"| {recipe.RECIPE} | 2 | 0.7200 |  |  |"
    assert lines[3] == f"| {VARIANT} | 2 | 0.7000 | -0.0200 (-0.1471 to +0.1071) | 2 of 2 |"
    del found[VARIANT, 2]
    assert recipe.table(found).splitlines()[3] == f"| {VARIANT} | 1 | 0.6900 | -0.0100 | 1 of 1 |"


def test_lengths_are_told_by_seed_and_by_their_mean_score():
    """Two sick and two healthy patients; the second network orders one pair of four wrongly, the mean score none."""
    frame = pl.DataFrame({"patient": ["a", "b", "c", "d"], "label": [1, 1, 0, 0]})
    people = Population.from_frame(frame, attributes=[])
    right, wrong = np.array([0.9, 0.8, 0.2, 0.1]), np.array([0.6, 0.4, 0.5, 0.3])
    first, second, _ = recipe.LENGTHS
    runs = {(first, 1): wrong, (second, 1): right, (second, 2): wrong}
    runs = {key: Run("uniform", key[1], scores, {}) for key, scores in runs.items()}
    lines = recipe.lengths_table(people, runs).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith(f"| {first} | 0.750 | 0.750 (")
    assert lines[3].startswith(f"| {second} | 1.000 0.750 | 1.000 (1.000 to 1.000) | +0.250 (")


def test_what_a_variant_replaces_is_there():
    for variant in [*recipe.VARIANTS.values(), *recipe.LENGTHS.values()]:
        assert (variant.by is None) == (variant.place == "")
        assert variant.by is None or callable(resolve_name(variant.place))
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(recipe.as_they_are(x, 8, None), x) and recipe.as_they_are(x, 4, None).shape == (2, 1, 4, 4)


def test_speed_is_replaced_and_quality_added_on_the_page(tmp_path, monkeypatch):
    page = tmp_path / "training.md"
    shutil.copy(report.PAGE, page)
    monkeypatch.setattr(report, "PAGE", page)
    line = row(Compared((0.65, 0.7), (0.66, 0.71), 0.01, -0.02, 0.04, 20, 1, "none", 1332, 375), "NOM_PRENOM")
    assert "| 0.650 (0.700) | 0.660 (0.710) | +0.010 (-0.020 to +0.040) |" in line
    before = page.read_text("utf-8")
    for kind, text in (("speed", "first"), ("speed", "second"), ("quality", line), ("quality", line)):
        report.keep(kind, text)
    after = page.read_text("utf-8")
    assert "first" not in after.split("<!-- speed -->")[1].split("<!-- end of speed -->")[0]
    assert after.count("second\n") == 1 and after.count(line) == 2
    assert after.splitlines()[0] == before.splitlines()[0] and after.splitlines()[-1] == before.splitlines()[-1]
