"""Runs sent out to a cluster: one job array, one store that all machines share, and patience.

A run is finished when its files say so, so nothing depends on the cluster's accounting: jobs that are lost are sent
again and resume from their last checkpoint, and a study that is started again finds its jobs where it left them.
"""

import os
import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import submitit
import torch
from submitit.helpers import Checkpointable
from tqdm import tqdm

from lib.files import StorageError, write_whole
from lib.settings import ROOT
from lib.training.store import Plan, TrainingError, finished_run

CLUSTER = "slurm"
"""Submitit's name of the scheduler."""
POLL = 5.0
"""Seconds between two looks at the store and the queue."""
TIMES = 4
"""A run whose job ends without result is sent out this often in all."""
DEFAULTS = {"time": 240, "cpus_per_task": 1, "array_parallelism": 64}
"""Minutes of a job, cores of it, jobs at a time; `[compute.slurm]` adds to these."""

Train = Callable[[dict | None, str, int], None]


def send_out(plan: Plan, tensors: dict | None, missing: list[tuple[str, int]], train: Train) -> None:
    """Train the missing runs as jobs, wait for them with a progress bar, send out again what was lost.

    `train(tensors, weighting, seed)` trains one run. Raises `TrainingError` with a job's own sentence when it failed.
    """
    jobs = plan.store / ".jobs"
    initial = jobs / "initial.pt"
    if tensors is not None:
        write_whole(initial, partial(torch.save, tensors))
    work = {run: Job(train, initial if tensors is not None else None, *run, _error(plan, run)) for run in missing}
    waiting, sent = _still_queued(plan, missing), Counter()
    with tqdm(total=len(missing), desc=f"Training {len(missing)} networks by {CLUSTER}", unit=" networks") as bar:
        while missing := [run for run in missing if finished_run(plan.folder(*run), *run) is None]:
            bar.update(bar.total - len(missing) - bar.n)
            for file in (_error(plan, run) for run in missing):
                if file.is_file():
                    sentence = file.read_text("utf-8")
                    file.unlink()
                    raise TrainingError(sentence)
            if lost := [run for run in missing if run not in waiting]:
                sent.update(lost)
                if (worst := max(lost, key=sent.get)) and sent[worst] > TIMES:
                    raise TrainingError(
                        "{weighting}, seed {seed}: {count} jobs ended without result; see {folder}.",
                        *worst,
                        TIMES,
                        jobs,
                    )
                waiting |= submit(plan, jobs, lost, work)
            bar.set_postfix_str(f"{len(waiting)} jobs in the queue")
            time.sleep(POLL)
            queue = _queue(waiting)
            waiting = {run: job for run, job in waiting.items() if job in queue}
        bar.update(bar.total - bar.n)


class Job(Checkpointable):
    """One run, as submitit sends it: called on the cluster, and put back into the queue when its machine is needed.

    The run's own checkpoint holds where it was.
    """

    def __init__(self, train: Train, initial: Path | None, weighting: str, seed: int, error: Path):
        self.train, self.initial, self.weighting, self.seed, self.error = train, initial, weighting, seed, error

    def __call__(self) -> None:
        torch.set_num_threads(int(os.environ.get("SLURM_CPUS_PER_TASK", 1)))
        try:
            tensors = None if self.initial is None else torch.load(self.initial, weights_only=True)
            self.train(tensors, self.weighting, self.seed)
        except (ValueError, TrainingError, StorageError) as error:  # a sentence for whoever waits
            write_whole(self.error, f"{error}")
            raise


def submit(plan: Plan, folder: Path, runs: list, work: dict) -> dict[tuple[str, int], str]:
    """Send out these runs as one array; returns the name of each one's job."""
    given = DEFAULTS | plan.compute.slurm
    setup = [f"export PYTHONPATH={shlex.quote(str(ROOT))}:$PYTHONPATH", *given.pop("setup", [])]
    given.setdefault("srun_args", [f"--cpus-per-task={given['cpus_per_task']}"])  # since 22.05 not passed on by itself
    executor = submitit.AutoExecutor(folder, cluster=CLUSTER)
    try:
        executor.update_parameters(
            name=plan.store.parent.name,
            timeout_min=given["time"],
            slurm_setup=setup,
            local_setup=setup,
            **{f"slurm_{name}": value for name, value in given.items()},
        )
        for run in runs:
            _error(plan, run).unlink(missing_ok=True)
        sent = executor.submit_array([work[run] for run in runs])
    except (ValueError, NameError, TypeError) as error:
        raise TrainingError("study.toml, [compute.slurm]: {error}.", str(error).splitlines()[0]) from None
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError, OSError) as error:
        raise TrainingError("sbatch did not take the jobs: {error}.", " ".join(str(error).split())[-300:]) from None
    PROCESSES.extend(sent)
    names = {run: job.job_id for run, job in zip(runs, sent, strict=True)}
    for run, name in names.items():
        write_whole(_error(plan, run).with_suffix(".job"), name)
    return names


def _still_queued(plan: Plan, runs: list[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Jobs that an earlier, interrupted study sent out and that still wait or run."""
    files = {run: _error(plan, run).with_suffix(".job") for run in runs}
    names = {run: file.read_text("utf-8") for run, file in files.items() if file.is_file()}
    queue = _queue(names) if names else set()
    return {run: name for run, name in names.items() if name in queue}


PROCESSES: list[submitit.Job] = []
"""Jobs of this process; only submitit's local ones are asked for their state, SLURM's queue knows its own."""


def _queue(waiting: dict[tuple[str, int], str]) -> set[str]:
    """Names of the jobs that wait or run. When SLURM does not answer, all of them are taken to."""
    if CLUSTER == "local":
        return {job.job_id for job in PROCESSES if not job.done()}
    command = ["squeue", "--me", "--array", "--noheader", "--format=%i"]
    try:
        return set(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split())
    except (OSError, subprocess.SubprocessError):
        return set(waiting.values())


def _error(plan: Plan, run: tuple[str, int]) -> Path:
    return plan.store / ".jobs" / f"{plan.folder(*run).name}.error"
