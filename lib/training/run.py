"""One run: a network trained under one weighting and seed, its scores kept under the run's key."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import numpy as np
import polars as pl
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint, WeightAveraging
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from lib.cohort.images import Pixels
from lib.files import alone_with, write_whole
from lib.training.batches import Rows, WeightedBatches, findings_of, fit_and_tune, in_order
from lib.training.classifier import Classifier
from lib.training.settings import TrainingSettings
from lib.training.store import CHECKPOINT, CLOCK, Checkpoints, Run, finished_run, keep_run

for library in ("pytorch_lightning", "lightning_fabric"):
    logging.getLogger(library).setLevel(logging.ERROR)  # their advice is on other ways of training than this one

Weigh = Callable[[pl.DataFrame], np.ndarray]
"""Rows of a frame -> their example weights, of mean 1."""


def train_run(
    frame: pl.DataFrame,
    pixels: Pixels,
    weights: Weigh,
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    *,
    weighting: str,
    initial: dict[str, torch.Tensor] | None = None,
    on_images: Callable[[int], None] = lambda n: None,
) -> Run:
    """Train on the `train` rows of `frame` and score its `valid` rows; a finished run is read, a killed one resumes.

    `weights` maps the rows used for fitting to example weights (mean 1). `on_images` hears how many images were shown,
    and 0 while another process trains this very run: its result is waited for. Raises `TrainingError` for a file in
    `folder` that is not this run's, `StorageError` when nothing can be written there.
    """
    with alone_with(folder, lambda: on_images(0)):
        if (done := finished_run(folder, weighting, seed)) is not None:
            return done
        torch.use_deterministic_algorithms(True, warn_only=True)
        lightning.seed_everything(seed, verbose=False)
        data, batches, tune, valid = _data(frame, pixels, weights, settings, seed)
        model = Classifier(settings, seed, len(batches), initial, findings=data.findings)
        size, last = 4 * settings.batch_size, folder / CHECKPOINT
        kept, progress = _Kept(settings.keep), _Progress(on_images, settings.batch_size, folder / CLOCK)
        identity = {"weighting": weighting, "seed": seed, **asdict(settings)}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
            trainer = _trainer(folder, settings, [kept, progress], Checkpoints(identity))
            data.move_to(trainer.strategy.root_device)
            trainer.fit(
                model,
                DataLoader(data, sampler=batches, batch_size=None),
                in_order(data, tune, size),
                ckpt_path=last if last.is_file() else None,
                weights_only=True,
            )
            model.network.load_state_dict(kept.network)
            logits = torch.cat(trainer.predict(model, in_order(data, valid, size)))
        scores = torch.sigmoid(logits.double()).numpy()
        run = Run(weighting, seed, scores, _facts(model, trainer, kept.epoch, progress.seconds()))
        keep_run(folder, kept.network, frame["image"][valid], run)
        return run


def _data(
    frame: pl.DataFrame, pixels: Pixels, weights: Weigh, settings: TrainingSettings, seed: int
) -> tuple[Rows, WeightedBatches, np.ndarray, np.ndarray]:
    """Every row of the frame; batches of those that the network learns from; the numbers of those for tuning and of `valid`."""
    split = frame["split"].to_numpy()
    train, valid = np.flatnonzero(split == "train"), np.flatnonzero(split == "valid")
    fit, tune = (train[part] for part in fit_and_tune(frame[train], settings.tune_share, seed))
    example_weights, loss_weights = weights(frame[fit]), np.ones(frame.height)
    if settings.weights_act_by == "loss":
        loss_weights[fit], example_weights = example_weights, np.ones(len(fit))
    findings = findings_of(frame) if settings.findings_weight else np.zeros((frame.height, 0))
    data = Rows(pixels.values, frame["label"].to_numpy(), findings, loss_weights)
    return data, WeightedBatches(fit, example_weights, settings.batch_size, seed), tune, valid


def _facts(model: Classifier, trainer: lightning.Trainer, kept: int, seconds: float) -> dict[str, Any]:
    return {
        "epochs": model.settings.epochs,
        "kept_epoch": kept,
        "tune_auc": model.history[kept - 1]["tune_auc"],
        "seconds": round(seconds, 1),
        "precision": str(trainer.precision),
        "device": trainer.strategy.root_device.type,
        "history": model.history,
    }


def _trainer(
    folder: Path, settings: TrainingSettings, callbacks: list[Callback], checkpoints: Checkpoints
) -> lightning.Trainer:
    """Lightning's trainer on the machine's accelerator, else its processor; a checkpoint is kept after every epoch."""
    if settings.averaging:
        callbacks = [*callbacks, WeightAveraging(avg_fn=partial(_average, settings.averaging))]
    every_epoch = ModelCheckpoint(folder, Path(CHECKPOINT).stem, enable_version_counter=False)
    return lightning.Trainer(
        max_epochs=settings.epochs,
        precision=settings.precision,
        devices=1,
        plugins=[checkpoints, LightningEnvironment()],
        callbacks=[*callbacks, every_epoch],
        gradient_clip_val=1.0,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _average(share: float, average: torch.Tensor, current: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """The moving average of the weights after a step: `share` of the old one, less in the first steps, which are forgotten."""
    kept = min(share, (1 + float(steps)) / (10 + float(steps)))
    return kept * average + (1 - kept) * current


class _Kept(Callback):
    """Keeps the network of the last epoch, or of the best by tune AUC; kept with the checkpoint, so that one file is all.

    It stands before the callback that averages weights: at the end of a validation that one takes the average out again.
    """

    def __init__(self, which: Literal["last", "best"]) -> None:
        self.which = which
        self.epoch, self.auc, self.network, self.latest = 0, -1.0, {}, {}

    def on_validation_epoch_end(self, trainer: lightning.Trainer, model: Classifier) -> None:
        tensors = model.network.state_dict().items()
        self.latest = {name: tensor.detach().cpu().clone() for name, tensor in tensors}

    def on_validation_end(self, trainer: lightning.Trainer, model: Classifier) -> None:
        auc = model.history[-1]["tune_auc"]
        if self.which == "last" or auc > self.auc:
            self.epoch, self.auc, self.network = model.history[-1]["epoch"], auc, self.latest

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "auc": self.auc, "network": self.network}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch, self.auc, self.network = state["epoch"], state["auc"], state["network"]


class _Progress(Callback):
    """Tells how many images were shown, and counts the seconds that the run has taken, in however many lives.

    They are written to `clock` every `EVERY` seconds, so that a killed life counts up to then.
    """

    EVERY = 5.0

    def __init__(self, on_images: Callable[[int], None], batch_size: int, clock: Path):
        self.on_images, self.batch_size, self.clock = on_images, batch_size, clock
        self.began = self.told = monotonic()
        self.before = float(clock.read_text("utf-8")) if clock.is_file() else 0.0

    def seconds(self) -> float:
        return self.before + monotonic() - self.began

    def on_train_epoch_start(self, trainer: lightning.Trainer, model: lightning.LightningModule) -> None:
        trainer.train_dataloader.sampler.set_epoch(trainer.current_epoch)

    def on_train_batch_end(self, *_: object) -> None:
        if monotonic() - self.told >= self.EVERY:
            self.told = monotonic()
            write_whole(self.clock, str(self.seconds()))
        self.on_images(self.batch_size)
