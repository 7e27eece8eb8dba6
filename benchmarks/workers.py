"""Processes that measure when they are asked to, and sleep otherwise."""

import logging
import multiprocessing
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch


@dataclass(frozen=True)
class Measured:
    """How long `images` took: `seconds` on the wall, and `busy` seconds of processor time of all threads of a process."""

    images: int
    seconds: float
    busy: float


class Clock:
    """Started when it is made."""

    def __init__(self) -> None:
        self.wall, self.busy = time.perf_counter(), time.process_time()

    def read(self, images: int, at: "Clock | None" = None) -> Measured:
        at = at or Clock()
        return Measured(images, at.wall - self.wall, at.busy - self.busy)


class Worker:
    """An object of class `kind` in a process of its own, with `threads` (0: torch's own number)."""

    def __init__(self, kind: type, *arguments: Any, threads: int = 0):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, kind, arguments, threads), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, method: str, *arguments: Any) -> None:
        self.pipe.send((method, arguments))

    def answer(self) -> Any:
        """What it answers; EOFError when it died (its own message is on stderr)."""
        return self.pipe.recv()

    def stop(self) -> None:
        self.pipe.close()
        self.process.join()


def all_at_once(workers: list[Worker], method: str, *arguments: Any) -> list[Any]:
    """The answers of all workers to one question, asked together."""
    for worker in workers:
        worker.ask(method, *arguments)
    return [worker.answer() for worker in workers]


def rates(answers: list[Measured]) -> tuple[float, float]:
    """Images a second of all workers together while all were busy, and images a second of processor time."""
    busy = sum(a.busy for a in answers)
    return sum(a.images / a.seconds for a in answers), sum(a.images for a in answers) / busy


def _serve(pipe: Connection, kind: type, arguments: tuple, threads: int) -> None:
    if threads:
        torch.set_num_threads(threads)
    for name in ("pytorch_lightning.utilities.rank_zero", "pytorch_lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    served = kind(*arguments)
    while True:
        try:
            method, given = pipe.recv()
        except EOFError:
            return
        pipe.send(getattr(served, method)(*given))
