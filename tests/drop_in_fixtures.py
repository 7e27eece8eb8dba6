"""A small cohort, a training of it, and networks without training: a plugin of pytest, so that one serves all tests."""

import polars as pl
import pytest
import torch
from cohorts import draw_cohort
from drop_in import randomised
from torchvision.models import resnet18

import train_classifieur as script
from lib.dropin import training
from lib.dropin.checkpoint import save_checkpoint
from lib.training.networks import build
from lib.training.settings import TrainingSettings


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
