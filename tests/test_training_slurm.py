"""Runs sent to a cluster end like runs trained here; what is lost there is sent again."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import slurm
import torch
from conftest import TINY, rewrite_settings

from lib import results
from lib.cohort import read_cohort
from lib.study.run import run_study
from lib.training import slurm as cluster
from lib.training import workers
from lib.training.settings import ComputeSettings, TrainingSettings
from lib.training.store import Plan, TrainingError, finished_run

SMALL = TrainingSettings.for_start({"network": "resnet18", "image_size": 32, "epochs": 1}, "none")
needs_slurm = pytest.mark.skipif(bool(slurm.why_not()), reason=slurm.why_not())


@pytest.fixture
def plan(tiny_cohort, tmp_path):
    """One run of the tiny cohort, of one epoch."""
    settings = SMALL
    frame = read_cohort(tiny_cohort).frame
    compute = ComputeSettings(engine="slurm", precision="32-true")  # that is not measured
    return Plan(frame, "tiny", settings, ("uniform",), (1,), tmp_path / "tiny" / "runs", tmp_path / "pixels", compute)


@pytest.fixture
def local_cluster(monkeypatch):
    """Submitit's own executor: jobs are processes of this machine."""
    monkeypatch.setattr(cluster, "CLUSTER", "local")
    monkeypatch.setattr(cluster, "POLL", 0.1)


def when_first(monkeypatch, happened, act) -> list:
    """While the study waits: `act()` once, as soon as `happened()`; what it returned is noted."""
    noted, sleep = [], cluster.time.sleep

    def pause(seconds):
        if not noted and happened():
            noted.append(act())
        sleep(seconds)

    monkeypatch.setattr(cluster.time, "sleep", pause)
    return noted


def here(plan, folder) -> list[np.ndarray]:
    """The scores of the same runs, trained in this process on one core."""
    alone, threads = replace(plan, store=folder, compute=ComputeSettings(precision="32-true")), torch.get_num_threads()
    torch.set_num_threads(1)
    for run in alone.runs:
        workers.train_one(alone, None, *run)
    torch.set_num_threads(threads)
    return [run.scores for run in workers.train_all(alone)[0]]


def test_a_killed_job_is_sent_again_and_ends_like_a_run_trained_here(plan, local_cluster, monkeypatch, tmp_path):
    cluster.PROCESSES.clear()
    kills = when_first(
        monkeypatch,
        lambda: list(plan.store.glob("*/last.ckpt")),
        lambda: os.kill(int(cluster.PROCESSES[0].job_id), signal.SIGKILL),
    )
    (run,), _ = workers.train_all(plan)
    assert len(kills) == 1
    assert np.array_equal(run.scores, here(plan, tmp_path / "here")[0])


@pytest.fixture
def in_this_process(monkeypatch):
    """Jobs are carried out where they are sent out, and not heard of again."""

    def carry_out(plan, folder, runs, work):
        for run in runs:
            with contextlib.suppress(ValueError):
                work[run]()
        return dict.fromkeys(runs, "0")

    threads = torch.get_num_threads()
    monkeypatch.setattr(cluster, "submit", carry_out)
    yield
    torch.set_num_threads(threads)


def test_a_jobs_mistake_is_told_in_its_own_sentence(plan, local_cluster, in_this_process):
    one_sex = plan.frame.with_columns(sex=pl.when(pl.col("label") == 1).then(pl.lit("F")).otherwise(pl.col("sex")))
    wrong = replace(plan, frame=one_sex, weightings=("kamiran_calders_sex",))
    with pytest.raises(TrainingError, match="^Weighting kamiran_calders_sex: no training image of the group 'M' is "):
        workers.train_all(wrong)


def test_jobs_that_end_without_result_are_not_sent_for_ever(plan, local_cluster, monkeypatch):
    monkeypatch.setattr(cluster, "submit", lambda plan, folder, runs, work: {run: "0" for run in runs})
    with pytest.raises(TrainingError, match="^uniform, seed 1: 4 jobs ended without result; see "):
        workers.train_all(plan)


