"""What the defaults of training are worth: the recipe against itself with one thing changed, seed by seed.

python -m benchmarks.recipe --cohort FOLDER --store FOLDER [--seeds 4] [--lengths] [--write]

Networks of 64 px and 8 epochs, as in the published study; with --lengths, larger images and more epochs instead. They
are kept in --store: a killed benchmark resumes, and a study's own runs (data/NAME/runs) are used where they are there.
"""

import argparse
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from lib.audit.ranking import auc, resampled_auc
from lib.audit.resampling import patient_counts, percentile_interval
from lib.training.pool import be_quiet
from scipy.stats import t
from torch.nn.functional import interpolate

from benchmarks import report
from benchmarks.ours import uniform_run
from lib.audit import Population
from lib.cohort import Cohort, read_cohort
from lib.cores import usable_cores
from lib.training.classifier import Classifier
from lib.training.settings import TrainingSettings
from lib.training.store import Run

SETTINGS = TrainingSettings(image_size=64, epochs=8)
RECIPE = "the recipe"


def as_they_are(x: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """In place of `augment`."""
    return x if x.shape[-1] == size else interpolate(x, size=(size, size), mode="area")


def constant_rate(self: Classifier) -> torch.optim.Optimizer:
    """In place of `Classifier.configure_optimizers`."""
    return torch.optim.AdamW(self.parameters(), lr=3e-4, weight_decay=self.settings.weight_decay, fused=True)


@dataclass(frozen=True)
class Variant:
    """Settings, and what takes whose place in the code."""

    settings: TrainingSettings = SETTINGS
    place: str = ""
    by: Callable | None = None


VARIANTS = {
    RECIPE: Variant(),
    "images always shown as they are": Variant(place="lib.training.classifier.augment", by=as_they_are),
    "learning rate .0003 throughout": Variant(
        place="lib.training.classifier.Classifier.configure_optimizers", by=constant_rate
    ),
    "highest learning rate .003": Variant(replace(SETTINGS, learning_rate=0.003)),
    "batches of 16": Variant(replace(SETTINGS, batch_size=16)),
}


LENGTHS = {
    "64 px, 8 epochs": Variant(),
    "96 px reached from 64 px, 20 epochs": Variant(TrainingSettings()),
    "96 px reached from 64 px, 40 epochs": Variant(TrainingSettings(epochs=40)),
}


def train(cohort: Cohort, store: Path, variant: Variant, seed: int) -> Run:
    """A network trained under the variant, or the one that is kept."""
    torch.set_num_threads(1)
    be_quiet()
    with patch(variant.place, variant.by) if variant.by else nullcontext():
        prefix = f"{variant.by.__name__}-" if variant.by else ""
        return uniform_run(cohort, variant.settings, seed, store, prefix=prefix)


def lengths_table(people: Population, runs: dict[tuple[str, int], Run]) -> str:
    """Runs by length and seed -> Markdown; intervals (95 %) resample patients, paired, and take the networks as they are."""
    lines = ["| | AUC of each seed | AUC of their mean score | difference from the first |", "|---|---|---|---|"]
    counts, first = patient_counts(people.n_patients, 2000, 1), None
    for length in LENGTHS:
        own = [run for (name, _), run in runs.items() if name == length]
        if not own:
            continue
        scores = np.stack([run.scores for run in own])
        each = " ".join(f"{value:.3f}" for value in auc(people, scores)[:, 0])
        mean = scores.mean(0, keepdims=True)
        found = np.append(resampled_auc(people, mean, counts)[:, 0, 0], auc(people, mean)[0, 0])
        first = found if first is None else first
        difference = "" if first is found else _with_interval(found - first, "+.3f")
        lines.append(f"| {length} | {each} | {_with_interval(found, '.3f')} | {difference} |")
    return "\n".join(lines)


def _with_interval(found: np.ndarray, form: str) -> str:
    """Resampled values and, last, the value itself -> the value (low to high)."""
    low, high = percentile_interval(found[:-1])
    return f"{found[-1]:{form}} ({low:{form}} to {high:{form}})"


def table(found: dict[tuple[str, int], float]) -> str:
    """AUC by variant and seed -> Markdown; differences are paired by seed, their interval (95 %) is Student's."""
    lines = ["| | seeds | AUC, mean | difference from the recipe | worse with |", "|---|---|---|---|---|"]
    for variant in VARIANTS:
        seeds = [s for v, s in found if v == variant and (RECIPE, s) in found]
        if not seeds:
            continue
        own = np.array([found[variant, s] for s in seeds])
        paired = own - [found[RECIPE, s] for s in seeds]
        difference, worse = f"{paired.mean():+.4f}", f"{(paired < 0).sum()} of {len(own)}"
        if len(own) > 1:
            half = t.ppf(0.975, len(own) - 1) * paired.std(ddof=1) / np.sqrt(len(own))
            difference += f" ({paired.mean() - half:+.4f} to {paired.mean() + half:+.4f})"
        if variant == RECIPE:
            difference = worse = ""
        lines.append(f"| {variant} | {len(own)} | {own.mean():.4f} | {difference} | {worse} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, required=True, help="cohort folder of real images")
    parser.add_argument("--store", type=Path, required=True, help="where the networks are kept")
    parser.add_argument("--seeds", type=int, default=4, help="networks of each variant (default: %(default)s)")
    parser.add_argument("--lengths", action="store_true", help="larger images and more epochs, from scratch")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/training.md")
    given = parser.parse_args()
    variants = LENGTHS if given.lengths else VARIANTS
    cohort = read_cohort(given.cohort)
    people = Population.from_frame(cohort.frame.filter(split="valid"), attributes=[])
    asked = [(name, seed) for seed in range(1, given.seeds + 1) for name in variants]
    runs = {}
    with ProcessPoolExecutor(usable_cores(), mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(train, cohort, given.store, variants[one[0]], one[1]): one for one in asked}
        for future in as_completed(waiting):
            runs[waiting[future]] = future.result()
            print(f"{len(runs)} of {len(asked)}: {waiting[future]}", flush=True)
    runs = {one: runs[one] for one in asked}
    if given.lengths:
        text = lengths_table(people, runs)
    else:
        text = table({one: float(auc(people, run.scores[None])[0, 0]) for one, run in runs.items()})
    print(text)
    if given.write:
        report.keep("lengths" if given.lengths else "recipe", text)


if __name__ == "__main__":
    main()
