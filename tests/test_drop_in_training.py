"""The course's call to train: what it returns and says, when it resumes, and all that is refused before it begins."""

import copy
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from drop_in import SMALL, STEPS, alike, names, rewritten
from sklearn.metrics import log_loss, roc_auc_score
from torchvision.models import resnet18

import train_classifieur as script
from lib.cohort import list_images, load_pixels, with_digest
from lib.dropin import Score, train, training
from lib.dropin.checkpoint import load_checkpoint
from lib.dropin.weights import read_table, with_patients
from lib.preprocessing import WeightingError
from lib.training.batches import fit_and_tune
from lib.training.classifier import outputs
from lib.training.networks import build
from lib.training.settings import TrainingSettings
from lib.training.store import CLOCK

pytest_plugins = ["drop_in_fixtures"]
pytestmark = alike


def test_training_returns_a_checkpoint_in_logdir_and_says_what_it_is(trained):
    logs, path, score = trained
    assert Path(path).parent == logs
    checkpoint = load_checkpoint(Path(path))
    assert checkpoint.image_size == 32
    assert checkpoint.facts["tune_auc"] == score.auc and 0 <= score.auc <= 1
    assert checkpoint.facts["weights_col"] == "OWN" and checkpoint.facts["start"] == "none"


def test_the_score_is_the_loss_and_the_auc_of_the_patients_set_aside(cohort, trained, pixels):
    _, path, score = trained
    images = list_images(cohort)
    images, _ = with_patients(images, read_table(cohort / "metadata.csv", images["image"].to_list()))
    train_images = images.filter(split="train")
    tune = train_images[fit_and_tune(train_images, TrainingSettings().tune_share, 1)[1]]
    mapped = load_pixels(with_digest(tune), 32, pixels)
    logits = outputs(load_checkpoint(Path(path)).network, mapped.values, np.arange(tune.height))[:, 0]
    assert float(score) == pytest.approx(log_loss(tune["label"], 1 / (1 + np.exp(-logits))), abs=0.02)
    assert score.auc == pytest.approx(roc_auc_score(tune["label"], logits), abs=0.02)


def test_a_score_is_lower_when_better_and_says_so_whatever_is_done_to_it():
    good, bad = Score(0.5, 0.8), Score(0.7, 0.6)
    assert good < bad and min(bad, good) is good and good < 0.6932 < bad  # the course's: the least val_loss is best
    assert pd.Series({"good": good, "bad": bad}).astype(float).idxmin() == "good"
    for text in (repr(good), str(good), f"{good}", "%s" % good):  # noqa: UP031
        assert text == "loss 0.5000 (lower is better; AUC 0.8000, higher is better)"
    assert f"{good:.2f}" == "0.50" and json.dumps(good) == "0.5"
    for again in (copy.copy(good), copy.deepcopy(good), pickle.loads(pickle.dumps(good))):
        assert (again, again.auc) == (good, 0.8)


def test_french_names_are_the_same_calls():
    assert script.train_classifieur is script.train_classifier
    assert script.pred_classifieur is script.pred_classifier


def test_neither_the_order_of_rows_nor_the_weights_of_validation_images_change_the_run(cohort, trained, tmp_path):
    logs, path, score = trained
    train_names = names(cohort)

    def change(rows):
        is_train = pl.col("Image Index").is_in(train_names)
        return rows.with_columns(OWN=pl.when(is_train).then("OWN").otherwise(pl.lit("-7"))).sample(
            fraction=1, shuffle=True, seed=1
        )

    csv = rewritten(cohort, tmp_path / "other.csv", change)
    before = {p: p.stat().st_mtime_ns for p in logs.glob("*/*")}
    again = train(logs, cohort, csv, "OWN", **SMALL)
    assert (str(again.path), again.score, again.score.auc, again.how) == (path, score, score.auc, "reused")
    assert {p: p.stat().st_mtime_ns for p in logs.glob("*/*")} == before


def test_neither_attributes_nor_findings_nor_case_nor_an_index_change_the_run(cohort, trained, tmp_path):
    def change(rows):
        upper = pl.col("Image Index").str.to_uppercase()
        return rows.select(upper, "Patient ID", "OWN", pl.lit("0").alias("Patient Gender")).with_row_index("")

    logs, path, _ = trained
    again = train(logs, cohort, rewritten(cohort, tmp_path / "own.csv", change), "OWN", **SMALL)
    assert (str(again.path), again.how) == (path, "reused")


def test_without_patients_those_in_the_names_are_set_aside_together(cohort, trained, tmp_path, capsys):
    csv = rewritten(cohort, tmp_path / "own.csv", lambda rows: rows.select("Image Index", "OWN"))
    logs, path, _ = trained
    again, _ = script.train_classifier(logs, cohort, csv, "OWN", 2, image_size=32, weights="none", network="resnet18")
    assert again == path  # the patients' numbers in this cohort's names are those of its column
    assert capsys.readouterr().out.startswith("The CSV has no column Patient ID: who an image belongs to is read from")


