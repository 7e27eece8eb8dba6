"""The networks that can be trained, one file each, and what they start from.

A network of your own: a file beside these with `FACTS`, `RECIPES`, `NORMS_ARE_FOLDED`, a subclass of `Network` called `NETWORK`,
`read_weights()` and `weights_at_hand()`; and its name in `NetworkName` of `lib.training.settings`.
"""

import logging
from importlib import import_module
from types import ModuleType
from typing import get_args

import torch

from lib.messages import message
from lib.training.networks.interface import Network, WeightsUnavailable, fold_norms
from lib.training.settings import NetworkName

log = logging.getLogger(__name__)

NETWORKS: dict[str, ModuleType] = {name: import_module(f"{__name__}.{name}") for name in get_args(NetworkName)}

__all__ = ["NETWORKS", "Network", "build", "fold_norms", "initial_weights"]


def initial_weights(name: str, wanted: str) -> tuple[str, dict[str, torch.Tensor] | None]:
    """What network `name` starts from: (`imagenet`, tensors without a last layer) or (`none`, None).

    `wanted` is `imagenet` (used where it can be had; said once where it cannot) or `none`.
    """
    if wanted == "none":
        return "none", None
    try:
        return "imagenet", NETWORKS[name].read_weights()
    except WeightsUnavailable as error:
        log.warning(message("The networks start from scratch: {why}.", error))
        return "none", None


def build(
    name: str, start: str, tensors: dict[str, torch.Tensor] | None = None, *, standardize: bool = False
) -> Network:
    """Network `name` in the form that it has after a start from `start` (`imagenet` or `none`), on one-channel images.

    `tensors`: those of `initial_weights`; without them the parameters are random, to be replaced by those of a run.
    With `standardize` it sees the grey levels of each image with the same mean and spread. Where `NORMS_ARE_FOLDED`, a network that starts from ImageNet trains with its batch norms folded into its
    convolutions: their statistics stay those of ImageNet, and a step takes two thirds of the time.
    """
    module = NETWORKS[name]
    network = module.NETWORK()
    network.standardize = standardize
    if tensors is not None:
        missing = network.load_state_dict(tensors, strict=False).missing_keys
        assert set(missing) <= {"head.weight", "head.bias"}, missing
    if start == "imagenet" and module.NORMS_ARE_FOLDED:
        network = fold_norms(network)
    return network.to(memory_format=torch.channels_last)
