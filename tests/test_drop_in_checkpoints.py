"""Checkpoints: ours, those of the course's script, and files that are none, named for what they are."""

import argparse
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from drop_in import SMALL, alike, rewritten
from PIL import Image
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import densenet121, resnet18, resnet50

from lib.dropin import CheckpointError, predict, train
from lib.dropin.checkpoint import load_checkpoint
from lib.training.networks import build

pytest_plugins = ["drop_in_fixtures"]
pytestmark = alike


class Plain(LightningModule):
    """As small as a training can be whose checkpoints look like the course's: `model` is the network."""

    def __init__(self, model, **parameters):
        super().__init__()
        self.save_hyperparameters(ignore=["model"])
        self.model = model

    def training_step(self, batch, _):
        return self.validation_step(batch, _)

    def validation_step(self, batch, _):
        loss = torch.nn.functional.cross_entropy(self.model(batch[0]), batch[1])
        self.log("val_loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.Adamax(self.parameters(), lr=1e-4)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1, 1e-7)]


@pytest.fixture(scope="module")
def of_lightning(course_model, tmp_path_factory):
    """A checkpoint that Lightning wrote after a step of training, and the network as it was then."""
    folder = tmp_path_factory.mktemp("lightning")
    best = ModelCheckpoint(folder, monitor="val_loss", filename="best-val-loss", save_top_k=1)
    trainer = Trainer(
        callbacks=[best, EarlyStopping("val_loss", patience=3)],
        max_epochs=1,
        logger=False,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    data = DataLoader(TensorDataset(torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 0, 1])), 4)
    model = Plain(course_model, options=argparse.Namespace(lr=1e-4), data=Path("data"), best=np.float64(0.5))
    trainer.fit(model, data, data)
    return Path(best.best_model_path), model.model.eval()


def as_the_course_shows(path: Path) -> torch.Tensor:
    """(1, 3, 224, 224): 256 x 256, the centre of it, ImageNet's mean and spread; written out."""
    grey = np.asarray(Image.open(path).convert("L").resize((256, 256), Image.Resampling.LANCZOS)) / 255
    rgb = np.stack(
        [(grey[16:240, 16:240] - m) / s for m, s in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)]
    )
    return torch.from_numpy(rgb).float().unsqueeze(0)


def test_a_checkpoint_of_the_course_is_predicted_with(cohort, of_lightning, tmp_path):
    path, network = of_lightning
    some = rewritten(cohort, tmp_path / "in.csv", lambda rows: rows[::16])
    done = predict(cohort, path, some, tmp_path / "out.csv")
    row = done.table.row(3, named=True)
    (image,) = cohort.glob(f"*/*/{row['Image Index']}")
    with torch.no_grad():
        expected = network(as_the_course_shows(image))[0].tolist()
    assert [row["preds_logit0"], row["preds_logit1"]] == pytest.approx(
        expected, abs=0.05 if torch.cuda.is_available() else 1e-3
    )
    assert row["preds"] == ("malade" if expected[0] >= expected[1] else "sain")
    assert done.table["preds_logit0"].n_unique() > 1


