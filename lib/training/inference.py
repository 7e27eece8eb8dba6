"""What a trained network says of many images: batch norm folded into the convolutions, one thread per core."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from lib.cores import usable_cores
from lib.training.networks import Network, build, fold_norms
from lib.training.settings import TrainingSettings
from lib.training.store import NETWORK

BATCH = 32
"""Images; larger batches leave the caches of a processor's core."""


def kept_network(settings: TrainingSettings, folder: Path) -> Network:
    """The network of the finished run in `folder`, which was trained under `settings`."""
    network = build(settings.network, settings.initial_weights)
    network.load_state_dict(torch.load(folder / NETWORK, weights_only=True, map_location="cpu"))
    return network


def predict_logits(
    network: Network, pixels: np.ndarray, rows: np.ndarray, *, mirror: bool = True, threads: int | None = None
) -> np.ndarray:
    """Logits of sick (len(rows),) float64 of the images `pixels` (n, h, w) uint8 at `rows`, in the order of `rows`.

    `mirror` and `threads` as in `outputs`.
    """
    return outputs(network, pixels, rows, mirror=mirror, threads=threads)[:, 0].astype(np.float64)


def outputs(
    network: Network, pixels: np.ndarray, rows: np.ndarray, *, mirror: bool = True, threads: int | None = None
) -> np.ndarray:
    """The network's outputs (len(rows), k) float32 for the images `pixels` (n, h, w) uint8 at `rows`, in their order.

    With `mirror` they are the mean of the image's and its mirror image's, as in training: twice the arithmetic. On a
    processor each of `threads` (default: one per core) takes batches of its own.
    """
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    network = fold_norms(deepcopy(network).eval()).to(device, memory_format=torch.channels_last)
    cores = usable_cores()
    size = 512 if gpu else BATCH

    @torch.inference_mode()
    def one(start: int) -> np.ndarray:
        x = network.to_input(torch.from_numpy(pixels[rows[start : start + size]]).unsqueeze(1).to(device))
        y = (network(x) + network(x.flip(-1))) / 2 if mirror else network(x)
        return y.float().cpu().numpy()

    workers = 1 if gpu else max(1, min(threads or cores, -(-len(rows) // size)))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            parts = list(pool.map(one, range(0, len(rows), size)))
    finally:
        torch.set_num_threads(before)
    return np.concatenate(parts) if parts else np.empty((0, 1), np.float32)
