"""What a study trains, and what is kept of each run: a checkpoint while it trains, then network, scores and facts."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from lib.files import sweep, write_whole
from lib.messages import UserError
from lib.training.networks import Network, build
from lib.training.settings import ComputeSettings, TrainingSettings

CHECKPOINT, CLOCK, NETWORK, SCORES, DONE = "last.ckpt", "seconds", "network.pt", "scores.parquet", "run.json"
_MARK = "run"
"""Key of a checkpoint under which it says which run it belongs to."""


class TrainingError(UserError):
    """Training stopped; the message is one sentence. Finished runs are kept."""


@dataclass(frozen=True)
class Run:
    """A finished run: `scores` (n_valid,) float in [0, 1] in the order of the valid rows; `facts` of its training."""

    weighting: str
    seed: int
    scores: np.ndarray
    facts: dict


@dataclass(frozen=True)
class Plan:
    """Every (weighting, seed) to train on one cohort. `frame` holds readable images only; `store` keeps the runs.

    `stated` are the settings that `study.toml` names; the others are those of the network's recipe.
    """

    frame: pl.DataFrame
    cohort_key: str
    settings: TrainingSettings
    weightings: tuple[str, ...]
    seeds: tuple[int, ...]
    store: Path
    pixels: Path
    compute: ComputeSettings = ComputeSettings()  # noqa: RUF009 (frozen)
    stated: Mapping[str, Any] | None = None

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(weighting, seed) in the order of training: the first seed of every weighting, then the second, and so on."""
        return [(w, s) for s in self.seeds for w in self.weightings]

    def folder(self, weighting: str, seed: int) -> Path:
        return self.store / self.settings.run_key(self.cohort_key, weighting, seed)

    def missing(self) -> list[tuple[str, int]]:
        """The runs that are not finished."""
        return [(w, s) for w, s in self.runs if finished_run(self.folder(w, s), w, s) is None]

    def trained_as(self, start: str, precision: str) -> "Plan":
        """The same with networks that start from `start`, `imagenet` or `none`, in this precision."""
        other = self.stated is not None and start != self.settings.initial_weights
        settings = TrainingSettings.for_start(self.stated, start) if other else self.settings
        return replace(self, settings=replace(settings, initial_weights=start, precision=precision))

    def complete_seeds(self) -> tuple[int, ...]:
        """The seeds with which every weighting has been trained."""
        missing = {seed for _, seed in self.missing()}
        return tuple(seed for seed in self.seeds if seed not in missing)


def finished_run(folder: Path, weighting: str, seed: int) -> Run | None:
    """The run kept in `folder`, or None when there is none or it was interrupted.

    `run.json` is written last, so a run without it is not finished. Raises `TrainingError` for files that are not a run's.
    """
    if not (folder / DONE).is_file():
        return None
    try:
        facts = json.loads((folder / DONE).read_text("utf-8"))
        scores = pl.read_parquet(folder / SCORES)["score"].cast(pl.Float64).to_numpy()
        if "epochs" not in facts or not ((scores >= 0) & (scores <= 1)).all():
            raise ValueError
    except (pl.exceptions.PolarsError, OSError, ValueError, TypeError):
        raise TrainingError(
            "{path} is not a finished run and is not used: delete it to train this network anew.", folder
        ) from None
    return Run(weighting, seed, scores, facts)


def keep_run(folder: Path, network: dict[str, torch.Tensor], images: pl.Series, run: Run) -> None:
    """Write a finished run, its facts last, and delete what training left."""
    write_whole(folder / NETWORK, partial(torch.save, network))
    write_whole(folder / SCORES, pl.DataFrame({"image": images, "score": run.scores}).write_parquet)
    write_whole(folder / DONE, json.dumps(run.facts))
    for pattern in ("*.ckpt", "*.part", CLOCK):
        sweep(folder, pattern)
    shutil.rmtree(folder / "lightning_logs", ignore_errors=True)


def kept_network(settings: TrainingSettings, folder: Path) -> Network:
    """The network of the finished run in `folder`, which was trained under `settings`."""
    network = build(settings.network, settings.initial_weights, standardize=settings.standardize)
    network.load_state_dict(torch.load(folder / NETWORK, weights_only=True, map_location="cpu"))
    return network


class Checkpoints(TorchCheckpointIO):
    """Lightning's checkpoints, each written whole and marked as `identity`'s; no other is loaded, and no code in it run."""

    def __init__(self, identity: dict[str, Any]):
        super().__init__()
        self.identity = identity

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        write_whole(Path(path), partial(torch.save, {**checkpoint, _MARK: self.identity}))

    def load_checkpoint(self, path: str | Path, map_location: Any = None, weights_only: bool | None = True) -> dict:
        path = Path(path)
        try:
            checkpoint = torch.load(path, map_location=map_location, weights_only=True)
            ours = checkpoint[_MARK] == self.identity
        except Exception:  # whatever a foreign file makes of torch's reader
            ours = False
        if not ours:
            raise TrainingError(
                "{path} is not a checkpoint of this run (or is damaged) and is not used: delete it to train this network "
                "anew.",
                path,
            )
        return checkpoint
