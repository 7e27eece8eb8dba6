"""The benchmarks' arithmetic and their page; nothing here depends on how fast the machine is."""

import shutil
import time
from dataclasses import replace
from pkgutil import resolve_name
from unittest.mock import patch

import polars as pl
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import limit, quality, recipe, report, start
from benchmarks.quality import Ours, Quality
from benchmarks.recipe import RECIPE, VARIANTS
from benchmarks.reference import plain_network
from benchmarks.training import PREDICTED, TRAINED
from benchmarks.workers import Measured, rates
from lib.settings import read_settings
from lib.training.networks import build, efficientnet_lite0, initial_weights
from lib.training.settings import TrainingSettings

ROUND = {
    **{"plain train": (10.0, 5.0), "plain predict": (50.0, 25.0), "load": (1.0, 1.0)},
    **{name: (100.0, 50.0) for name in TRAINED},
    **{name: (400.0, 200.0) for name in PREDICTED},
    **{f"{of} {precision}": (100e9, 100e9) for of in ("products",) for precision in ("float32", "bfloat16")},
    **{f"convolutions {precision}": (200.0, 200.0) for precision in ("float32", "bfloat16")},
}
VARIANT = "128 px"


def test_rates_add_over_workers_that_are_busy_together():
    assert rates([Measured(32, 4.0, 2.0), Measured(32, 2.0, 2.0)]) == (24.0, 16.0)


def test_operations_are_those_of_each_convolution_and_of_the_gradients_that_it_needs():
    """Both convolutions take 2 x 4 x 64 x 9 operations on 8 x 8 pixels; nobody asks for the gradient of the image."""
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, groups=4))
    assert limit.operations(network, 8) == 4608 * (2 + 3)
    network[0].requires_grad_(False)
    assert limit.operations(network, 8) == 4608 * (1 + 2)


def test_operations_of_the_forward_pass_are_those_that_torch_counts():
    network = plain_network().eval().requires_grad_(False)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, 224, 224))
    assert limit.operations(network, 224, 3) == counter.get_total_flops() - 2 * 1280 * 2  # the last layer's


def test_the_plain_script_starts_from_what_ours_starts_from():
    x = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    ours = build("efficientnet_lite0", "none", initial_weights("efficientnet_lite0", "imagenet")[1]).eval()
    with torch.no_grad():
        theirs = plain_network().eval().embed(x.expand(-1, 3, -1, -1))
        torch.testing.assert_close(theirs, ours.embed(x), rtol=1e-3, atol=1e-4)


def test_ratios_are_taken_round_by_round():
    pixels = TrainingSettings().image_size
    slow = {name: (value[0] / 4, value[1]) for name, value in ROUND.items()}
    starts = [{"import": 3.0, "begins": 1.0, "ends": 1.5}]
    text = report.speed([ROUND, slow], starts, {1000: {"private": 300.0, "mapped": 200.0}})
    ratios = "| 62.5 (25.0 to 100.0) | 10.00 (10.00 to 10.00) | 10.00 (10.00 to 10.00) |"
    assert f"| training by default: {pixels} px, float32 {ratios}" in text
    assert f"| prediction by default: {pixels} px, float32 | 250.0 (100.0 to 400.0) | 8.00 (8.00 to 8.00) |" in text
    assert "| 125 (50 to 200) | 50 (50 to 50) % |" in text  # 100 of 200 images a second, and 25 of 50
    assert "| then, until the first step begins | 1.00 (1.00 to 1.00) |" in text
    assert "| 1,000 | 300 | 200 |" in text
    assert "private memory" not in report.speed([ROUND], starts, {1000: None})


def test_time_to_quality_counts_the_epochs_that_the_plain_script_needs():
    """600 images at 10 a second and 300 at 50: 66 s an epoch."""
    found = Quality([0.70, 0.74], {"ours": Ours([0.75, 0.72], 11.0)}, 600, 300, "NOM_PRENOM")
    lines = report.quality(found, [ROUND]).splitlines()
    plain = "| plain script, 224 px | after each epoch: 0.700, 0.740 | 2 epochs | 2.2 (2.2 to 2.2) | 1 |"
    assert lines[4:] == [plain, "| ours | 0.750, 0.720 | 1 of 2 networks | 0.2 | 12.0 (12.0 to 12.0) |"]


