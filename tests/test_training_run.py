"""A run is kept under a key of all that it depends on, trained once, and resumed exactly where it was."""

import json
import multiprocessing
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest
import torch
from here import TinyNetwork

from lib.cohort import load_pixels, read_cohort
from lib.training.run import finished_run, train_run
from lib.training.settings import TrainingSettings
from lib.training.store import CLOCK
from lib.training.workers import stop

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec")
SETTINGS = TrainingSettings.for_start({"network": "resnet18", "image_size": 32, "epochs": 3}, "none")
SETTINGS = replace(SETTINGS, averaging=0.9)  # the average must survive an interruption, too
STEPS = 2
"""Batches an epoch: about 82 images to fit, 32 at a time."""
OTHER = {
    "network": "efficientnet_lite0",
    "initial_weights": "imagenet",
    "image_size": 64,
    "first_image_size": 48,
    "standardize": True,
    "epochs": 5,
    "batch_size": 16,
    "learning_rate": 0.01,
    "weight_decay": 0.1,
    "dropout": 0.5,
    "findings_weight": 1.0,
    "frozen_blocks": 1,
    "averaging": 0.5,
    "tune_share": 0.3,
    "keep": "last",
    "weights_act_by": "loss",
    "precision": "bf16-mixed",
}


@pytest.fixture(scope="module")
def frame(tiny_cohort):
    return read_cohort(tiny_cohort).frame


@pytest.fixture(scope="module")
def pixels(frame, tmp_path_factory):
    return load_pixels(frame, 32, tmp_path_factory.mktemp("pixels"))


@pytest.fixture(scope="module", autouse=True)
def one_thread_and_a_network_that_is_no_work():
    """Sums in one order, whatever else the machine does; what is kept and resumed is as much of a small network as of a large one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib.training.classifier.build", lambda *_, **__: TinyNetwork())
        yield
    torch.set_num_threads(before)


def train(frame, pixels, folder, settings=SETTINGS, on_images=lambda n: None):
    return train_run(
        frame,
        pixels,
        lambda rows: np.linspace(0.5, 1.5, rows.height),
        settings,
        3,
        folder,
        weighting="uniform",
        on_images=on_images,
    )


@pytest.fixture(scope="module")
def whole(frame, pixels, tmp_path_factory):
    """A run that nothing interrupted, and its folder."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    return train(frame, pixels, folder), folder


def test_a_run_has_a_score_for_each_validation_image_and_facts(whole, frame):
    run, folder = whole
    assert run.scores.shape == (frame.filter(split="valid").height,)
    assert ((run.scores >= 0) & (run.scores <= 1)).all() and run.scores.std() > 0
    assert [epoch["epoch"] for epoch in run.facts["history"]] == [1, 2, 3]
    best = max(run.facts["history"], key=lambda epoch: epoch["tune_auc"])
    assert (run.facts["kept_epoch"], run.facts["tune_auc"]) == (best["epoch"], best["tune_auc"])
    assert sorted(p.name for p in folder.iterdir()) == ["network.pt", "run.json", "scores.parquet"]


@pytest.mark.parametrize(("keep", "epoch"), [("best", 2), ("last", 3)])
def test_a_network_is_kept_at_its_best_epoch_or_its_last(frame, pixels, tmp_path, monkeypatch, keep, epoch):
    aucs = iter([0.6, 0.9, 0.7])
    monkeypatch.setattr("lib.training.classifier.roc_auc_score", lambda labels, logits: next(aucs))
    run = train(frame, pixels, tmp_path, settings=replace(SETTINGS, keep=keep))
    assert (run.facts["kept_epoch"], run.facts["tune_auc"]) == (epoch, {2: 0.9, 3: 0.7}[epoch])


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("batches", [STEPS, 2 * STEPS])
def test_the_seconds_of_a_killed_run_are_those_of_all_its_lives(frame, pixels, tmp_path, monkeypatch, batches):
    """Also those after its last checkpoint, and of a life that ended before there was one."""
    now = [0.0]

    def an_hour_each(n):
        now[0] += 3600
        if now[0] == batches * 3600:
            raise Interrupted

    monkeypatch.setattr("lib.training.run.monotonic", lambda: now[0])
    with pytest.raises(Interrupted):
        train(frame, pixels, tmp_path, on_images=an_hour_each)
    first = now[0]
    now[0] = 0.0
    run = train(frame, pixels, tmp_path, on_images=lambda n: now.__setitem__(0, now[0] + 3600))
    lost = 3600  # the batch during which it was killed
    assert run.facts["seconds"] == pytest.approx(first - lost + now[0])


