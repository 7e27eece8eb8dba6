"""All runs of a study: each trained once, side by side on this machine or sent out to a cluster."""

import gc
import logging
import multiprocessing
import os
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing.queues import SimpleQueue

import polars as pl
import torch
from joblib import cpu_count
from tqdm import tqdm

from lib.cohort import load_pixels
from lib.messages import message
from lib.preprocessing import example_weights
from lib.training.classifier import fastest_precision
from lib.training.networks import NETWORKS, initial_weights
from lib.training.run import train_run
from lib.training.slurm import send_out
from lib.training.store import Plan, Run, TrainingError, finished_run

log = logging.getLogger(__name__)


def train_all(plan: Plan, deadline: float | None = None) -> tuple[list[Run], Plan]:
    """Train what is missing and read the rest; returns the runs and the plan as it was carried out.

    The plan comes back with the initial weights that could really be had, the precision and the seeds: those with which
    every weighting has been trained, so that the runs are balanced. After `deadline` (of `time.monotonic`) no training
    goes on, but the first seed of every weighting is always trained. On a processor one single-threaded network per
    core trains faster than one network on all cores; each GPU trains one network at a time.
    """
    plan, tensors = _carried_out(plan)
    if plan.compute.engine == "slurm":
        if missing := plan.missing():
            send_out(plan, tensors, missing, partial(train_one, plan))
    else:
        first = plan if deadline is None else replace(plan, seeds=plan.seeds[:1])
        if missing := first.missing():
            train_here(plan, tensors, missing)
        if (missing := plan.missing()) and deadline is not None and deadline > time.monotonic():
            train_here(plan, tensors, missing, deadline)
    plan = replace(plan, seeds=plan.complete_seeds())
    return [finished_run(plan.folder(w, s), w, s) for w in plan.weightings for s in plan.seeds], plan


def _carried_out(plan: Plan) -> tuple[Plan, dict | None]:
    """The plan with what networks really start from and in which precision, and the tensors they start from.

    Nobody is asked for weights and nothing is timed when no run is missing. Networks that had to start from scratch are
    kept as such, unless ImageNet weights have come to lie on this machine. A study that has begun goes on in its precision.
    """
    wanted, network, measured = plan.settings.initial_weights, plan.settings.network, plan.compute.precision == "auto"
    precisions = ("32-true", "bf16-mixed") if measured else (plan.compute.precision,)
    starts = (wanted, "none") if wanted == "imagenet" and not NETWORKS[network].weights_at_hand() else (wanted,)
    for start in starts:
        for kept in (plan.trained_as(start, precision) for precision in precisions):
            if not kept.missing():
                if start != wanted:
                    log.warning(message("The networks kept started from scratch, as their weights could not be had."))
                return kept, None
    start, tensors = initial_weights(network, wanted)
    begun = min((plan.trained_as(start, precision) for precision in precisions), key=lambda own: len(own.missing()))
    if measured and len(begun.missing()) == len(begun.runs):
        begun = begun.trained_as(start, fastest_precision(begun.settings))
    return begun, tensors


def train_here(
    plan: Plan, tensors: dict | None, missing: list[tuple[str, int]], deadline: float = float("inf")
) -> None:
    """Train the missing runs in processes of this machine; those that `deadline` interrupts keep their checkpoints."""
    cores, gpus = cpu_count(), visible_gpus()
    at_once = min(len(gpus) or cores, len(plan.runs))
    workers = min(at_once, len(missing))
    threads = max(1, cores // at_once)  # of a network: not more when few are missing, as sums depend on it
    context = multiprocessing.get_context("spawn")
    shown, queue = context.Value("q", 0), context.SimpleQueue()
    for gpu in gpus:
        queue.put(gpu)
    fit_images = plan.frame.filter(pl.col("split") == "train").height * (1 - plan.settings.tune_share)
    total = round(len(missing) * plan.settings.epochs * fit_images)
    bar = tqdm(
        total=total, desc=message("Training {count} networks", len(missing)), unit=message(" images"), smoothing=0.02
    )
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=prepare_process, initargs=(shown, threads, queue)
    )
    with bar, pool:
        pending = {pool.submit(train_one, plan, tensors, weighting, seed) for weighting, seed in missing}
        try:
            while pending:
                done, pending = wait(pending, timeout=1, return_when=FIRST_COMPLETED)
                bar.update(min(shown.value, total) - bar.n)
                for future in done:
                    future.result()
                if time.monotonic() > deadline:
                    return stop(pool)
        except BrokenProcessPool:
            raise TrainingError(
                "A training process was stopped (memory?); start again to resume where it was."
            ) from None
        except BaseException:
            stop(pool)
            raise


def train_one(plan: Plan, tensors: dict | None, weighting: str, seed: int) -> None:
    """Train one run of the plan, from `tensors`, in this process."""
    gc.collect()  # trainer and model of the run before hold each other, and would stay
    train_run(
        plan.frame,
        load_pixels(plan.frame, plan.settings.image_size, plan.pixels),
        partial(example_weights, weighting, seed=seed),
        plan.settings,
        seed,
        plan.folder(weighting, seed),
        weighting=weighting,
        initial=tensors,
        on_images=_count,
    )


def stop(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool at once: Lightning takes gentler signals for itself, and the next network is begun."""
    processes = list(pool._processes.values())  # shutdown forgets them
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` calls them."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    count = torch.cuda.device_count()
    return named[:count] or [str(gpu) for gpu in range(count)]


_shown = None


def prepare_process(shown: object, threads: int, gpus: SimpleQueue) -> None:
    """Prepare a process of the pool; of the `gpus`, if any, it sees one alone."""
    global _shown
    _shown = shown
    if not gpus.empty():
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus.get()  # before anything asked for a GPU in this process
    torch.set_num_threads(threads)
    end_with_parent()


def end_with_parent() -> None:
    """From now on, this process ends as soon as the one that started it has ended, however that was."""

    def follow() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _count(images: int) -> None:
    if _shown is not None:
        with _shown.get_lock():
            _shown.value += images
