"""One run: a network trained under one weighting and seed, its scores kept under the run's key."""

import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.plugins.environments import LightningEnvironment, SLURMEnvironment
from torch.utils.data import DataLoader

from lib.cohort.images import Pixels
from lib.training.batches import Rows, WeightedBatches, in_order
from lib.training.classifier import Classifier
from lib.training.engine import EngineSettings, native_precision
from lib.training.partition import fit_and_tune
from lib.training.ranks import alone_in, gather
from lib.training.settings import TrainingSettings
from lib.training.store import CHECKPOINT, Checkpoints, Run, finished_run, keep_run


def train_run(
    frame: pl.DataFrame,
    pixels: Pixels,
    weights: Callable[[pl.DataFrame], np.ndarray],
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    *,
    weighting: str,
    initial: dict[str, torch.Tensor] | None = None,
    on_images: Callable[[int], None] = lambda n: None,
    engine: EngineSettings = EngineSettings(),  # noqa: B008 (frozen)
) -> Run:
    """Train on the `train` rows of `frame` and score its `valid` rows; a finished run is read, a killed one resumes.

    `weights` maps the rows used for fitting to example weights (mean 1). `on_images` hears how many images were shown,
    and 0 while another process trains this very run: its result is waited for. Raises `TrainingError` for a file in
    `folder` that is not this run's, `StorageError` when nothing can be written there.
    """
    with alone_in(folder, engine.ranks, lambda: on_images(0)):
        if (done := finished_run(folder, weighting, seed)) is not None:
            return done
        return _train(frame, pixels, weights, settings, seed, folder, weighting, initial, on_images, engine)


def _train(
    frame: pl.DataFrame,
    pixels: Pixels,
    weights: Callable[[pl.DataFrame], np.ndarray],
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    weighting: str,
    initial: dict[str, torch.Tensor] | None,
    on_images: Callable[[int], None],
    engine: EngineSettings,
) -> Run:
    progress = _Progress(on_images, settings.batch_size)
    torch.use_deterministic_algorithms(True, warn_only=True)
    lightning.seed_everything(seed, verbose=False)

    split = frame["split"].to_numpy()
    train_rows, valid_rows = np.flatnonzero(split == "train"), np.flatnonzero(split == "valid")
    fit, tune = fit_and_tune(frame[train_rows], settings.tune_share, seed)
    fit, tune = train_rows[fit], train_rows[tune]
    fit_weights = weights(frame[fit])
    by_loss = settings.weights_act_by == "loss"
    per_row = np.ones(frame.height)
    if by_loss:
        per_row[fit] = fit_weights

    best = _Best()
    identity = {"weighting": weighting, "seed": seed, **asdict(settings)}
    with _quiet():
        trainer = _trainer(folder, settings.epochs, [best, progress], Checkpoints(identity), engine)
        share = {"rank": trainer.global_rank, "ranks": trainer.world_size}
        drawn_by = np.ones(len(fit)) if by_loss else fit_weights
        batches = WeightedBatches(fit, drawn_by, settings.batch_size, seed, **share)
        model = Classifier(settings, seed, len(batches), initial, len(tune))
        data = Rows(pixels.values, frame["label"].to_numpy(), per_row)
        data.move_to(trainer.strategy.root_device)
        last = folder / CHECKPOINT
        trainer.fit(
            model,
            DataLoader(data, sampler=batches, batch_size=None),
            in_order(data, tune, 4 * settings.batch_size, **share),
            ckpt_path=last if last.is_file() else None,
            weights_only=True,
        )
        model.network.load_state_dict(best.network)
        logits = gather(
            trainer.predict(model, in_order(data, valid_rows, 4 * settings.batch_size, **share)), len(valid_rows)
        )
    scores = torch.sigmoid(logits.double()).numpy()
    top = max(model.history, key=lambda h: h["tune_auc"])
    facts = {
        "epochs": settings.epochs,
        "best_epoch": top["epoch"],
        "tune_auc": top["tune_auc"],
        "seconds": round(progress.seconds(), 1),
        "precision": str(trainer.precision),
        "device": trainer.strategy.root_device.type,
        "devices": trainer.world_size,
        "history": model.history,
    }
    run = Run(weighting, seed, scores, facts)
    if trainer.is_global_zero:
        keep_run(folder, best.network, frame["image"][valid_rows], run)
    return run


def _trainer(
    folder: Path, epochs: int, callbacks: list[Callback], checkpoints: Checkpoints, engine: EngineSettings
) -> lightning.Trainer:
    """Lightning's trainer on the machine's accelerator, else its processor; a checkpoint is kept after every epoch."""
    together = engine.ranks > 1
    by_slurm = together and engine.engine == "slurm"
    environment = SLURMEnvironment(auto_requeue=False) if by_slurm else LightningEnvironment()
    every_epoch = ModelCheckpoint(folder, Path(CHECKPOINT).stem, enable_version_counter=False)
    return lightning.Trainer(
        max_epochs=epochs,
        precision=native_precision() if engine.precision == "auto" else engine.precision,
        devices=engine.devices,
        num_nodes=engine.nodes,
        strategy="ddp" if together and engine.strategy == "auto" else engine.strategy,
        # a processor has no such layer: there each process keeps the batch statistics of its own share
        sync_batchnorm=together and torch.cuda.is_available(),
        plugins=[checkpoints, environment],
        callbacks=[*callbacks, every_epoch],
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


class _Best(Callback):
    """Keeps the network of the epoch with the highest tune AUC; kept with the checkpoint, so that one file is all."""

    def __init__(self) -> None:
        self.auc, self.network = -1.0, {}

    def on_validation_end(self, trainer: lightning.Trainer, model: Classifier) -> None:
        auc = model.history[-1]["tune_auc"]
        if auc > self.auc:
            self.auc = auc
            self.network = {name: tensor.detach().cpu().clone() for name, tensor in model.network.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        return {"auc": self.auc, "network": self.network}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.auc, self.network = state["auc"], state["network"]


class _Progress(Callback):
    """Tells how many images were shown, and counts the seconds, those before the last checkpoint of a killed run, too."""

    def __init__(self, on_images: Callable[[int], None], batch_size: int):
        self.on_images, self.batch_size = on_images, batch_size
        self.began, self.before = time.monotonic(), 0.0

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    def state_dict(self) -> dict[str, float]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.before = state["seconds"]

    def on_train_epoch_start(self, trainer: lightning.Trainer, model: lightning.LightningModule) -> None:
        trainer.train_dataloader.sampler.set_epoch(trainer.current_epoch)

    def on_train_batch_end(self, *_: object) -> None:
        self.on_images(self.batch_size)


class _quiet(warnings.catch_warnings):
    """Silence Lightning's advice on worker processes: batches come from a memory map, workers would only copy them."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        warnings.filterwarnings("ignore", ".*exists and is not empty.*")
        warnings.filterwarnings("ignore", ".*Checkpoint directory.*")
        warnings.filterwarnings("ignore", ".*`srun` command.*")
