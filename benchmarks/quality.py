"""Is the speed paid for in quality? The plain script at 224 px against the default setting, on the same patients."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from lib.audit.rates import resampled_rates
from lib.audit.resampling import patient_counts, percentile_interval
from lib.training.network import imagenet_weights
from lib.training.partition import fit_and_tune
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet18
from tqdm import tqdm

from benchmarks.ours import uniform_run
from benchmarks.reference import BATCH, TRANSFORM
from lib.audit import Population
from lib.cohort import Cohort, read_cohort
from lib.training.settings import TrainingSettings
from lib.training.store import save_array


@dataclass(frozen=True)
class Compared:
    """Balanced accuracy and AUC on valid of `reference` and `ours`, and the paired interval of ours - reference."""

    reference: tuple[float, float]
    ours: tuple[float, float]
    difference: float
    low: float
    high: float
    epochs: int
    seed: int
    start: str
    images: int
    patients: int


class _Files(Dataset):
    def __init__(self, frame: pl.DataFrame):
        self.paths, self.labels = frame["path"].to_list(), frame["label"].to_list()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[row]) as image:
            return TRANSFORM(image.convert("RGB")), self.labels[row]


def compare(folder: Path, epochs: int, store: Path, seed: int = 1, replicates: int = 2000) -> Compared:
    """Train both for `epochs`, from the same start, on the same patients, the epoch chosen by the same others' AUC.

    Both decide at .5. The interval (95 %) resamples the patients of valid and takes each network as it is: it tells
    whether these two networks differ, not how far a training with another seed would fall. What is in `store` is used:
    the plain script's scores once they are all there, our network from its last epoch on.
    """
    cohort = read_cohort(folder)
    start, tensors = imagenet_weights("imagenet")
    settings = TrainingSettings(epochs=epochs, initial_weights=start)
    valid = cohort.frame.filter(split="valid")
    kept = store / f"plain-{cohort.key}-{start}-{epochs}-{seed}.npy"
    if kept.is_file():
        theirs = np.load(kept)
    else:
        theirs = _reference_scores(cohort, epochs, settings.tune_share, seed, tensors)
        save_array(kept, theirs)
    own = uniform_run(cohort, settings, seed, store, initial=tensors).scores
    people = Population.from_frame(valid, attributes=[])
    decisions = np.stack([theirs >= 0.5, own >= 0.5]).astype(float)
    resampled = resampled_rates(people, decisions, patient_counts(people.n_patients, replicates, seed))[:, :, 0, 0]
    low, high = percentile_interval(resampled[:, 1] - resampled[:, 0])
    labels = valid["label"].to_numpy()
    figures = [(balanced_accuracy_score(labels, s >= 0.5), roc_auc_score(labels, s)) for s in (theirs, own)]
    difference = figures[1][0] - figures[0][0]
    return Compared(*figures, difference, float(low), float(high), epochs, seed, start, valid.height, people.n_patients)


def _reference_scores(cohort: Cohort, epochs: int, tune_share: float, seed: int, tensors: dict | None) -> np.ndarray:
    """Scores of valid by the plain script's network of its best epoch."""
    torch.manual_seed(seed)
    train = cohort.frame.filter(split="train")
    fit, tune = fit_and_tune(train, tune_share, seed)
    network = resnet18()
    if tensors:
        network.load_state_dict(tensors)
    network.fc = nn.Linear(512, 2)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    best, scores = -1.0, np.empty(0)
    bar = tqdm(total=epochs * len(fit), desc="Plain script", unit=" images")
    with bar:
        for _ in range(epochs):
            network.train()
            for images, labels in DataLoader(_Files(train[fit]), BATCH, shuffle=True, drop_last=True):
                loss = nn.functional.cross_entropy(network(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                bar.update(len(images))
            auc = roc_auc_score(train[tune]["label"].to_numpy(), _scores(network, train[tune]))
            if auc > best:
                best, scores = auc, _scores(network, cohort.frame.filter(split="valid"))
    return scores


@torch.no_grad()
def _scores(network: nn.Module, frame: pl.DataFrame) -> np.ndarray:
    network.eval()
    parts = [network(images).double().softmax(1)[:, 1] for images, _ in DataLoader(_Files(frame), BATCH)]
    return torch.cat(parts).numpy()


def row(c: Compared, name: str) -> str:
    """A line of the table of comparisons."""
    words = {"imagenet": "ImageNet weights", "none": "scratch"}[c.start]
    return (
        f"| {name} ({c.images:,} images of {c.patients:,} patients in valid) | {c.epochs} | {words} | {c.seed} "
        f"| {c.reference[0]:.3f} ({c.reference[1]:.3f}) | {c.ours[0]:.3f} ({c.ours[1]:.3f}) "
        f"| {c.difference:+.3f} ({c.low:+.3f} to {c.high:+.3f}) |"
    )
