"""What else notebooks import from the course's script exists, and does with its checkpoints and ours what it did there."""

import importlib
import shutil

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from drop_in import ADDED, alike, names, rewritten
from PIL import Image
from pytorch_lightning import Trainer
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import ImageFolder

import train_classifieur as script
from lib.dropin import course, predict
from lib.preprocessing import WeightingError

pytest_plugins = ["drop_in_fixtures"]
pytestmark = alike


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    """Networks of the course's class start from scratch: their tensors are replaced, and nothing is fetched."""
    monkeypatch.setattr(course, "imagenet_tensors", lambda: None)


def test_every_name_is_there_one_by_one_and_by_a_star():
    for name in script.__all__:
        assert getattr(script, name) is not None
    notebook = {}
    exec("from train_classifieur import *", notebook)
    assert {"train_classifier", "ChestXRayClassifier", "preds_todf", "transforms_valid", "pd", "DataLoader"} <= set(
        notebook
    )
    assert notebook["pd"] is pd and notebook["DataLoader"] is DataLoader


def test_an_unknown_name_is_told_with_those_that_are_there():
    with pytest.raises(AttributeError, match="train_classifieur has no resume; it has train_classifier, .* preds_todf"):
        _ = script.resume
    with pytest.raises(ImportError, match="resume"):
        exec("from train_classifieur import resume", {})
    assert not hasattr(importlib.import_module("train_classifieur"), "__path__")


