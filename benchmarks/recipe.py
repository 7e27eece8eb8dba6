"""What the defaults of training are worth: the recipe against itself with one thing changed, seed by seed.

python -m benchmarks.recipe --cohort FOLDER --store FOLDER [--seeds 4] [--write]

Networks of 64 px and 8 epochs, as in the published study. They are kept in --store: a killed benchmark resumes, and a
study's own runs (data/NAME/runs) are used where they are there.
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
from scipy.stats import t
from sklearn.metrics import roc_auc_score
from torch.nn.functional import interpolate

from benchmarks import report
from benchmarks.ours import uniform_scores
from lib.cohort import read_cohort
from lib.cores import usable_cores
from lib.training.classifier import Classifier
from lib.training.pool import be_quiet
from lib.training.settings import TrainingSettings

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


def auc(cohort: Path, store: Path, variant: str, seed: int) -> float:
    """AUC on valid of a network trained under the variant, or of the one that is kept."""
    torch.set_num_threads(1)
    be_quiet()
    read = read_cohort(cohort)
    settings, place, by = VARIANTS[variant].settings, VARIANTS[variant].place, VARIANTS[variant].by
    with patch(place, by) if by else nullcontext():
        scores = uniform_scores(read, settings, seed, store, prefix=f"{by.__name__}-" if by else "")
    return float(roc_auc_score(read.frame.filter(split="valid")["label"].to_numpy(), scores))


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
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/training.md")
    given = parser.parse_args()
    found = {}
    with ProcessPoolExecutor(usable_cores(), mp_context=multiprocessing.get_context("spawn")) as pool:
        asked = [(variant, seed) for seed in range(1, given.seeds + 1) for variant in VARIANTS]
        waiting = {pool.submit(auc, given.cohort, given.store, *one): one for one in asked}
        for future in as_completed(waiting):
            found[waiting[future]] = future.result()
            print(f"{len(found)} of {len(asked)}: {waiting[future]} AUC {found[waiting[future]]:.4f}", flush=True)
    text = table({one: found[one] for one in asked})
    print(text)
    if given.write:
        report.keep("recipe", text)


if __name__ == "__main__":
    main()
