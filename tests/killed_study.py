"""Studies that are killed and started again: `python killed_study.py COHORT`, with the chosen moments on standard input.

Everything is imported once; each life is a fork of that, trains its networks itself, and tiny ones, so that it takes
about a second. A moment is `[root, "after", seconds]` or `[root, "at", n]`: the n-th time the study opens a file to
write, moves or deletes one. For each life a line says how it ended: exit status (-9: killed), seconds and file operations.
After `[root, "two", 0]` two studies live at the same time, see `two`.
"""

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import here
import torch
from made import few_questions, quick_audits

from lib.__main__ import main
from lib.study import records
from lib.study import run as study
from lib.training import classifier, run, store, workers

OPERATIONS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}
ENDLESS = "ENDLESS"
"""Names the root of a study whose networks, once an epoch is kept, train for ever."""
PROCESSES, ALONE = workers.train_here, run.alone_with


def kept(root: Path) -> list[Path]:
    """Checkpoints of unfinished networks."""
    return list(root.glob("data/tiny/runs/*/last.ckpt"))


class Network(here.TinyNetwork):
    def features(self, x: torch.Tensor) -> torch.Tensor:
        while self.training and ENDLESS in os.environ and kept(Path(os.environ[ENDLESS])):
            time.sleep(0.05)
        return super().features(x)


classifier.build = store.build = records.build = lambda *_, **__: (
    Network()
)  # in the processes of a study, too: they import this file


def forked(root: Path, work: Callable[[], int]) -> int:
    """The process that does the work, and ends with the status that it returns; what it says is kept in `root`."""
    if not (child := os.fork()):
        os.dup2(os.open(root / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        status = 1
        try:
            status = work()
        finally:
            os._exit(status)
    return child


def status_of(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def live(cohort: Path, root: Path, how: str, when: float) -> tuple[int, float, int]:
    began = time.monotonic()
    read, write = os.pipe()

    def work() -> int:
        done = 0

        def count(event: str, given: tuple) -> None:
            nonlocal done
            if event in OPERATIONS or (event == "open" and isinstance(given[1], str) and set(given[1]) & set("wxa+")):
                done += 1
                if how == "at" and done == when:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        study.run_study(cohort, "tiny", root=root)
        os.write(write, str(done).encode())
        return 0

    child = forked(root, work)
    os.close(write)
    if how == "after":
        time.sleep(when)
        os.kill(child, signal.SIGKILL)
    status = status_of(child)
    with os.fdopen(read, "rb") as said:
        return status, time.monotonic() - began, int(said.read() or 0)


def two(cohort: Path, root: Path) -> tuple[bool, int, bool]:
    """The command trains a network that never ends; a second study waits for it until the command, not the network, is killed.

    Returns whether the second waited, its exit status, and whether nothing is left of the first.
    """

    def command() -> int:
        os.setsid()
        os.environ[ENDLESS] = str(root)
        workers.train_here, workers.cpu_count = PROCESSES, here.cpu_count
        study.run_study.__kwdefaults__["root"] = root
        return main(["study", str(cohort), "--name", "tiny"])

    def beside() -> int:
        run.alone_with = lambda path, waiting: ALONE(path, lambda: (os.write(write, b"."), waiting()))
        study.run_study(cohort, "tiny", root=root)
        return 0

    first = forked(root, command)
    while not kept(root):
        assert os.waitpid(first, os.WNOHANG)[0] == 0, (root / "said.txt").read_text()
        time.sleep(0.05)
    read, write = os.pipe()
    second = forked(root, beside)
    os.close(write)
    waited = os.read(read, 1) == b"."
    os.kill(first, signal.SIGKILL)
    status_of(first)
    return waited, status_of(second), gone(first)


def gone(group: int) -> bool:
    """Whether all processes of a group have ended; they are given a minute."""
    for _ in range(600):
        with suppress(PermissionError):
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return True
        time.sleep(0.1)
    return False


if __name__ == "__main__":
    torch.set_num_threads(1)
    here.cpu_count = lambda: 1
    workers.train_here = here.train_here
    gc.collect()
    gc.freeze()  # what is imported stays, and is the same memory in all lives
    with quick_audits(), few_questions():
        for line in sys.stdin:
            root, how, when = json.loads(line)
            given = Path(sys.argv[1]), Path(root)
            print(json.dumps(two(*given) if how == "two" else live(*given, how, when)), flush=True)