FORMS = {
    "the state alone": lambda state: {f"model.{k}": v for k, v in state.items()},
    "no prefix": lambda state: state,
    "another prefix": lambda state: {"model_state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3},
    "beside other tensors": lambda state: {
        "state_dict": {f"model.{k}": v for k, v in state.items()} | {"loss.weight": torch.ones(2)}
    },
    "without counts": lambda state: {k: v for k, v in state.items() if "num_batches" not in k},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_tensors_are_found_in_every_form(course_model, tmp_path, form):
    torch.save(FORMS[form](course_model.state_dict()), tmp_path / "a.pth")
    network = load_checkpoint(tmp_path / "a.pth").network.model
    assert torch.equal(network.layer4[1].conv2.weight, course_model.layer4[1].conv2.weight)
    assert torch.equal(network.fc.bias, course_model.fc.bias) and not network.training


def test_hyper_parameters_say_the_size(course_model, tmp_path):
    for size, resized in ((224, 256), (128, 128), (None, 256)):
        parameters = {} if size is None else {"hyper_parameters": {"image_size": size, "lr": 1e-3}}
        torch.save({"state_dict": course_model.state_dict(), **parameters}, tmp_path / "a.ckpt")
        checkpoint = load_checkpoint(tmp_path / "a.ckpt")
        assert checkpoint.image_size == resized
        images = torch.zeros(1, 1, resized, resized, dtype=torch.uint8)
        assert checkpoint.network.to_input(images).shape == (1, 3, size or 224, size or 224)
    torch.save(
        {"state_dict": course_model.state_dict(), "hyper_parameters": {"image_size": (9, 9)}}, tmp_path / "a.ckpt"
    )
    with pytest.raises(CheckpointError, match=r"was trained at a size of \(9, 9\); one number of 32 to 1024"):
        load_checkpoint(tmp_path / "a.ckpt")


def test_ours_hold_a_state_dict_with_the_same_prefix(trained):
    content = torch.load(trained[1], weights_only=True)
    assert all(name.startswith("model.") for name in content["state_dict"])
    network = build("resnet18", "none")
    missing, more = network.load_state_dict({k[6:]: v for k, v in content["state_dict"].items()}, strict=False)
    assert (missing, more) == ([], ["image_size", "standardized"]) and content["state_dict"]["model.image_size"] == 32


class Harm:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def zipped(path, name):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "content")


def cut(path):
    torch.save(torch.zeros(9999), path)
    path.write_bytes(path.read_bytes()[:9000])


STATE = {"a": torch.zeros(2)}
FOREIGN = {
    "absent": (lambda path: None, "is missing"),
    "folder": (lambda path: path.mkdir(), "is a folder: name the file"),
    "empty": (lambda path: path.touch(), "is empty"),
    "pointer": (
        lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 44730000\n"),
        "is a git-lfs pointer, not the file that it stands for",
    ),
    "page": (lambda path: path.write_text("\n<!DOCTYPE html><html><body>Sign in"), "is a text file that begins with '<!DOCTYPE html>"),
    "text": (lambda path: path.write_text("not a checkpoint\nat all\n"), "is a text file that begins with 'not a check"),
    "zip": (lambda path: zipped(path, "best-val-loss.ckpt"), "is a zip archive that torch.save did not write"),
    "cut": (cut, "or that is not whole"),
    "script": (lambda path: torch.jit.script(torch.nn.Linear(1, 1)).save(str(path)), "(TorchScript?"),
    "picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)), "is a PNG image"),
    "keras": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99)), "is an HDF5 file"),
    "pickle": (lambda path: path.write_bytes(pickle.dumps(Harm(path.parent / "harmed"))), "is a Python pickle, which could run code"),
    "code": (lambda path: torch.save({"state_dict": Harm(path.parent / "harmed")}, path), "holds Python objects ("),
    "module": (lambda path: torch.save(torch.nn.Linear(1, 1), path), "(torch.nn.modules.linear.Linear), which could run"),
    "noise": (lambda path: path.write_bytes(bytes(range(255, 0, -1)) * 9), "is no file of torch.save, or damaged"),
    "numbers": (lambda path: torch.save({"epoch": 3, "loss": 0.5}, path), "has no state_dict among what it holds (epoch, loss)"),
    "tensor": (lambda path: torch.save(torch.zeros(2), path), "holds a Tensor and no state_dict"),
    "tensors": (lambda path: torch.save({"state_dict": STATE}, path), "a, bn1.bias, bn1.running_mean and"),
    "ResNet-50": (lambda path: torch.save(resnet50(num_classes=2).state_dict(), path), "fc.weight, layer1.0.bn3.bias"),
    "DenseNet": (lambda path: torch.save(densenet121().state_dict(), path), "bn1.bias, bn1.running_mean"),
    "older": (lambda path: torch.save({"format": "train_classifieur 1", "network": STATE}, path), "by another version of"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_no_network_can_be_read_from_is_named_for_what_it_is(tmp_path, kind):
    path = tmp_path / "a.ckpt"
    write, told = FOREIGN[kind]
    write(path)
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path)
    message = str(error.value)
    assert message.startswith(f"{path} ") and told in message and "\n" not in message and message.endswith(".")
    assert not (tmp_path / "harmed").exists()


def test_another_number_of_outputs_is_told(tmp_path):
    torch.save(resnet18(num_classes=40).state_dict(), tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="has 40 outputs; two, malade and sain, can be predicted with"):
        load_checkpoint(tmp_path / "a.ckpt")


def test_a_name_of_the_course_that_is_not_there_tells_what_is(trained):
    with pytest.raises(CheckpointError, match=r"best-val-loss\.ckpt is missing; its folder holds OWN-1-\w+\.ckpt\.$"):
        load_checkpoint(trained[0] / "best-val-loss.ckpt")


@pytest.mark.parametrize("kind", ["absent", "page", "code", "tensors"])
def test_such_a_file_is_refused_by_both_calls_before_anything_long_begins(cohort, tmp_path, kind, monkeypatch):
    path = tmp_path / "a.ckpt"
    FOREIGN[kind][0](path)
    monkeypatch.setattr("lib.cohort.images.read_grey", lambda *_: 1 / 0)
    for use in (
        lambda: predict(cohort, path, cohort / "metadata.csv", tmp_path / "out.csv"),
        lambda: train(tmp_path / "logs", cohort, cohort / "metadata.csv", "OWN", **SMALL | {"initial": str(path)}),
    ):
        with pytest.raises(CheckpointError) as error:
            use()
        assert str(error.value).startswith(str(path))
    assert not (tmp_path / "out.csv").exists()
