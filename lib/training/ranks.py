"""One run on several devices: a process (rank) for each, all started by us or by SLURM, in step through Lightning."""

import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import distributed

from lib.files import alone_with, write_whole
from lib.training.store import TrainingError


def rank_and_token() -> tuple[int, str]:
    """This process's rank in its run, and a word that only the ranks started together with it share."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"]), os.environ["MASTER_PORT"]
    token = f"{os.environ.get('SLURM_JOB_ID')}-{os.environ.get('SLURM_RESTART_COUNT', 0)}"
    return int(os.environ.get("SLURM_PROCID", 0)), token


@contextmanager
def alone_in(folder: Path, ranks: int, while_waiting: Callable[[], None]) -> Iterator[int]:
    """Hold the lock of a run; yields this process's rank.

    The first rank holds the lock for all. The others follow when it has said so in the file `turn`.
    """
    rank, token = rank_and_token() if ranks > 1 else (0, "")
    if rank > 0:
        while not ((folder / "turn").is_file() and (folder / "turn").read_text("utf-8") == token):
            while_waiting()
            time.sleep(0.2)
        yield rank
        return
    with alone_with(folder, while_waiting):
        if ranks > 1:
            write_whole(folder / "turn", token)
        yield rank


def gather(batches: Iterable[torch.Tensor], rows: int | None = None) -> torch.Tensor:
    """The (rows,) results of batches dealt out rank by rank, in the order of the rows; every rank gets all of them."""
    if not distributed.is_initialized():
        return torch.cat(list(batches))[:rows]
    everyone: list = [None] * distributed.get_world_size()
    distributed.all_gather_object(everyone, [batch.cpu() for batch in batches])
    return torch.cat([batch for turn in zip(*everyone, strict=True) for batch in turn])[:rows]


def end_with_parent() -> None:
    """From now on, this process ends as soon as the one that started it has ended, however that was."""

    def follow() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def start_ranks(ranks: int, train: Callable, *arguments: object) -> None:
    """Run `train(*arguments)` in `ranks` processes of this machine that find each other as Lightning expects."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    threads = max(1, torch.get_num_threads() // ranks)
    try:
        torch.multiprocessing.spawn(_rank, (port, threads, train, arguments), nprocs=ranks)
    except torch.multiprocessing.ProcessRaisedException as error:  # its last line is the error of the first to fail
        raise TrainingError(str(error).strip().splitlines()[-1].split(": ", 1)[-1]) from None


def _rank(rank: int, port: int, threads: int, train: Callable, arguments: tuple) -> None:
    end_with_parent()
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "NODE_RANK": "0",
        "LOCAL_RANK": str(rank),
    }
    torch.set_num_threads(threads)
    try:
        train(*arguments)
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
