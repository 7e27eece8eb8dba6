"""Runs sent to a cluster, or shared by several devices, end like runs trained here; what is lost there is sent again."""

import multiprocessing
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
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
from lib.study import run_study
from lib.training import cluster, pool
from lib.training.batches import Rows, WeightedBatches, in_order
from lib.training.engine import EngineSettings
from lib.training.plan import Plan
from lib.training.settings import TrainingSettings
from lib.training.store import TrainingError, finished_run

needs_slurm = pytest.mark.skipif(bool(slurm.why_not()), reason=slurm.why_not())


@pytest.fixture
def plan(tiny_cohort, tmp_path):
    """One run of the tiny cohort, of one epoch."""
    settings = TrainingSettings(image_size=32, epochs=1)
    frame = read_cohort(tiny_cohort).frame
    engine = EngineSettings(engine="slurm")
    return Plan(frame, "tiny", settings, ("uniform",), (1,), tmp_path / "tiny" / "runs", tmp_path / "pixels", engine)


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
    alone, threads = replace(plan, store=folder, engine=EngineSettings()), torch.get_num_threads()
    torch.set_num_threads(1)
    for run in alone.runs:
        pool._one(alone, None, *run)
    torch.set_num_threads(threads)
    return [run.scores for run in pool.train_all(alone)[0]]


def test_a_killed_job_is_sent_again_and_ends_like_a_run_trained_here(plan, local_cluster, monkeypatch, tmp_path):
    cluster._PROCESSES.clear()
    kills = when_first(
        monkeypatch,
        lambda: list(plan.store.glob("*/last.ckpt")),
        lambda: cluster._PROCESSES[0]._process.kill(),
    )
    (run,), _ = pool.train_all(plan)
    assert len(kills) == 1
    assert np.array_equal(run.scores, here(plan, tmp_path / "here")[0])


def test_a_jobs_mistake_is_told_in_its_own_sentence(plan, local_cluster):
    one_sex = plan.frame.with_columns(sex=pl.when(pl.col("label") == 1).then(pl.lit("F")).otherwise(pl.col("sex")))
    wrong = replace(plan, frame=one_sex, weightings=("kamiran_calders_sex",))
    with pytest.raises(
        TrainingError, match="^Weighting kamiran_calders_sex, attribute sex: group 'M' has no training "
    ):
        pool.train_all(wrong)


def test_jobs_that_end_without_result_are_not_sent_for_ever(plan, local_cluster, monkeypatch):
    monkeypatch.setattr(cluster, "_submit", lambda plan, folder, runs, work: {run: "0" for run in runs})
    with pytest.raises(TrainingError, match="^uniform, seed 1: 4 jobs ended without result; see "):
        pool.train_all(plan)


def test_a_setting_slurm_does_not_know_is_one_sentence(plan, local_cluster):
    wrong = replace(plan, engine=EngineSettings(engine="slurm", slurm={"colour": "blue"}))
    with pytest.raises(TrainingError, match=r"^study.toml, \[compute.slurm\]: .*colour"):
        pool.train_all(wrong)


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
    settings = TrainingSettings(image_size=32, epochs=1)
    cohort = read_cohort(tiny_cohort)
    names, seeds = ("uniform", "kamiran_calders_sex"), (1, 2)
    plan = Plan(cohort.frame, cohort.key, settings, names, seeds, root / "data" / "tiny" / "runs", root / "pixels")
    for run, scores in zip(runs, here(plan, tmp_path / "here"), strict=True):
        assert np.array_equal(finished_run(plan.folder(*run), *run).scores, scores), run


@needs_slurm
def test_two_tasks_of_slurm_train_like_two_processes_here(one_node, plan, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "POLL", 1.0)
    (there,), _ = pool.train_all(replace(plan, engine=EngineSettings(engine="slurm", devices=2)))
    (here,), _ = pool.train_all(replace(plan, store=tmp_path / "here", engine=EngineSettings(devices=2)))
    assert (there.facts["devices"], here.facts["devices"]) == (2, 2)
    assert here.scores == pytest.approx(there.scores, abs=0.01)  # here, a process may have more than one core
    assert len(here.scores) == plan.frame.filter(split="valid").height


