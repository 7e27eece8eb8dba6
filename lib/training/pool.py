"""All runs of a study: each trained once, side by side on the processor's cores, with one progress bar."""

import logging
import multiprocessing
import os
import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl
import torch
from tqdm import tqdm

from lib.cohort import load_pixels
from lib.preprocessing import example_weights
from lib.training.network import imagenet_weights
from lib.training.run import Run, finished_run, train_run
from lib.training.settings import TrainingSettings


class TrainingError(RuntimeError):
    """Training stopped; the message is one sentence. Finished runs are kept."""


@dataclass(frozen=True)
class Plan:
    """Every (weighting, seed) to train on one cohort. `frame` holds readable images only; `store` keeps the runs."""

    frame: pl.DataFrame
    cohort_key: str
    settings: TrainingSettings
    weightings: tuple[str, ...]
    seeds: tuple[int, ...]
    store: Path
    pixels: Path

    def folder(self, weighting: str, seed: int) -> Path:
        return self.store / self.settings.run_key(self.cohort_key, weighting, seed)


def train_all(plan: Plan) -> tuple[list[Run], Plan]:
    """Train what is missing and read the rest; returns the runs (weighting by weighting) and the plan as carried out.

    The plan comes back with the initial weights that could really be had. On a processor one single-threaded network
    per core trains faster than one network on all cores; on a GPU runs follow each other.
    """
    initial, tensors = imagenet_weights(plan.settings.initial_weights)
    plan = replace(plan, settings=replace(plan.settings, initial_weights=initial))
    todo = [(w, s) for w in plan.weightings for s in plan.seeds]
    missing = [(w, s) for w, s in todo if finished_run(plan.folder(w, s), w, s) is None]
    if missing:
        _train_missing(plan, tensors, missing)
    return [finished_run(plan.folder(w, s), w, s) for w, s in todo], plan


def _train_missing(plan: Plan, tensors: dict | None, missing: list[tuple[str, int]]) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = 1 if torch.cuda.is_available() else min(cores, len(missing))
    context = multiprocessing.get_context("spawn")
    shown = context.Value("q", 0)
    fit_images = plan.frame.filter(pl.col("split") == "train").height * (1 - plan.settings.tune_share)
    total = round(len(missing) * plan.settings.epochs * fit_images)
    bar = tqdm(total=total, desc=f"Training {len(missing)} networks", unit=" images", smoothing=0.02)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start, initargs=(shown, max(1, cores // workers), os.getpid())
    )
    with bar, pool:
        pending = {pool.submit(_one, plan, tensors, weighting, seed) for weighting, seed in missing}
        try:
            while pending:
                done, pending = wait(pending, timeout=1, return_when=FIRST_COMPLETED)
                bar.update(min(shown.value, total) - bar.n)
                for future in done:
                    future.result()
        except BrokenProcessPool:
            raise TrainingError(
                "A training process was stopped (memory?); start again to resume where it was."
            ) from None
        except BaseException:
            processes = list(pool._processes.values())  # shutdown forgets them
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            raise


_shown = None
_parent = 0


def _start(shown: object, threads: int, parent: int) -> None:
    global _shown, _parent
    _shown, _parent = shown, parent
    torch.set_num_threads(threads)
    for name in ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")


def _count(images: int) -> None:
    if os.getppid() != _parent:  # the study was killed: its networks stop too, and resume with it
        os._exit(1)
    with _shown.get_lock():
        _shown.value += images


def _one(plan: Plan, tensors: dict | None, weighting: str, seed: int) -> None:
    weights: Callable = partial(example_weights, weighting, seed=seed)
    train_run(
        plan.frame,
        load_pixels(plan.frame, plan.settings.image_size, plan.pixels),
        weights,
        plan.settings,
        seed,
        plan.folder(weighting, seed),
        weighting=weighting,
        initial=tensors,
        on_images=_count,
    )
