"""All runs of a study: each trained once, side by side on this machine or sent out to a cluster."""

import gc
import logging
import multiprocessing
import os
import warnings
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing.queues import SimpleQueue

import polars as pl
import torch
from tqdm import tqdm

from lib.cohort import load_pixels
from lib.cores import usable_cores
from lib.preprocessing import example_weights
from lib.training.cluster import send_out
from lib.training.network import imagenet_weights, weights_at_hand
from lib.training.plan import Plan
from lib.training.ranks import end_with_parent, start_ranks
from lib.training.run import train_run
from lib.training.store import Run, TrainingError, finished_run

log = logging.getLogger(__name__)


def train_all(plan: Plan) -> tuple[list[Run], Plan]:
    """Train what is missing and read the rest; returns the runs (weighting by weighting) and the plan as carried out.

    The plan comes back with the initial weights that could really be had. On a processor one single-threaded network
    per core trains faster than one network on all cores; each GPU trains one network at a time.
    """
    if (kept := _all_kept(plan)) is not None:
        return kept
    initial, tensors = imagenet_weights(plan.settings.initial_weights)
    plan = replace(plan, settings=replace(plan.settings, initial_weights=initial))
    if missing := plan.missing():
        _train_missing(plan, tensors, missing)
    return [finished_run(plan.folder(w, s), w, s) for w, s in plan.runs], plan


def _all_kept(plan: Plan) -> tuple[list[Run], Plan] | None:
    """The runs of a plan of which none is missing, without asking anyone for ImageNet weights; else None.

    Networks that had to start from scratch are kept as such, unless ImageNet weights have come to lie on this machine.
    """
    wanted = plan.settings.initial_weights
    for start in (wanted, "none") if wanted == "imagenet" and not weights_at_hand() else (wanted,):
        other = replace(plan, settings=replace(plan.settings, initial_weights=start))
        if not other.missing():
            if start != wanted:
                log.warning(
                    "The networks kept started from scratch, as ImageNet weights could not be had; they are used."
                )
            return [finished_run(other.folder(w, s), w, s) for w, s in other.runs], other
    return None


def _train_missing(plan: Plan, tensors: dict | None, missing: list[tuple[str, int]]) -> None:
    if plan.engine.engine == "slurm":
        return send_out(plan, tensors, missing, partial(_one, plan))
    cores = usable_cores()
    together = plan.engine.ranks > 1  # a run on several devices takes them all
    gpus = [] if together else visible_gpus()
    at_once = 1 if together else min(len(gpus) or cores, len(plan.runs))
    workers = min(at_once, len(missing))
    threads = max(1, cores // at_once)  # of a network: not more when few are missing, as sums depend on it
    context = multiprocessing.get_context("spawn")
    shown, own = context.Value("q", 0), context.SimpleQueue()
    for gpu in gpus:
        own.put(gpu)
    fit_images = plan.frame.filter(pl.col("split") == "train").height * (1 - plan.settings.tune_share)
    total = round(len(missing) * plan.settings.epochs * fit_images)
    bar = tqdm(total=total, desc=f"Training {len(missing)} networks", unit=" images", smoothing=0.02)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(shown, threads, own))
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


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` calls them."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    found = torch.cuda.device_count()
    return named[:found] or [str(gpu) for gpu in range(found)]


_shown = None


def _start(shown: object, threads: int, own: SimpleQueue) -> None:
    """Prepare a process of the pool; of the GPUs in `own`, if any, it sees one alone."""
    global _shown
    _shown = shown
    if not own.empty():
        os.environ["CUDA_VISIBLE_DEVICES"] = own.get()  # before anything asked for a GPU in this process
    torch.set_num_threads(threads)
    end_with_parent()
    be_quiet()


def be_quiet() -> None:
    for name in ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")


def _count(images: int) -> None:
    if _shown is not None:
        with _shown.get_lock():
            _shown.value += images


def _one(plan: Plan, tensors: dict | None, weighting: str, seed: int) -> None:
    """Train one run, on as many devices as the plan says: by processes started here, or those that SLURM started."""
    if plan.engine.ranks > 1 and plan.engine.engine == "local":
        start_ranks(plan.engine.ranks, _train, plan, tensors, weighting, seed)
    else:
        _train(plan, tensors, weighting, seed)


def _train(plan: Plan, tensors: dict | None, weighting: str, seed: int) -> None:
    be_quiet()
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
        engine=plan.engine,
    )
