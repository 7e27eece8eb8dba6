"""Which images a network learns from, and in which batches: index lists into the pixel map, nothing is decoded again."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler

from lib.messages import UserError


class Rows(Dataset):
    """`[rows]` -> images (b, 1, h, w) uint8, labels (b,), findings (b, k), loss weights (b,)."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, findings: np.ndarray, weights: np.ndarray):
        self.pixels, self.findings = pixels, findings.shape[1]
        self.targets = [torch.from_numpy(part.astype(np.float32)) for part in (labels, findings, weights)]

    def __getitem__(self, rows: list[int]) -> tuple[torch.Tensor, ...]:
        if isinstance(self.pixels, torch.Tensor):
            images = self.pixels[torch.as_tensor(rows, device=self.pixels.device)].unsqueeze(1)
        else:
            images = torch.from_numpy(self.pixels[rows]).unsqueeze(1)
        return images, *(part[rows] for part in self.targets)

    def move_to(self, device: torch.device) -> None:
        """Copy all images to an accelerator, once, when they fit in half of its free memory: no batch waits for them."""
        if device.type == "cuda" and self.pixels.nbytes < torch.cuda.mem_get_info(device)[0] / 2:
            self.pixels = torch.from_numpy(np.array(self.pixels)).to(device)


class WeightedBatches(Sampler):
    """Shuffled batches in which each row appears floor(w) or ceil(w) times an epoch (systematic sampling).

    Equal weights visit every row exactly once, so the baseline loses nothing; larger weights are drawn in proportion.
    The order depends on the seed and the epoch alone, so a resumed run sees the same batches.
    """

    def __init__(self, rows: np.ndarray, weights: np.ndarray, batch_size: int, seed: int):
        self.rows, self.weights, self.batch_size, self.seed, self.epoch = rows, weights, batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return max(1, len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng([self.seed, 2, self.epoch])
        order = rng.permutation(len(self.rows))
        share = self.weights[order] * len(order) / self.weights[order].sum()
        ticks = np.floor(np.concatenate([[0], share.cumsum()]) + rng.random()).astype(int)
        drawn = rng.permutation(np.repeat(self.rows[order], np.diff(ticks)))
        for i in range(len(self)):
            yield np.sort(drawn[i * self.batch_size : (i + 1) * self.batch_size]).tolist()


def findings_of(frame: pl.DataFrame) -> np.ndarray:
    """Which findings each row has, (n, k) of 0 and 1: a column for each that some of the sick of `train` have, and no healthy.

    (n, 0) where `frame` has no column `findings`, several of them in a cell parted by `|`.
    """
    if "findings" not in frame.columns:
        return np.zeros((frame.height, 0))
    frame = frame.select("split", "label", pl.col("findings").fill_null("").str.split("|"))
    train = frame.filter(split="train").explode("findings")
    sick, healthy = (train.filter(label=label)["findings"] for label in (1, 0))
    names = sick.filter(~sick.is_in(healthy.implode())).unique().sort()
    has = [frame["findings"].list.contains(name).to_numpy() for name in names if name]
    return np.stack(has, 1) if has else np.zeros((frame.height, 0))


def in_order(data: Rows, rows: np.ndarray, batch_size: int) -> DataLoader:
    """Every row once, in the order given, for prediction."""
    return DataLoader(data, sampler=BatchSampler(rows.tolist(), batch_size, drop_last=False), batch_size=None)


def fit_and_tune(train: pl.DataFrame, tune_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (of `train`) for fitting and for watching the training; no patient is in both.

    A share `tune_share` of the patients, at least ten (of few, a sixth), drawn from `seed`, goes to tune. Raises ValueError when either part would
    lack a class.
    """
    patients = train["patient"].unique().sort()
    rng = np.random.default_rng([seed, 1])
    chosen = rng.permutation(len(patients))[: max(1, round(tune_share * len(patients)), min(10, len(patients) // 6))]
    tune = train["patient"].is_in(patients.gather(chosen).implode()).to_numpy()
    labels = train["label"].to_numpy()
    for part, rows in (("fit", ~tune), ("tune", tune)):
        if len(np.unique(labels[rows])) < 2:
            raise UserError("the {part} part of the training patients lacks a class; more patients are needed.", part)
    return np.flatnonzero(~tune), np.flatnonzero(tune)