def test_a_plain_script_that_is_not_good_enough_yet_needs_an_epoch_more_at_least():
    for plain, epochs in (([], 1), ([0.70, 0.72], 3)):
        found = Quality(plain, {"ours": Ours([0.75], 66.0)}, 600, 300, "NOM_PRENOM")
        lines = report.quality(found, [ROUND]).splitlines()
        assert f"| at least {epochs} epochs | at least {1.1 * epochs:.1f} (" in lines[4]
        assert lines[5].endswith(f"| at least {epochs:.1f} ({epochs:.1f} to {epochs:.1f}) |")


def test_settings_that_are_never_good_enough_have_no_ratio():
    found = Quality([0.74], {"ours": Ours([0.71, 0.72], 66.0)}, 600, 300, "NOM_PRENOM")
    assert report.quality(found, [ROUND]).endswith("| 0 of 2 networks | 1.1 |  |")


def test_time_to_quality_is_that_of_the_recipe_and_of_the_study():
    recipe_settings, *study = quality.own_settings().values()
    assert recipe_settings == TrainingSettings()
    assert all(settings.image_size == read_settings()["training"]["image_size"] for settings in study)


def test_variants_are_paired_with_the_recipe():
    """Differences -.01 and -.03: mean -.02, standard error .01, and Student's t of one degree of freedom is 12.706."""
    found = {(RECIPE, 1): 0.70, (RECIPE, 2): 0.74, (VARIANT, 1): 0.69, (VARIANT, 2): 0.71, ("1 epoch", 3): 0.7}
    lines = recipe.table(found).splitlines()
    assert lines[2:] == [
        f"| {RECIPE} | 2 | 0.7200 |  |  |",
        f"| {VARIANT} | 2 | 0.7000 | -0.0200 (-0.1471 to +0.1071) | 2 of 2 |",
    ]
    del found[VARIANT, 2]
    assert recipe.table(found).splitlines()[3] == f"| {VARIANT} | 1 | 0.6900 | -0.0100 | 1 of 1 |"


def test_every_patient_of_train_is_held_out_once_and_valid_is_not_read():
    patients = [f"{k // 2}" for k in range(40)]
    frame = pl.DataFrame({"patient": patients, "split": ["train"] * 32 + ["valid"] * 8})
    seen = []
    for pair in range(recipe.PARTS):
        divided = recipe.held_out(frame, pair)
        assert divided["patient"].to_list() == patients[:32]
        out = set(divided.filter(split="valid")["patient"])
        assert not out & set(divided.filter(split="train")["patient"])
        seen += out
    assert sorted(seen) == sorted(set(patients[:32]))


def test_what_a_variant_replaces_is_there_and_no_two_are_kept_as_one():
    keys = set()
    for variant in VARIANTS.values():
        assert (variant.by is None) == (variant.place == "")
        assert not variant.place or resolve_name(variant.place) is not variant.by
        keys.add(replace(TrainingSettings(), **variant.settings).run_key(variant.place, "uniform", 1))
    assert len(keys) == len(VARIANTS)


def test_variants_of_the_code_do_what_they_say():
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(recipe.as_they_are(x, 8, None), x) and recipe.as_they_are(x, 4, None).shape == (2, 1, 4, 4)
    assert recipe.without_clipping(trainer=dict, gradient_clip_val=1.0) == {"gradient_clip_val": None}
    with patch.object(efficientnet_lite0, "NORMS_ARE_FOLDED", VARIANTS["batch norms not folded"].by):
        assert any(isinstance(part, nn.BatchNorm2d) for part in build("efficientnet_lite0", "imagenet").modules())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in build("efficientnet_lite0", "imagenet").modules())


@pytest.mark.parametrize("kind", ["speed", "quality", "recipe"])
def test_tables_are_replaced_on_the_page(tmp_path, monkeypatch, kind):
    page = tmp_path / "training.md"
    shutil.copy(report.PAGE, page)
    monkeypatch.setattr(report, "PAGE", page)
    before = page.read_text("utf-8")
    for text in ("first", "second"):
        report.keep(kind, text)
    after = page.read_text("utf-8")
    assert f"<!-- {kind} -->\nsecond\n<!-- end of {kind} -->" in after
    assert after.splitlines()[0] == before.splitlines()[0] and after.splitlines()[-1] == before.splitlines()[-1]


def test_the_start_of_a_training_ends_with_its_first_step(tiny_cohort, tmp_path):
    began = time.time()
    first = start.first_step(tiny_cohort, tmp_path)
    assert began <= first["imported"] < first["begins"] < first["ends"] <= time.time()
