"""What the tests of the course's script share; their fixtures are those of `drop_in_fixtures`."""

from pathlib import Path

import polars as pl
import pytest
import torch

SMALL = {"epochs": 2, "seed": 1, "image_size": 32, "initial": "none", "network": "resnet18"}
FLAGS = ["--max_epochs", "2", "--image-size", "32", "--weights", "none", "--network", "resnet18"]
STEPS = 2
"""Batches an epoch: about 72 images to fit, 32 at a time."""
ADDED = ["preds", "labels", "preds_logit0", "preds_logit1"]
alike = [pytest.mark.usefixtures("pixels"), pytest.mark.filterwarnings("ignore:.*LeafSpec", "ignore:.*srun")]


def randomised(network: torch.nn.Module) -> torch.nn.Module:
    """The network with a last layer that tells images apart, in evaluation mode."""
    for layer in (m for m in network.modules() if isinstance(m, torch.nn.Linear)):
        torch.nn.init.normal_(layer.weight, std=0.1)
    return network.eval()


def rewritten(cohort: Path, path: Path, change) -> Path:
    """The cohort's CSV with `change` made to its rows, written to `path`."""
    change(pl.read_csv(cohort / "metadata.csv", infer_schema=False)).write_csv(path)
    return path


def names(cohort: Path, split: str = "train") -> list[str]:
    return sorted(p.name for p in (cohort / split).glob("*/*"))
