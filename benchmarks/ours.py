"""This project's training and prediction in one process, as `lib/training/pool.py` runs one on each core."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytorch_lightning as lightning
import torch
from lib.training.network import build
from torch.utils.data import DataLoader

from benchmarks.workers import Clock, Measured
from lib.cohort import Cohort, list_images, load_pixels, with_digest
from lib.preprocessing import example_weights
from lib.training.batches import Rows, WeightedBatches
from lib.training.classifier import Classifier
from lib.training.inference import predict_logits
from lib.training.run import native_precision, train_run
from lib.training.settings import TrainingSettings
from lib.training.store import Run


class Ours:
    """Networks on the mapped pixels of one cohort; `cache` holds the maps."""

    def __init__(self, datadir: str, cache: str):
        self.frame, self.cache = with_digest(list_images(datadir)), Path(cache)
        self.labels = self.frame["label"].to_numpy()
        self.parts = {s: np.flatnonzero((self.frame["split"] == s).to_numpy()) for s in ("train", "valid")}

    def pixels(self, size: int) -> np.ndarray:
        return load_pixels(self.frame, size, self.cache).values

    def train(self, batches: int, image_size: int, trained_at: int, batch_size: int) -> Measured:
        """That many batches, after one that is not counted, in Lightning's own loop.

        The map has `image_size`, and the network is shown `trained_at` pixels of it.
        """
        settings = TrainingSettings(image_size=image_size, first_image_size=trained_at, batch_size=batch_size)
        data = Rows(self.pixels(image_size), self.labels, np.ones(len(self.labels)))
        rows = self.parts["train"]
        loader = DataLoader(data, sampler=WeightedBatches(rows, np.ones(len(rows)), batch_size, 1), batch_size=None)
        steps = _Steps()
        # the schedule needs its real length; the epoch is 0, when the network is shown the first size
        model = Classifier(replace(settings, epochs=2), 1, len(loader), None)
        trainer = lightning.Trainer(
            max_epochs=1, limit_train_batches=1 + batches, limit_val_batches=0, callbacks=[steps], devices=1,
            precision=native_precision(), logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(model, loader)
        return steps.clock.read(batches * batch_size, at=steps.last)

    def sgemm(self) -> float:
        """Operations a second of float32 matrix products, 2048 x 2048."""
        a = torch.randn(2048, 2048)
        a @ a
        began = time.perf_counter()
        for _ in range(4):
            a @ a
        return 4 * 2 * 2048**3 / (time.perf_counter() - began)

    def predict(self, images: int, size: int, mirror: bool) -> Measured:
        """Prediction by all cores, as `pred_classifier` does it, the folding included."""
        pixels, rows = self.pixels(size), np.resize(self.parts["valid"], images)
        torch.manual_seed(1)
        network = build(None)
        clock = Clock()
        predict_logits(network, pixels, rows, mirror=mirror)
        return clock.read(images)


def uniform_run(
    cohort: Cohort,
    settings: TrainingSettings,
    seed: int,
    store: Path,
    *,
    initial: dict[str, torch.Tensor] | None = None,
    prefix: str = "",
) -> Run:
    """A whole training with uniform weights, kept in `store` under `prefix` and the run's key."""
    return train_run(
        cohort.frame,
        load_pixels(cohort.frame, settings.image_size, store / "pixels"),
        partial(example_weights, "uniform", seed=seed),
        settings,
        seed,
        store / f"{prefix}{settings.run_key(cohort.key, 'uniform', seed)}",
        weighting="uniform",
        initial=initial,
    )


class _Steps(lightning.Callback):
    """A clock set by the end of the first step, and its reading at the end of the last."""

    clock: Clock | None = None

    def on_train_batch_end(self, *_: object) -> None:
        self.last = Clock()
        self.clock = self.clock or self.last
