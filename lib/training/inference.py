"""What a trained network says of many images: batch norm folded into the convolutions, one thread per core."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lib.cores import usable_cores
from lib.training.network import to_input

BATCH = 32
"""Images; larger batches leave the caches of a processor's core."""


def folded(network: nn.Module) -> nn.Module:
    """A copy of a ResNet in evaluation mode whose batch norms are part of the convolutions before them.

    In evaluation a batch norm is a fixed scale and shift of each channel, so the function stays the same but for
    rounding.
    """
    network = deepcopy(network).eval()
    for block in list(network.modules()):
        for convolution, norm in (("conv1", "bn1"), ("conv2", "bn2"), ("0", "1")):
            pair = getattr(block, convolution, None), getattr(block, norm, None)
            if isinstance(pair[0], nn.Conv2d) and isinstance(pair[1], nn.BatchNorm2d):
                setattr(block, convolution, fuse_conv_bn_eval(*pair))
                setattr(block, norm, nn.Identity())
    return network


def predict_logits(
    network: nn.Module, pixels: np.ndarray, rows: np.ndarray, *, mirror: bool = True, threads: int | None = None
) -> np.ndarray:
    """Logits of sick (len(rows),) float64 of the images `pixels` (n, h, w) uint8 at `rows`, in the order of `rows`.

    `mirror` and `threads` as in `outputs`.
    """
    return outputs(network, pixels, rows, mirror=mirror, threads=threads)[:, 0].astype(np.float64)


def outputs(
    network: nn.Module, pixels: np.ndarray, rows: np.ndarray, *, mirror: bool = True, threads: int | None = None
) -> np.ndarray:
    """The network's outputs (len(rows), k) float32 for the images `pixels` (n, h, w) uint8 at `rows`, in their order.

    With `mirror` they are the mean of the image's and its mirror image's, as in training: twice the arithmetic. On a
    processor each of `threads` (default: one per core) takes batches of its own.
    """
    gpu = torch.cuda.is_available()
    device = torch.device("cuda" if gpu else "cpu")
    network = folded(network).to(device, memory_format=torch.channels_last)
    cores = usable_cores()
    size = 512 if gpu else BATCH

    @torch.inference_mode()
    def one(start: int) -> np.ndarray:
        x = to_input(torch.from_numpy(pixels[rows[start : start + size]]).unsqueeze(1).to(device))
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
