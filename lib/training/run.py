"""One run: a network trained under one weighting and seed, its scores kept under the run's key."""

import json
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from lib.cohort.images import Pixels
from lib.training.batches import Rows, WeightedBatches, in_order
from lib.training.classifier import Classifier
from lib.training.partition import fit_and_tune
from lib.training.settings import TrainingSettings

DONE = "run.json"


@dataclass(frozen=True)
class Run:
    """A finished run: `scores` (n_valid,) float in [0, 1] in the order of the valid rows; `facts` of its training."""

    weighting: str
    seed: int
    scores: np.ndarray
    facts: dict


def native_precision() -> str:
    """Lightning's precision for this machine: bfloat16 where the processor computes in it, else float32."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    # without such instructions bfloat16 is emulated, five times slower than float32
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if native else "32-true"


def finished_run(folder: Path, weighting: str, seed: int) -> Run | None:
    """The run kept in `folder`, or None when there is none or it was interrupted."""
    if not (folder / DONE).is_file():
        return None
    facts = json.loads((folder / DONE).read_text("utf-8"))
    return Run(weighting, seed, pl.read_parquet(folder / "scores.parquet")["score"].to_numpy(), facts)


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
) -> Run:
    """Train on the `train` rows of `frame` and score its `valid` rows; a finished run is read, a killed one resumes.

    `weights` maps the rows used for fitting to example weights (mean 1). `on_images` hears how many images were shown.
    """
    if (done := finished_run(folder, weighting, seed)) is not None:
        return done
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
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

    data = Rows(pixels.values, frame["label"].to_numpy(), per_row)
    batches = WeightedBatches(fit, np.ones(len(fit)) if by_loss else fit_weights, settings.batch_size, seed)
    model = Classifier(settings, seed, len(batches), initial)
    last, best = folder / "last.ckpt", ModelCheckpoint(folder, "best", monitor="tune_auc", mode="max", save_last=True)
    best.CHECKPOINT_EQUALS_CHAR = "-"
    trainer = _trainer(folder, settings.epochs, [best, _Progress(on_images, settings.batch_size)])
    with _quiet():
        trainer.fit(
            model,
            DataLoader(data, sampler=batches, batch_size=None),
            in_order(data, tune, 4 * settings.batch_size),
            ckpt_path=last if last.is_file() else None,
            weights_only=False if last.is_file() else None,
        )
        kept = torch.load(best.best_model_path, weights_only=True)
        model.load_state_dict(kept["state_dict"])
        logits = torch.cat(trainer.predict(model, in_order(data, valid_rows, 4 * settings.batch_size)))
    scores = torch.sigmoid(logits.double()).numpy()
    top = max(model.history, key=lambda h: h["tune_auc"])
    facts = {
        "epochs": settings.epochs,
        "best_epoch": top["epoch"],
        "tune_auc": top["tune_auc"],
        "seconds": round(time.monotonic() - began, 1),
        "precision": str(trainer.precision),
        "device": trainer.strategy.root_device.type,
        "history": model.history,
    }
    torch.save(model.network.state_dict(), folder / "network.pt")
    pl.DataFrame({"image": frame["image"][valid_rows], "score": scores}).write_parquet(folder / "scores.parquet")
    (folder / f"{DONE}.part").write_text(json.dumps(facts), "utf-8")
    (folder / f"{DONE}.part").replace(folder / DONE)
    for leftover in (*folder.glob("*.ckpt"), folder / "lightning_logs"):
        shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
    return Run(weighting, seed, scores, facts)


def _trainer(folder: Path, epochs: int, callbacks: list[Callback]) -> lightning.Trainer:
    return lightning.Trainer(
        max_epochs=epochs,
        precision=native_precision(),
        devices=1,
        callbacks=callbacks,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


class _Progress(Callback):
    def __init__(self, on_images: Callable[[int], None], batch_size: int):
        self.on_images, self.batch_size = on_images, batch_size

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