def test_an_interrupted_run_resumes_to_the_very_same_scores(whole, frame, pixels, tmp_path):
    expected, _ = whole
    shown, again = [], []

    def stop_in_the_second_epoch(n):
        shown.append(n)
        if len(shown) == STEPS + 1:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(frame, pixels, tmp_path, on_images=stop_in_the_second_epoch)
    assert (tmp_path / "last.ckpt").is_file() and finished_run(tmp_path, "uniform", 3) is None

    (tmp_path / CLOCK).write_text("3601")
    run = train(frame, pixels, tmp_path, on_images=again.append)
    assert len(again) == 2 * STEPS and run.facts["seconds"] > 3600
    if run.facts["device"] != "cpu":  # a GPU adds in no fixed order
        assert run.scores == pytest.approx(expected.scores, abs=0.05)
        return
    assert np.array_equal(run.scores, expected.scores)
    assert run.facts["history"] == expected.facts["history"]
    assert not (tmp_path / "last.ckpt").exists()


def test_a_finished_run_is_read_and_never_trained_again(whole, frame, pixels):
    run, folder = whole

    def never(n):
        raise AssertionError("images were shown")

    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    read = train(frame, pixels, folder, on_images=never)
    assert np.array_equal(read.scores, run.scores) and read.facts == run.facts
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_scores_are_in_the_order_of_the_validation_rows(whole, frame):
    run, folder = whole
    kept = pl.read_parquet(folder / "scores.parquet")
    assert kept["image"].to_list() == frame.filter(split="valid")["image"].to_list()
    assert kept["score"].to_numpy() == pytest.approx(run.scores)


def test_the_kept_network_gives_the_kept_scores(whole, frame, pixels):
    from lib.training.classifier import Classifier

    run, folder = whole
    model = Classifier(SETTINGS, 3, 1)
    model.network.load_state_dict(torch.load(folder / "network.pt", weights_only=True))
    valid = frame.with_row_index("row").filter(split="valid")["row"].to_numpy()
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(pixels.values[valid]).unsqueeze(1))
    assert torch.sigmoid(logits).numpy() == pytest.approx(run.scores, abs=0.05)


def test_a_half_written_run_is_no_finished_run(tmp_path):
    assert finished_run(tmp_path / "absent", "uniform", 1) is None
    pl.DataFrame({"image": ["a"], "score": [0.5]}).write_parquet(tmp_path / "scores.parquet")
    assert finished_run(tmp_path, "uniform", 1) is None
    (tmp_path / "run.json").write_text(json.dumps({"epochs": 1}), "utf-8")
    assert finished_run(tmp_path, "uniform", 1).facts == {"epochs": 1}


def test_the_key_is_made_of_every_setting():
    assert OTHER.keys() == {field.name for field in fields(SETTINGS)}
    key = SETTINGS.run_key("cohort", "uniform", 1)
    others = [replace(SETTINGS, **{name: value}).run_key("cohort", "uniform", 1) for name, value in OTHER.items()]
    assert len({key, *others}) == 1 + len(OTHER)


def test_the_key_is_made_of_cohort_weighting_and_seed():
    keys = {SETTINGS.run_key(*given) for given in (("a", "u", 1), ("b", "u", 1), ("a", "v", 1), ("a", "u", 2))}
    assert len(keys) == 4
    assert replace(SETTINGS).run_key("a", "u", 1) == SETTINGS.run_key("a", "u", 1)


def test_keys_do_not_change_between_versions():
    """Networks trained long ago are found by these; a change here throws them all away."""
    assert TrainingSettings().run_key("cohort", "uniform", 1) == "uniform-1-485e36840f179128"


@pytest.mark.parametrize(
    "wrong",
    [{"image_size": 31}, {"epochs": 0}, {"batch_size": 1}, {"tune_share": 0.0}, {"averaging": 1.0}, {"dropout": -0.1}],
)
def test_settings_out_of_range_are_one_sentence(wrong):
    with pytest.raises(
        ValueError, match=rf"^{next(iter(wrong))} is {next(iter(wrong.values()))}; allowed is a .*number from .* to "
    ):
        TrainingSettings(**wrong)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("weights_act_by", '"sampling" or "loss"'),
        ("initial_weights", '"imagenet" or "none"'),
        ("network", '"efficientnet_lite0" or "resnet18"'),
    ],
)
def test_words_that_are_not_allowed_are_one_sentence(name, allowed):
    with pytest.raises(ValueError, match=f"^{name} is 'magic'; allowed is {allowed}.$"):
        TrainingSettings(**{name: "magic"})


def test_what_is_stopped_ends_at_once_even_where_it_does_not_listen_and_more_waits():
    """As Lightning does not, in the middle of a training: its process would begin the next network."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(signal.signal, signal.SIGTERM, signal.SIG_IGN).result()
        for _ in range(3):
            pool.submit(time.sleep, 60)
        began = time.monotonic()
        stop(pool)
    assert time.monotonic() - began < 50
