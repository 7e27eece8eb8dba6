"""Grad-CAM of a network whose last layer is linear in the mean over its last maps."""

import numpy as np
import torch

from lib.training.networks import Network

BATCH = 64


def grad_cam(network: Network, x: torch.Tensor) -> torch.Tensor:
    """Saliency (b, h, w), from 0, of input (b, 1, H, W) for the logit of sick: what speaks for sick, and where.

    relu(sum over k of alpha_k A_k), A the network's last maps (b, c, h, w), alpha_k the mean over positions of the
    logit's derivative by A_k. The logit is linear in the means of the maps, so alpha_k is the last layer's weight / (h w)
    and nothing has to be differentiated. Source: Selvaraju et al. 2017, arXiv 1610.02391 (there: equal to CAM).
    """
    maps = network.features(x)
    alpha = network.head.weight[0] / maps[0, 0].numel()
    return torch.relu(torch.einsum("bchw,c->bhw", maps.float(), alpha.float()))


@torch.inference_mode()
def saliency(network: Network, pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Saliency (len(rows), h, w) float32 of the images `pixels` (n, H, W) uint8 at `rows`, in their order.

    The mean of an image's and its mirror image's, turned back, as scores are.
    """
    network, parts = network.eval(), []
    for start in range(0, len(rows), BATCH):
        x = network.to_input(torch.from_numpy(pixels[rows[start : start + BATCH]]).unsqueeze(1))
        parts.append(((grad_cam(network, x) + grad_cam(network, x.flip(-1)).flip(-1)) / 2).numpy())
    return np.concatenate(parts)
