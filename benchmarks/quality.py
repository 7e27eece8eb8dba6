"""Time to quality: minutes of the machine until the AUC on valid is .73, the plain script beside ours, from the same start."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score

from benchmarks.reference import Reference
from benchmarks.workers import Worker
from lib.cohort import Cohort, list_images, read_cohort
from lib.cores import usable_cores
from lib.training.settings import TrainingSettings
from lib.training.store import Plan
from lib.training.workers import train_all

WANTED = 0.73


@dataclass(frozen=True)
class Quality:
    """AUC on valid of the plain script after each epoch (so far) and of each of our networks at the end of its training.

    `seconds` are those of one of our networks, of which the machine trains one on each core: wall time of all over their
    number, from the cohort's files to the scores of valid. `train`, `valid`: images of the cohort.
    """

    plain: list[float]
    ours: list[float]
    seconds: float
    train: int
    valid: int
    name: str

    @property
    def plain_epochs(self) -> int:
        """Epochs after which the plain script is good enough; one more than were tried when it is not yet."""
        reached = [epoch for epoch, auc in enumerate(self.plain, 1) if auc >= WANTED]
        return reached[0] if reached else len(self.plain) + 1

    @property
    def plain_reached(self) -> bool:
        return any(auc >= WANTED for auc in self.plain)


def compare(folder: Path, store: Path, seconds: float, plain_epoch_seconds: float) -> Quality:
    """Train ours, then the plain script until it is good enough or its next epoch would end after `seconds` from now.

    `store` keeps the plain script's state after its last epoch: what is there is not trained again.
    """
    began = time.monotonic()
    cohort = read_cohort(folder)
    ours, own_seconds = train_ours(cohort)
    file = store / f"plain-{cohort.key}.pt"
    found = Quality(_kept(file), ours, own_seconds, *images(folder), cohort.name)
    while not found.plain_reached and time.monotonic() - began + plain_epoch_seconds < seconds:
        # each epoch in a process of its own, and so with torch's own threads; the shuffling depends on the epoch alone
        worker = Worker(Reference, str(folder), 1 + len(found.plain))
        worker.ask("epoch", str(file))
        found.plain[:] = worker.answer()
        worker.stop()
    return found


def train_ours(cohort: Cohort, settings: TrainingSettings | None = None) -> tuple[list[float], float]:
    """AUC on valid of the default network with as many seeds as there are cores, and the seconds of one of them."""
    seeds = tuple(range(1, usable_cores() + 1))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        store, pixels = Path(empty) / "runs", Path(empty) / "pixels"
        began = time.monotonic()
        plan = Plan(cohort.frame, cohort.key, settings or TrainingSettings(), ("uniform",), seeds, store, pixels)
        runs, _ = train_all(plan)
        seconds = (time.monotonic() - began) / len(seeds)
    labels = cohort.frame.filter(split="valid")["label"]
    return [float(roc_auc_score(labels, run.scores)) for run in runs], seconds


def images(folder: Path) -> tuple[int, int]:
    """Of train and of valid."""
    files = list_images(folder)
    return files.filter(split="train").height, files.filter(split="valid").height


def _kept(file: Path) -> list[float]:
    return torch.load(file, weights_only=True)["aucs"] if file.is_file() else []