def test_training_images_of_patients_in_valid_are_left_out_and_told(cohort, tmp_path, monkeypatch):
    patient = pl.col("Patient ID")
    leaking = rewritten(
        cohort, tmp_path / "a.csv", lambda rows: rows.with_columns(patient.replace("77700000", "77700040"))
    )
    given = []
    monkeypatch.setattr(training, "train_run", lambda frame, *_, **__: given.append(frame) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(tmp_path, cohort, leaking, "OWN", **SMALL)
    assert (
        "77700000_000.png" not in given[0]["image"] and given[0].filter(split="train").height == len(names(cohort)) - 1
    )
    images, notes = training.without_leaking_patients(given[0].with_columns(patient=pl.lit("one")), None)
    assert set(images["split"]) == {"valid"} and notes[0].endswith("in valid, too, are left out of training.")


def test_other_weights_seeds_sizes_and_networks_are_other_runs(cohort, trained, monkeypatch):
    asked = []
    monkeypatch.setattr(training, "train_run", lambda *given, **_: asked.append((given[3], given[5].name)) or 1 / 0)
    others = {"seed": 2}, {"image_size": 48}, {"network": None}
    for column, more in (("OWN", {}), ("WEIGHTS", {}), *(("OWN", other) for other in others)):
        with pytest.raises(ZeroDivisionError):
            train(trained[0], cohort, cohort / "metadata.csv", column, **SMALL | more)
    assert len({name for _, name in asked}) == 5 and trained[1].endswith(f"{asked[0][1]}.ckpt")
    assert [settings.network for settings, _ in asked] == ["resnet18"] * 4 + [TrainingSettings.network]


def test_a_killed_training_resumes_to_the_same_network_and_says_so(cohort, trained, tmp_path, monkeypatch, capsys):
    class Killed(Exception):
        pass

    class Bar(training.tqdm):
        updates = 0

        def update(self, n=1):
            Bar.updates += 1
            if Bar.updates == STEPS + 1:  # in the second epoch
                raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(training, "tqdm", Bar)
        with pytest.raises(Killed):
            train(tmp_path, cohort, cohort / "metadata.csv", "OWN", **SMALL)
    (last,) = tmp_path.glob("*/last.ckpt")
    assert not list(tmp_path.glob("*.ckpt"))
    last.with_name(CLOCK).write_text("3601")
    options = {"image_size": 32, "weights": "none", "network": "resnet18"}
    for told in (
        r"resumed where it was stopped, trained in 3,6\d\d s in all\.",
        r"reused: trained before, in 3,6\d\d s; delete",
    ):
        path, _ = script.train_classifier(tmp_path, cohort, cohort / "metadata.csv", "OWN", 2, **options)
        assert re.search(told, capsys.readouterr().out)
    resumed = load_checkpoint(Path(path))
    if resumed.facts["device"] == "cpu":  # a GPU adds in no fixed order
        expected = load_checkpoint(Path(trained[1])).network.state_dict()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.network.state_dict().items())


def test_a_run_goes_on_in_the_precision_in_which_it_was_begun(cohort, trained, monkeypatch):
    logs, path, _ = trained
    monkeypatch.setattr(training, "fastest_precision", lambda settings: "bf16-mixed")
    again = train(logs, cohort, cohort / "metadata.csv", "OWN", **SMALL)
    assert (str(again.path), again.how, again.facts["precision"]) == (path, "reused", "32-true")


def test_a_state_dict_of_torchvision_or_of_the_course_is_started_from(tmp_path):
    tensors = resnet18().state_dict()
    for kind, content in {
        "own": tensors,
        "course": {"state_dict": {f"model.{k}": v for k, v in tensors.items()}},
    }.items():
        torch.save(content, tmp_path / f"{kind}.pt")
        settings, given, start = training.starting_point(None, str(tmp_path / f"{kind}.pt"), epochs=3)
        assert start.startswith("file ") and (settings.network, settings.epochs) == ("resnet18", 3)
        network = build("resnet18", settings.initial_weights, given)
        assert torch.equal(network.body.layer1[0].conv1.weight, tensors["layer1.0.conv1.weight"])
    with pytest.raises(ValueError, match="A file of weights is for the network resnet18, not 'efficientnet_lite0'"):
        training.starting_point("efficientnet_lite0", str(tmp_path / "own.pt"))


BAD = {
    "epochs": ({"epochs": 0}, "epochs is 0; allowed is a whole number from 1 to"),
    "image size": ({"image_size": 8}, "image_size is 8; allowed is a whole number from 32 to"),
    "network": ({"network": "vgg"}, 'network is \'vgg\'; allowed is "efficientnet_lite0" or "resnet18".'),
    "seed": ({"seed": -1}, "seed is -1; allowed are 0 to"),
    "weights": ({"initial": "gone.pt", "network": None}, "gone.pt is missing"),
}


@pytest.mark.parametrize("option", BAD)
def test_a_bad_option_is_refused_before_anything_is_read(option, tmp_path):
    more, told = BAD[option]
    with pytest.raises(ValueError, match=told.replace(".", r"\.")):
        train(tmp_path / "logs", tmp_path / "no cohort", tmp_path / "no.csv", "OWN", **SMALL | more)
    assert not (tmp_path / "logs").exists()


def test_weights_and_a_folder_that_cannot_be_are_refused_before_images_are_decoded(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "readable_images", lambda *_: 1 / 0)
    gone = rewritten(cohort, tmp_path / "a.csv", lambda rows: rows[5:])
    with pytest.raises(WeightingError, match="no weight, for"):
        train(tmp_path / "logs", cohort, gone, "OWN", **SMALL)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"Nothing can be written to the folder .*file/logs \(a file is in its way\)"):
        train(tmp_path / "file" / "logs", cohort, cohort / "metadata.csv", "OWN", **SMALL)


def test_a_class_without_weight_is_named(cohort, tmp_path):
    csv = rewritten(cohort, tmp_path / "a.csv", lambda rows: rows.with_columns(OWN=pl.lit("0")))
    with pytest.raises(WeightingError, match=r"'OWN': every training image of malade has weight 0; both classes need"):
        train(tmp_path, cohort, csv, "OWN", **SMALL)
