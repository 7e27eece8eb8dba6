"""A study that is killed and started again: `python killed_study.py COHORT`, with the chosen moments on standard input.

Everything is imported once; each life is a fork of that, trains its networks itself, and tiny ones, so that it takes
about a second. A moment is `[place, "after", seconds]` or `[place, "at", n]`: the n-th time the study opens a file to
write, moves or deletes one. For each life a line says how it ended: exit status (-9: killed), seconds and file operations.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import here
import torch
from made import quick_audits
from torch import nn

from lib.study import run as study
from lib.training import classifier, store, workers
from lib.training.networks import Network

OPERATIONS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


class TinyNetwork(Network):
    """With all that a checkpoint must bring back: trained weights and the running statistics of a batch norm."""

    def __init__(self) -> None:
        super().__init__(8)
        self.conv, self.bn = nn.Conv2d(1, 8, 5, 4), nn.BatchNorm2d(8)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn(self.conv(x)).relu()


def live(cohort: Path, root: Path, how: str, when: float) -> tuple[int, float, int]:
    began = time.monotonic()
    read, write = os.pipe()
    if not (child := os.fork()):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        done = 0

        def count(event: str, given: tuple) -> None:
            nonlocal done
            if event in OPERATIONS or (event == "open" and isinstance(given[1], str) and set(given[1]) & set("wxa+")):
                done += 1
                if how == "at" and done == when:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        status = 1
        try:
            study.run_study(cohort, "tiny", root=root)
            os.write(write, str(done).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    if how == "after":
        time.sleep(when)
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(read, "rb") as said:
        return status, time.monotonic() - began, int(said.read() or 0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    here.cpu_count = lambda: 1
    classifier.build = store.build = lambda *_: TinyNetwork()
    workers.train_here = here.train_here
    with quick_audits():
        for line in sys.stdin:
            root, how, when = json.loads(line)
            print(json.dumps(live(Path(sys.argv[1]), Path(root), how, when)), flush=True)