@pytest.mark.parametrize("ranks", [2, 4])
def test_devices_share_every_batch_of_one_alone(ranks):
    def batches(rank, of):
        weights = np.linspace(0.5, 1.5, 100)
        return list(WeightedBatches(np.arange(100), weights, 16, 7, rank=rank, ranks=of))

    shares = [batches(rank, ranks) for rank in range(ranks)]
    for whole, *parts in zip(batches(0, 1), *shares, strict=True):
        assert sorted(sum(parts, [])) == whole
        assert {len(part) for part in parts} == {16 // ranks}


@pytest.mark.parametrize("rows", [1, 7, 16, 33])
def test_devices_predict_every_row_once_in_order(rows):
    data = Rows(np.zeros((rows, 2, 2), np.uint8), np.arange(rows), np.ones(rows))
    turns = [[labels for _, labels, _ in in_order(data, np.arange(rows), 4, rank=rank, ranks=3)] for rank in range(3)]
    assert len({len(turn) for turn in turns}) == 1
    together = torch.cat([batch for turn in zip(*turns, strict=True) for batch in turn])[:rows]
    assert together.tolist() == list(range(rows))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"engine": "cloud"}, "engine is 'cloud'; allowed are 'local', 'slurm'."),
        ({"strategy": "fsdp"}, "strategy is 'fsdp'; allowed are 'auto', 'ddp'."),
        ({"precision": "8"}, "precision is '8'; allowed are "),
        ({"devices": 0}, "devices 0 and nodes 1 must be at least 1."),
        ({"nodes": 2}, "nodes is 2; more than one needs engine = 'slurm'."),
    ],
)
def test_compute_settings_that_cannot_be_used_are_one_sentence(wrong, sentence):
    with pytest.raises(ValueError) as error:
        EngineSettings(**wrong)
    assert str(error.value).startswith(sentence)


def test_devices_must_divide_the_batch():
    with pytest.raises(ValueError, match="^devices x nodes is 3; it must divide the batch of 32, "):
        EngineSettings(devices=3).check(32)


def test_where_a_network_is_trained_is_no_part_of_its_key(plan):
    elsewhere = replace(plan, engine=EngineSettings())
    assert elsewhere.folder("uniform", 1) == plan.folder("uniform", 1)


@pytest.mark.parametrize(
    ("listed", "found", "gpus"), [("", 0, []), ("", 2, ["0", "1"]), ("3, 5", 2, ["3", "5"]), ("GPU-1a", 1, ["GPU-1a"])]
)
def test_the_gpus_of_this_process_are_called_as_it_was_given_them(monkeypatch, listed, found, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    monkeypatch.setattr("torch.cuda.device_count", lambda: found)
    assert pool.visible_gpus() == gpus


@pytest.mark.parametrize(("devices", "workers", "offered"), [(1, 2, ["3", "5"]), (2, 1, [])])
def test_networks_train_side_by_side_one_on_each_gpu(plan, monkeypatch, devices, workers, offered):
    """No GPU is needed: the pool is stopped where its processes would start."""

    class Asked(Exception):
        pass

    def ask(count, *, initargs, **_):
        given = initargs[2]
        raise Asked(count, [given.get() for _ in offered], given.empty())

    monkeypatch.setattr(pool, "visible_gpus", lambda: ["3", "5"])
    monkeypatch.setattr(pool, "ProcessPoolExecutor", ask)
    engine = EngineSettings(devices=devices)
    with pytest.raises(Asked) as asked:
        pool.train_all(replace(plan, engine=engine, seeds=(1, 2, 3)))
    assert asked.value.args == (workers, offered, True)


def test_a_process_of_the_pool_sees_a_gpu_of_its_own():
    context = multiprocessing.get_context("spawn")
    shown, own = context.Value("q", 0), context.SimpleQueue()
    for gpu in ("3", "5"):
        own.put(gpu)
    start = {"mp_context": context, "initializer": pool._start, "initargs": (shown, 1, own)}
    with ProcessPoolExecutor(1, **start) as one, ProcessPoolExecutor(1, **start) as other:
        seen = [workers.submit(os.getenv, "CUDA_VISIBLE_DEVICES") for workers in (one, other)]
        assert sorted(name.result() for name in seen) == ["3", "5"]
