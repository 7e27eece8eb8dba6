"""This project's training and prediction in one process, as `lib/training/workers.py` runs one on each core."""

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import torch

from benchmarks.limit import seconds_of_convolutions
from benchmarks.workers import Clock, Measured
from lib.cohort import load_pixels, read_cohort
from lib.training.classifier import outputs
from lib.training.networks import Network, build, initial_weights
from lib.training.run import train_run
from lib.training.settings import TrainingSettings


class _EnoughSteps(Exception):
    pass


class Ours:
    """Networks on the mapped pixels of one cohort; `cache` holds the maps."""

    def __init__(self, datadir: str, cache: str):
        self.frame, self.cache = read_cohort(datadir).frame, Path(cache)
        self.valid = self.frame.filter(split="valid")

    def train(self, batches: int, settings: TrainingSettings) -> Measured:
        """That many batches of a run, after one that is not counted."""
        counted: list[Clock] = []

        def on_images(_: int) -> None:
            counted.append(Clock())
            if len(counted) > batches:
                raise _EnoughSteps

        pixels = load_pixels(self.frame, settings.image_size, self.cache)
        tensors = initial_weights(settings.network, settings.initial_weights)[1]
        with tempfile.TemporaryDirectory() as folder, suppress(_EnoughSteps):
            train_run(
                self.frame, pixels, _equal_weights, settings, 1, Path(folder) / "run",
                weighting="uniform", initial=tensors, on_images=on_images,
            )  # fmt: skip
        return counted[0].read((len(counted) - 1) * settings.batch_size, at=counted[-1])

    def predict(self, images: int, size: int, mirror: bool, precision: str, decode: bool = False) -> Measured:
        """Prediction by all cores, as `train_classifieur.py` predicts; with `decode`, every image of valid for the first time."""
        network = build("efficientnet_lite0", "imagenet")
        pixels = load_pixels(self.valid, size, self.cache).values
        half = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed")
        with tempfile.TemporaryDirectory() as empty, patch.object(Network, "forward", half(Network.forward)):
            clock = Clock()
            if decode:
                images, pixels = self.valid.height, np.array(load_pixels(self.valid, size, Path(empty)).values)
            outputs(network, pixels, np.resize(np.arange(self.valid.height), images), mirror=mirror)
            return clock.read(images)

    def convolutions(self, settings: TrainingSettings) -> float:
        """Images a second, were a training step its convolutions alone."""
        return settings.batch_size / seconds_of_convolutions(settings)

    def products(self, precision: str) -> float:
        """Operations a second of matrix products, 2048 x 2048."""
        a = torch.randn(2048, 2048, dtype=torch.bfloat16 if precision == "bf16-mixed" else torch.float32)
        a @ a
        began = time.perf_counter()
        for _ in range(4):
            a @ a
        return 4 * 2 * 2048**3 / (time.perf_counter() - began)


def _equal_weights(rows: pl.DataFrame) -> np.ndarray:
    return np.ones(rows.height)
