"""How fast a network could be trained at most: by its operations, and by its convolutions alone."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import nn

from lib.training.classifier import Classifier
from lib.training.networks import Network
from lib.training.settings import TrainingSettings


@dataclass(frozen=True)
class Convolution:
    """A convolution as a step meets it: its module, the shape of its input, and the gradients that it must compute."""

    module: nn.Conv2d
    shape: tuple[int, ...]
    operations: int
    to_weight: bool
    to_input: bool


def trained_network(settings: TrainingSettings) -> Network:
    """The network of these settings, its first blocks frozen as in training."""
    return Classifier(settings, 1, 1).network.train()


def convolutions(network: nn.Module, images: torch.Tensor) -> list[Convolution]:
    """Those that a training step on `images` (b, c, h, w) computes, in order.

    A multiplication and an addition count as two operations.
    """
    found = []

    def note(module: nn.Conv2d, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        operations, (x,) = 2 * output.numel() * module.weight[0].numel(), inputs
        found.append(Convolution(module, tuple(x.shape), operations, module.weight.requires_grad, x.requires_grad))

    hooks = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, nn.Conv2d)]
    network(images)
    for hook in hooks:
        hook.remove()
    return found


def operations(network: nn.Module, size: int, colours: int = 1) -> int:
    """Operations of a training step for one image: each gradient of a convolution takes as many as the convolution.

    Only convolutions are counted; all else is less than a hundredth of them.
    """
    found = convolutions(network, torch.zeros(2, colours, size, size))
    return sum(one.operations * (1 + one.to_weight + one.to_input) for one in found) // 2


def seconds_of_convolutions(settings: TrainingSettings) -> float:
    """Seconds of one step's convolutions and their gradients, each alone, on random numbers: the second of two goes."""
    images = torch.zeros(settings.batch_size, 1, settings.image_size, settings.image_size)
    half = torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bf16-mixed")
    with half:
        found = convolutions(trained_network(settings), images.contiguous(memory_format=torch.channels_last))
        return sum(_seconds(one) * count for one, count in _distinct(found))


def _distinct(found: list[Convolution]) -> Iterator[tuple[Convolution, int]]:
    def kind(one: Convolution) -> str:
        return f"{one.shape} {one.module} {one.to_weight} {one.to_input}"

    for _, alike in groupby(sorted(found, key=kind), key=kind):
        first, *others = alike
        yield first, 1 + len(others)


def _seconds(one: Convolution) -> float:
    x = torch.randn(one.shape).contiguous(memory_format=torch.channels_last).requires_grad_(one.to_input)
    for _ in range(2):
        began = time.perf_counter()
        y = one.module(x)
        if one.to_weight or one.to_input:
            y.backward(torch.ones_like(y))
        seconds = time.perf_counter() - began
    return seconds
