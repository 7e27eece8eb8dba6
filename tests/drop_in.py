"""What the tests of the course's script share: a small cohort, a training of it, and networks without training.

A plugin of pytest (`pytest_plugins`), so that one training serves them all.
"""

from pathlib import Path

import polars as pl
import pytest
import torch
from cohorts import draw_cohort
from torchvision.models import resnet18

import train_classifieur as script
from lib.dropin import training
from lib.dropin.checkpoint import save_checkpoint
from lib.training.networks import build
from lib.training.settings import TrainingSettings

SMALL = {"epochs": 2, "seed": 1, "image_size": 32, "initial": "none", "network": "resnet18"}
FLAGS = ["--max_epochs", "2", "--image-size", "32", "--weights", "none", "--network", "resnet18"]
STEPS = 2
"""Batches an epoch: about 72 images to fit, 32 at a time."""
ADDED = ["preds", "labels", "preds_logit0", "preds_logit1"]
alike = [pytest.mark.usefixtures("pixels"), pytest.mark.filterwarnings("ignore:.*LeafSpec", "ignore:.*srun")]


@pytest.fixture(scope="session")
def pixels(tmp_path_factory):
    """Decoded images go to a folder of the tests; sums are in one order and in one precision."""
    before, threads = (training.PIXELS, training.fastest_precision), torch.get_num_threads()
    training.PIXELS, training.fastest_precision = tmp_path_factory.mktemp("pixels"), lambda settings: "32-true"
    torch.set_num_threads(1)
    yield training.PIXELS
    training.PIXELS, training.fastest_precision = before
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """A small cohort whose CSV has a column of unequal weights, too."""
    folder = draw_cohort(tmp_path_factory.mktemp("drop_in") / "NOM_PRENOM", train=40, valid=12)
    rows = pl.read_csv(folder / "metadata.csv", infer_schema=False)
    rows.with_columns(OWN=(pl.int_range(pl.len()) % 3 + 1).cast(pl.String)).write_csv(folder / "metadata.csv")
    return folder


@pytest.fixture(scope="session")
def trained(cohort, pixels, tmp_path_factory):
    """(folder of logs, checkpoint, score) of a training that nothing interrupted."""
    logs = tmp_path_factory.mktemp("logs")
    options = {"seed": 1, "image_size": 32, "weights": "none", "network": "resnet18"}
    return logs, *script.train_classifier(logs, cohort, cohort / "metadata.csv", "OWN", 2, **options)


def randomised(network: torch.nn.Module) -> torch.nn.Module:
    """The network with a last layer that tells images apart, in evaluation mode."""
    for layer in (m for m in network.modules() if isinstance(m, torch.nn.Linear)):
        torch.nn.init.normal_(layer.weight, std=0.1)
    return network.eval()


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    """A checkpoint of ours that took no training."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("untrained") / "network.ckpt"
    settings = TrainingSettings.for_start({"image_size": 32, "network": "resnet18"}, "none")
    save_checkpoint(path, randomised(build("resnet18", "none")).state_dict(), settings, {})
    return path


@pytest.fixture(scope="session")
def course_model():
    """The course's network, untrained: torchvision's ResNet-18 with two outputs."""
    torch.manual_seed(0)
    return randomised(resnet18(num_classes=2))


def rewritten(cohort: Path, path: Path, change) -> Path:
    """The cohort's CSV with `change` made to its rows, written to `path`."""
    change(pl.read_csv(cohort / "metadata.csv", infer_schema=False)).write_csv(path)
    return path


def names(cohort: Path, split: str = "train") -> list[str]:
    return sorted(p.name for p in (cohort / split).glob("*/*"))