def test_a_setting_slurm_does_not_know_is_one_sentence(plan, local_cluster):
    wrong = replace(plan, compute=ComputeSettings(engine="slurm", precision="32-true", slurm={"colour": "blue"}))
    with pytest.raises(TrainingError, match=r"^study.toml, \[compute.slurm\]: .*colour"):
        workers.train_all(wrong)


@pytest.fixture(scope="module")
def one_node(tmp_path_factory):
    """A real SLURM."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    try:
        with slurm.one_node(folder) as environment, pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@needs_slurm
def test_slurm_makes_the_same_bundle_though_a_job_is_cancelled_and_one_preempted(
    one_node, tiny_cohort, tmp_path, monkeypatch
):
    root = rewrite_settings(tmp_path, **TINY | {"engine": '"slurm"'})
    monkeypatch.setattr(cluster, "POLL", 1.0)

    def disturb():
        names = subprocess.run(["squeue", "-r", "-h", "-t", "R", "-o", "%i"], capture_output=True, text=True).stdout
        lost, moved = names.split()[:2]
        subprocess.run(["scancel", lost], check=True)
        subprocess.run(["scontrol", "requeue", moved], check=True)
        return names.split()

    disturbed = when_first(monkeypatch, lambda: list(root.glob("data/tiny/runs/*/last.ckpt")), disturb)
    run_study(tiny_cohort, root=root)
    assert len(disturbed) == 1
    runs = [("uniform", 1), ("uniform", 2), ("kamiran_calders_sex", 1), ("kamiran_calders_sex", 2)]
    assert results.load("tiny", root).runs.select("weighting", "seed").rows() == runs
    settings = SMALL
    cohort = read_cohort(tiny_cohort)
    names, seeds = ("uniform", "kamiran_calders_sex"), (1, 2)
    plan = Plan(cohort.frame, cohort.key, settings, names, seeds, root / "data" / "tiny" / "runs", root / "pixels")
    for run, scores in zip(runs, here(plan, tmp_path / "here"), strict=True):
        assert np.array_equal(finished_run(plan.folder(*run), *run).scores, scores), run


def test_where_a_network_is_trained_is_no_part_of_its_key(plan):
    elsewhere = replace(plan, compute=ComputeSettings())
    assert elsewhere.folder("uniform", 1) == plan.folder("uniform", 1)


@pytest.mark.parametrize(
    ("listed", "found", "gpus"), [("", 0, []), ("", 2, ["0", "1"]), ("3, 5", 2, ["3", "5"]), ("GPU-1a", 1, ["GPU-1a"])]
)
def test_the_gpus_of_this_process_are_called_as_it_was_given_them(monkeypatch, listed, found, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    monkeypatch.setattr("torch.cuda.device_count", lambda: found)
    assert workers.visible_gpus() == gpus


def test_networks_train_side_by_side_one_on_each_gpu(plan, monkeypatch):
    """No GPU is needed: the pool is stopped where its processes would start."""

    class Request(Exception):
        pass

    def ask(count, *, initargs, **_):
        given = initargs[2]
        raise Request(count, [given.get(), given.get()], given.empty())

    monkeypatch.setattr(workers, "visible_gpus", lambda: ["3", "5"])
    monkeypatch.setattr(workers, "ProcessPoolExecutor", ask)
    with pytest.raises(Request) as asked:
        workers.train_all(replace(plan, compute=ComputeSettings(precision="32-true"), seeds=(1, 2, 3)))
    assert asked.value.args == (2, ["3", "5"], True)


def test_a_process_of_the_pool_sees_a_gpu_of_its_own(monkeypatch):
    """The process of the test stands for it, which no parent's end is to end."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    monkeypatch.setattr(workers, "end_with_parent", lambda: None)
    gpus = multiprocessing.get_context("spawn").SimpleQueue()
    for gpu in ("3", "5"):
        gpus.put(gpu)
    workers.prepare_process(None, torch.get_num_threads(), gpus)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3" and gpus.get() == "5"