def test_pictures_become_what_the_course_shows_its_network():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)).convert("RGB")
    x = script.transforms_valid(picture)
    assert x.shape == (3, 224, 224) and x.dtype == torch.float32
    expected = (np.asarray(picture)[16:240, 16:240] / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    assert x.numpy() == pytest.approx(np.moveaxis(expected, 2, 0), abs=1e-5)
    assert script.transforms_train(picture).shape == (3, 224, 224)


def loaded(path):
    """As notebooks load a checkpoint."""
    model = script.ChestXRayClassifier(adamax=True, cosine=True, nb_classes=2)
    model.load_state_dict(torch.load(path, map_location="cpu")["state_dict"])
    return model.eval()


@pytest.fixture
def of_course(course_model, tmp_path):
    path = tmp_path / "best-val-loss.ckpt"
    torch.save({"state_dict": {f"model.{k}": v for k, v in course_model.state_dict().items()}}, path)
    return path


def by_notebook(cohort, path, csv):
    """(table, logits by hand): a notebook's own prediction of valid, by `preds_todf` and batch by batch."""
    dataset = ImageFolder(cohort / "valid", transform=script.transforms_valid)
    df = pd.read_csv(csv)
    df["preds"] = None
    decoder = {v: k for k, v in dataset.class_to_idx.items()}
    model = loaded(path)
    df = script.preds_todf(df, dataset, decoder, model, "preds")
    with torch.no_grad():
        by_hand = torch.cat([model.cpu()(images) for images, _ in DataLoader(dataset, 8)])
    return df, pd.DataFrame(by_hand.numpy(), [path.rsplit("/", 1)[1] for path, _ in dataset.imgs])


@pytest.fixture(scope="module")
def full_size(cohort, tmp_path_factory):
    """The cohort in images of 256 x 256, as the course hands them out: nobody has to resize them, in one way or another."""
    folder = shutil.copytree(cohort, tmp_path_factory.mktemp("full_size") / cohort.name)
    for path in folder.rglob("*.png"):
        Image.open(path).resize((256, 256)).save(path)
    return folder


@pytest.mark.parametrize("whose", ["of_course", "untrained"])
def test_a_notebook_that_predicts_by_itself_gets_what_the_call_gives(full_size, tmp_path, request, whose):
    path, cohort = request.getfixturevalue(whose), full_size
    few = pl.col("Image Index").is_in(names(cohort, "valid")) | (pl.int_range(pl.len()) < 3)
    csv = rewritten(cohort, tmp_path / "in.csv", lambda rows: rows.filter(few))
    df, by_hand = by_notebook(cohort, path, csv)
    predict(cohort, path, csv, tmp_path / "out.csv")
    expected = pd.read_csv(tmp_path / "out.csv")
    inside = expected["Image Index"].isin(names(cohort, "valid"))
    assert list(df.columns) == list(expected.columns)
    assert (df.loc[inside, ADDED[:2]] == expected.loc[inside, ADDED[:2]]).all(axis=None)
    given, wanted = (table.loc[inside, ADDED[2:]].to_numpy(float) for table in (df, expected))
    assert given == pytest.approx(wanted, rel=1e-3, abs=0.05 if torch.cuda.is_available() else 1e-3)
    assert df.loc[~inside, ADDED].isna().all(axis=None)
    if whose == "of_course":  # ours sees the whole image in both calls, and its centre alone by hand
        assert by_hand.loc[expected.loc[inside, "Image Index"]].to_numpy() == pytest.approx(wanted, rel=1e-2, abs=0.05)
    assert by_hand.shape == (inside.sum(), 2)


@pytest.mark.parametrize("whose", ["of_course", "untrained"])
def test_a_checkpoint_is_loaded_by_lightnings_call_too(request, whose):
    path = request.getfixturevalue(whose)
    again = script.ChestXRayClassifier.load_from_checkpoint(path, adamax=True, nb_classes=2, map_location="cpu")
    x = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(again(x), loaded(path)(x))


def test_a_state_that_is_loaded_is_saved_again_as_it_was(untrained):
    state = torch.load(untrained, weights_only=True)["state_dict"]
    again = loaded(untrained).state_dict()
    assert again.keys() == state.keys() and all(torch.equal(again[name], state[name]) for name in state)


@pytest.mark.parametrize(("adamax", "cosine"), [(True, True), (False, False)])
def test_the_class_still_trains_under_lightning(adamax, cosine):
    class Weighted(script.ChestXRayClassifier):
        steps = 0

        def training_step(self, batch, batch_idx):
            self.steps += 1
            return 2 * super().training_step(batch, batch_idx)

    torch.manual_seed(0)
    model = Weighted(adamax=adamax, cosine=cosine, nb_classes=2)
    before = model.model.fc.weight.detach().clone()
    data = DataLoader(TensorDataset(torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 0, 1])), 4)
    options = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = Trainer(max_epochs=1, accelerator="cpu", **options)
    trainer.fit(model, data, data)
    assert model.steps == 1 and not torch.equal(before, model.model.fc.weight)
    assert {"train_loss", "train_acc", "val_loss", "val_acc"} <= set(trainer.callback_metrics)


IMAGES = [("train/malade/b.png", 0), ("train/sain/a.png", 1), ("train/sain/c.png", 1)]


def test_weights_find_their_image_by_name_and_none_moves_up():
    table = pd.DataFrame(
        {"Image Index": ["A.PNG", "x.png", "c.png", "b.png"], "W": [1.0, 9.0, 3.0, 2.0]}, index=[7, 3, 5, 1]
    )
    given = script.get_weights(IMAGES, table["Image Index"], table["W"])
    assert given.dtype == torch.float64 and given.tolist() == [2, 1, 3]
    assert script.get_weights(IMAGES, None, None, weight=[0.5, 0.25]).tolist() == [0.5, 0.25, 0.25]
    assert script.get_class_weights(IMAGES).tolist() == [1, 0.5]
    with pytest.raises(WeightingError, match="1 of 3 images have no row, such as b.png; each needs one"):
        script.get_weights(IMAGES, table["Image Index"][:3], table["W"][:3])
    with pytest.raises(WeightingError, match="3 of 3 images have no row, such as a.png; each needs one"):
        script.get_weights(IMAGES, pd.Series(["A.PNG", "a.PNG"]), pd.Series([1, 1]))


def test_accuracy_is_balanced():
    outputs = torch.tensor([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0], [2.0, 1.0]])
    assert script.accuracy(outputs, torch.tensor([0, 0, 1, 1])) == 0.75
