"""What each default of training is worth: the recipe against itself with one thing changed, on held-out patients of `train`.

python -m benchmarks.recipe --cohort FOLDER --store FOLDER [--pairs 3] [--only NAME ...] [--minutes M] [--write]

Pair k holds out another fourth of the patients of `train` and trains with seed k; `valid` is not read. Networks are
kept in --store: a benchmark that was killed, or that --minutes ended, goes on when it is started again.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
import torch
from joblib import cpu_count
from scipy.stats import t
from sklearn.metrics import roc_auc_score
from torch.nn.functional import interpolate

from benchmarks import report
from lib.cohort import Cohort, load_pixels, read_cohort
from lib.preprocessing import example_weights
from lib.training.networks import initial_weights
from lib.training.run import lightning, train_run
from lib.training.settings import TrainingSettings

RECIPE = "the recipe"
PARTS = 4
"""Of the patients of `train`; each pair holds another one out."""


def as_they_are(x: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """In place of `augment`."""
    return x if x.shape[-1] == size else interpolate(x, size=(size, size), mode="area")


def without_clipping(*, trainer: type[lightning.Trainer] = lightning.Trainer, **settings: Any) -> lightning.Trainer:
    """In place of Lightning's trainer."""
    return trainer(**settings | {"gradient_clip_val": None})


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe: settings, and what takes whose place in the code."""

    settings: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    by: Callable | bool | None = None


def _size(pixels: int) -> Variant:
    return Variant({"image_size": pixels, "first_image_size": pixels})


VARIANTS = {
    RECIPE: Variant(),
    "batch norms not folded": Variant(place="lib.training.networks.efficientnet_lite0.NORMS_ARE_FOLDED", by=False),
    "nothing frozen": Variant({"frozen_blocks": 0}),
    "3 blocks frozen": Variant({"frozen_blocks": 3}),
    "learning rate .0001": Variant({"learning_rate": 1e-4}),
    "learning rate .0003": Variant({"learning_rate": 3e-4}),
    "learning rate .0005": Variant({"learning_rate": 5e-4}),
    "128 px": _size(128),
    "160 px": _size(160),
    "1 epoch": Variant({"epochs": 1}),
    "2 epochs": Variant({"epochs": 2}),
    "6 epochs": Variant({"epochs": 6}),
    "grey levels of all images scaled alike": Variant({"standardize": False}),
    "15 % of the patients choose the epoch": Variant({"tune_share": 0.15, "keep": "best"}),
    "both of these": Variant({"standardize": False, "tune_share": 0.15, "keep": "best"}),
    "batches of 16": Variant({"batch_size": 16}),
    "findings not learned": Variant({"findings_weight": 0.0}),
    "no dropout": Variant({"dropout": 0.0}),
    "no weight decay": Variant({"weight_decay": 0.0}),
    "no average of the weights": Variant({"averaging": 0.0}),
    "gradients not clipped": Variant(place="lib.training.run.lightning.Trainer", by=without_clipping),
    "images always shown as they are": Variant(place="lib.training.classifier.augment", by=as_they_are),
}


def held_out(frame: pl.DataFrame, pair: int) -> pl.DataFrame:
    """The rows of `train` alone, those of the pair's fourth of the patients as the new `valid`."""
    frame = frame.filter(split="train")
    patients = np.random.default_rng(16).permutation(frame["patient"].unique().sort())
    chosen = frame["patient"].is_in(patients[pair % PARTS :: PARTS].tolist())
    return frame.with_columns(split=pl.Series(np.where(chosen, "valid", "train")))


def train(cohort: Cohort, store: Path, name: str, pair: int) -> float:
    """AUC on the patients held out of a network trained under the variant, or of the one that is kept."""
    torch.set_num_threads(1)
    variant, frame = VARIANTS[name], held_out(cohort.frame, pair)
    settings = replace(TrainingSettings(), **variant.settings)
    tensors = initial_weights(settings.network, settings.initial_weights)[1]
    key = settings.run_key(f"{cohort.key} {variant.place}", "uniform", pair)
    with ExitStack() as stack:
        if variant.place:
            stack.enter_context(patch(variant.place, variant.by))
        run = train_run(
            frame, load_pixels(frame, settings.image_size, store / "pixels"),
            partial(example_weights, "uniform", seed=pair), settings, pair, store / key,
            weighting="uniform", initial=tensors,
        )  # fmt: skip
    return float(roc_auc_score(frame.filter(split="valid")["label"], run.scores))


def table(found: dict[tuple[str, int], float]) -> str:
    """AUCs by variant and pair -> Markdown; differences are paired, their interval (95 %) is Student's."""
    lines = ["| | pairs | AUC, mean | difference from the recipe | worse in |", "|---|---|---|---|---|"]
    for variant in VARIANTS:
        pairs = [pair for name, pair in found if name == variant and (RECIPE, pair) in found]
        if not pairs:
            continue
        own = np.array([found[variant, pair] for pair in pairs])
        paired = own - [found[RECIPE, pair] for pair in pairs]
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
    parser.add_argument("--pairs", type=int, default=3, help="networks of each variant (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="beside the recipe")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which no training begins")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/training.md")
    given = parser.parse_args()
    cohort, began = read_cohort(given.cohort), time.monotonic()
    asked = [(name, pair) for pair in range(1, given.pairs + 1) for name in VARIANTS if name in {RECIPE, *given.only}]
    found = {}
    with ProcessPoolExecutor(cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(train, cohort, given.store, *one): one for one in asked}
        for future in as_completed(waiting):
            if not future.cancelled():
                found[waiting[future]] = future.result()
                print(f"{len(found)} of {len(asked)}: {waiting[future]} {future.result()}", flush=True)
            if time.monotonic() - began > 60 * given.minutes:
                pool.shutdown(wait=False, cancel_futures=True)
    text = table({one: found[one] for one in asked if one in found})
    print(text)
    if given.write:
        report.keep("recipe", text)


if __name__ == "__main__":
    main()
