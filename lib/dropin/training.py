"""Train one network as the course's script does: a cohort folder, a CSV, a column of weights; resumes when killed."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from scipy.special import expit
from sklearn.metrics import log_loss
from tqdm import tqdm

from lib.cohort import list_images, readable_images, with_digest
from lib.dropin.checkpoint import initial_tensors, load_checkpoint, save_checkpoint
from lib.dropin.weights import read_table, require_weight_in_both_classes, weights_of, with_patients
from lib.files import require_writable
from lib.messages import UserError, message
from lib.preprocessing import effective_share
from lib.settings import ROOT
from lib.training.batches import fit_and_tune
from lib.training.classifier import fastest_precision, outputs
from lib.training.networks import initial_weights
from lib.training.run import train_run
from lib.training.settings import PRECISIONS, TrainingSettings
from lib.training.store import CHECKPOINT, DONE, NETWORK

PIXELS = ROOT / "data" / ".pixels"
"""Decoded images, shared by every training and prediction."""


class Score(float):
    """Mean cross-entropy of the images set aside (natural logarithm, unweighted): 0 is perfect, a coin's is .693.

    The course's script returns such a loss, too, so whatever sorts scores, or keeps the least, picks the better network
    also here; an AUC would be picked the wrong way round without a word, even where numpy or pandas have made a plain
    number of it. `auc` is of the same images: there higher is better.
    """

    def __new__(cls, loss: float, auc: float) -> "Score":
        score = super().__new__(cls, loss)
        score.auc = float(auc)
        return score

    def __getnewargs__(self) -> tuple[float, float]:
        return float(self), self.auc

    def __repr__(self) -> str:
        return message("loss {loss:.4f} (lower is better; AUC {auc:.4f}, higher is better)", float(self), self.auc)

    __str__ = __repr__


@dataclass(frozen=True)
class Trained:
    """A trained network: its checkpoint's `path`, `score`, the `facts` of its training and `notes` on its data.

    `how` is `trained`, `resumed` (it was killed before) or `reused` (it was finished before); `seconds` among the facts
    are those of the training, whenever it was.
    """

    path: Path
    score: Score
    facts: dict[str, Any]
    how: str
    notes: list[str]


def train(
    logdir: str | Path,
    datadir: str | Path,
    csv: str | Path,
    weights_col: str,
    *,
    epochs: int | None = None,
    seed: int = 1,
    image_size: int | None = None,
    initial: str = "imagenet",
    network: str | None = None,
) -> Trained:
    """Train on `datadir/train`, weighted by `weights_col` of `csv`; the checkpoint is `logdir/<run>.ckpt`.

    A share of the training patients is set aside, unweighted: their AUC (`tune_auc`) shows whether the network learns, and chooses
    its epoch where the recipe says so. The weights act on the others alone, by sampling; `datadir/valid` has no part in training.
    `logdir/<run>` keeps the run: equal images, weights, settings and seed give an equal `<run>`, which is resumed when
    it was killed and read when it is finished. `initial` is `imagenet`, `none` or a file (`initial_tensors`). What is
    None is as the recipe of the network has it (`TrainingSettings.for_start`). Of `csv` only the images' names and the
    weights are needed. Raises `CohortError`, `WeightingError`, `CheckpointError` or ValueError, each with one sentence,
    before anything is trained.
    """
    logdir, csv = Path(logdir), Path(csv)
    if not 0 <= seed < 2**32:
        raise UserError("seed is {seed}; allowed are 0 to {most}.", seed, 2**32 - 1)
    settings, tensors, start = starting_point(network, initial, epochs=epochs, image_size=image_size)
    images = list_images(datadir)
    table = read_table(csv, images["image"].to_list())
    weight_of = weights_of(table, csv, weights_col, images.filter(split="train")["image"].to_list())
    require_writable(logdir)
    images, notes = without_leaking_patients(*with_patients(images, table))
    frame, mapped = readable_images(Path(datadir), with_digest(images), settings.image_size, PIXELS)

    def weigh(rows: pl.DataFrame) -> np.ndarray:
        weights = np.array([weight_of[image] for image in rows["image"]])
        require_weight_in_both_classes(
            weights, rows["label"].to_numpy(), message("{path}, column {column!r}", csv, weights_col)
        )
        return weights / weights.mean()

    train_rows = frame.filter(split="train")
    weights = weigh(train_rows)
    settings, folder = _at(logdir, settings, _key(frame, weights, start), re.sub(r"[^\w-]+", "-", weights_col), seed)
    how = "reused" if (folder / DONE).is_file() else "resumed" if (folder / CHECKPOINT).is_file() else "trained"
    total = round(settings.epochs * train_rows.height * (1 - settings.tune_share))
    with tqdm(total=total, desc=message("Training"), unit=message(" images"), smoothing=0.02) as bar:
        run = train_run(
            frame, mapped, weigh, settings, seed, folder, weighting=weights_col, initial=tensors, on_images=bar.update
        )  # fmt: skip
    facts = {
        "weights_col": weights_col,
        "seed": seed,
        "start": start,
        "effective_share": effective_share(weights),
        **{name: run.facts[name] for name in ("kept_epoch", "tune_auc", "seconds", "device", "precision")},
    }
    path = logdir / f"{folder.name}.ckpt"
    save_checkpoint(path, torch.load(folder / NETWORK, map_location="cpu", weights_only=True), settings, facts)
    rows = np.flatnonzero(frame["split"].to_numpy() == "train")
    tune = rows[fit_and_tune(train_rows, settings.tune_share, seed)[1]]
    logits = outputs(load_checkpoint(path).network, mapped.values, tune)[:, 0]
    loss = log_loss(frame["label"].to_numpy()[tune], expit(logits.astype(float)))
    return Trained(path, Score(float(loss), facts["tune_auc"]), facts, how, notes)


def starting_point(
    network: str | None, initial: str, **stated: int | None
) -> tuple[TrainingSettings, dict[str, torch.Tensor] | None, str]:
    """Settings and tensors that the network starts from, and their name: `imagenet`, `none` or the digest of a file."""
    options = {name: value for name, value in stated.items() if value is not None}
    if initial in ("imagenet", "none"):
        options |= {"network": network} if network else {}
        TrainingSettings.for_start(options, initial)  # a bad setting is refused before weights are fetched
        start, tensors = initial_weights(options.get("network", TrainingSettings.network), initial)
        return TrainingSettings.for_start(options, start), tensors, start
    if network not in (None, "resnet18"):
        raise UserError(
            "A file of weights is for the network resnet18, not {network!r}: leave one of the two out.", network
        )
    settings = TrainingSettings.for_start(options | {"network": "resnet18"}, "imagenet")
    path = Path(initial)
    digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.is_file() else ""
    return replace(settings, initial_weights="none"), initial_tensors(path), f"file {digest}"


def _at(logdir: Path, settings: TrainingSettings, key: str, name: str, seed: int) -> tuple[TrainingSettings, Path]:
    """Settings with a precision, and the run's folder: that of a run begun before, else the one that is faster here."""
    for precision in PRECISIONS:
        begun = replace(settings, precision=precision)
        if (folder := logdir / begun.run_key(key, name, seed)).is_dir():
            return begun, folder
    settings = replace(settings, precision=fastest_precision(settings))
    return settings, logdir / settings.run_key(key, name, seed)


def without_leaking_patients(images: pl.DataFrame, note: str | None) -> tuple[pl.DataFrame, list[str]]:
    """The images without those of training whose patients are in valid, too, and what there is to say of it."""
    in_valid = pl.col("patient").is_in(images.filter(split="valid")["patient"].unique().implode())
    leaking = in_valid & (pl.col("split") == "train")
    notes = [note] if note else []
    if count := images.filter(leaking).height:
        notes.append(
            message("{count:,} training images of patients who are in valid, too, are left out of training.", count)
        )
    return images.filter(~leaking), notes


def _key(frame: pl.DataFrame, weights: np.ndarray, start: str) -> str:
    """Names all that a run depends on besides its settings and seed."""
    rows = frame.select("image", "digest", "split", "label", "patient").write_csv()
    return hashlib.blake2b(json.dumps([rows, weights.tolist(), start]).encode(), digest_size=16).hexdigest()
