"""Train one network as the course's script does: a cohort folder, a CSV, a column of weights; resumes when killed."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from tqdm import tqdm

from lib.cohort import Cohort, Pixels, list_images, load_pixels, read_cohort, require_both_classes
from lib.dropin.checkpoint import initial_tensors, save_checkpoint
from lib.dropin.weights import read_weights, require_weight_in_both_classes
from lib.preprocessing import effective_share
from lib.settings import ROOT
from lib.training.classifier import fastest_precision
from lib.training.networks import initial_weights
from lib.training.run import train_run
from lib.training.settings import TrainingSettings

PIXELS = ROOT / "data" / ".pixels"
"""Decoded images, shared by every training and prediction."""


@dataclass(frozen=True)
class Trained:
    """A trained network: its checkpoint's `path`, and the `facts` of its training, `tune_auc` among them."""

    path: Path
    facts: dict


def train(
    logdir: str | Path,
    datadir: str | Path,
    csv: str | Path,
    weights_col: str,
    *,
    epochs: int,
    seed: int,
    image_size: int,
    initial: str,
    pixels: Path | None = None,
) -> Trained:
    """Train on `datadir/train`, weighted by `weights_col` of `csv`; the checkpoint is `logdir/<run>.ckpt`.

    15 % of the training patients are set aside, unweighted, to choose the epoch: that with the highest AUC on them
    (`tune_auc`). The weights act on the others alone, by sampling; `datadir/valid` has no part in training.
    `logdir/<run>` keeps the run: equal images, weights, settings and seed give an equal `<run>`, which is resumed when
    it was killed and read when it is finished. `initial` is `imagenet`, `none` or a file (`initial_tensors`).
    Raises `CohortError`, `WeightingError`, `CheckpointError` or ValueError, each with one sentence.
    """
    logdir, csv = Path(logdir), Path(csv)
    settings = TrainingSettings(image_size=image_size, first_image_size=image_size, epochs=epochs)
    weight_of = read_weights(csv, weights_col, list_images(datadir).filter(split="train")["image"].to_list())
    frame, images = _readable(read_cohort(datadir, csv), image_size, pixels or PIXELS)

    def weigh(rows: pl.DataFrame) -> np.ndarray:
        weights = np.array([weight_of[image] for image in rows["image"]])
        require_weight_in_both_classes(weights, rows["label"].to_numpy(), f"{csv}, column {weights_col!r}")
        return weights / weights.mean()

    train_rows = frame.filter(split="train")
    weights = weigh(train_rows)
    settings, tensors, start = _start(settings, initial)
    folder = logdir / settings.run_key(_key(frame, weights, start), re.sub(r"[^\w-]+", "-", weights_col), seed)
    shown = round(epochs * train_rows.height * (1 - settings.tune_share))
    with tqdm(total=shown, desc="Training", unit=" images", smoothing=0.02) as bar:
        run = train_run(
            frame, images, weigh, settings, seed, folder, weighting=weights_col, initial=tensors, on_images=bar.update
        )  # fmt: skip
    facts = {
        "weights_col": weights_col,
        "seed": seed,
        "start": start,
        "effective_share": effective_share(weights),
        **{name: run.facts[name] for name in ("best_epoch", "tune_auc", "seconds", "device", "precision")},
    }
    path = logdir / f"{folder.name}.ckpt"
    save_checkpoint(path, torch.load(folder / "network.pt", map_location="cpu", weights_only=True), settings, facts)
    return Trained(path, facts)


def _readable(cohort: Cohort, size: int, cache: Path) -> tuple[pl.DataFrame, Pixels]:
    """The cohort's frame without the files that are no readable images, and its pixels."""
    pixels = load_pixels(cohort.frame, size, cache)
    if not pixels.unreadable.any():
        return cohort.frame, pixels
    frame = cohort.frame.filter(~pl.Series(pixels.unreadable))
    require_both_classes(cohort.folder, frame)
    return frame, load_pixels(frame, size, cache)


def _start(settings: TrainingSettings, initial: str) -> tuple[TrainingSettings, dict[str, torch.Tensor] | None, str]:
    """Settings and tensors that the network starts from, and their name: `imagenet`, `none` or the digest of a file."""
    if initial in ("imagenet", "none"):
        start, tensors = initial_weights(settings.network, initial)
        settings = replace(settings, initial_weights=start)
        return replace(settings, precision=fastest_precision(settings)), tensors, start
    path = Path(initial)
    tensors = initial_tensors(path)
    return settings, tensors, f"file {hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()}"


def _key(frame: pl.DataFrame, weights: np.ndarray, start: str) -> str:
    """Names all that a run depends on besides its settings and seed."""
    rows = frame.select("image", "digest", "split", "label", "patient").write_csv()
    return hashlib.blake2b(json.dumps([rows, weights.tolist(), start]).encode(), digest_size=16).hexdigest()
