"""Time to quality: minutes of the machine until the AUC on valid is .73, the plain script beside ours, from the same start."""

import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from joblib import cpu_count
from sklearn.metrics import roc_auc_score

from benchmarks.reference import Reference
from benchmarks.workers import Worker
from lib.cohort import Cohort, list_images, read_cohort
from lib.settings import read_settings
from lib.training.settings import TrainingSettings
from lib.training.store import Plan
from lib.training.workers import train_all

WANTED = 0.73


@dataclass(frozen=True)
class Ours:
    """AUC on valid of each of our networks at the end of its training, and the seconds of one.

    The machine trains one on each core: wall time of all over their number, from the cohort's files to the scores of valid.
    """

    aucs: list[float]
    seconds: float


@dataclass(frozen=True)
class Quality:
    """AUC on valid of the plain script after each epoch (so far), and ours by setting. `train`, `valid`: images of the cohort."""

    plain: list[float]
    ours: dict[str, Ours]
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
    ours = {name: train_ours(cohort, settings) for name, settings in own_settings().items()}
    file = store / f"plain-{cohort.key}.pt"
    found = Quality(_kept(file), ours, *images(folder), cohort.name)
    while not found.plain_reached and time.monotonic() - began + plain_epoch_seconds < seconds:
        # each epoch in a process of its own, and so with torch's own threads; the shuffling depends on the epoch alone
        worker = Worker(Reference, str(folder), 1 + len(found.plain))
        worker.ask("epoch", str(file))
        found.plain[:] = worker.answer()
        worker.stop()
    return found


def own_settings() -> dict[str, TrainingSettings]:
    """The recipe, and what `study.toml` makes of it."""
    names = {field.name for field in fields(TrainingSettings)}
    stated = {name: value for name, value in read_settings()["training"].items() if name in names}
    recipe, study = TrainingSettings(), TrainingSettings.for_start(stated, stated.get("initial_weights", "imagenet"))
    settings = {"the recipe": recipe} | ({} if study == recipe else {"`study.toml`": study})
    return {f"{name}: {s.image_size} px, epochs: {s.epochs}": s for name, s in settings.items()}


def train_ours(cohort: Cohort, settings: TrainingSettings) -> Ours:
    """As many networks as there are cores, each with a seed of its own, from images that were never decoded."""
    seeds = tuple(range(1, cpu_count() + 1))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        store, pixels = Path(empty) / "runs", Path(empty) / "pixels"
        began = time.monotonic()
        runs, _ = train_all(Plan(cohort.frame, cohort.key, settings, ("uniform",), seeds, store, pixels))
        seconds = (time.monotonic() - began) / len(seeds)
    labels = cohort.frame.filter(split="valid")["label"]
    return Ours([float(roc_auc_score(labels, run.scores)) for run in runs], seconds)


def images(folder: Path) -> tuple[int, int]:
    """Of train and of valid."""
    files = list_images(folder)
    return files.filter(split="train").height, files.filter(split="valid").height


def _kept(file: Path) -> list[float]:
    return torch.load(file, weights_only=True)["aucs"] if file.is_file() else []
