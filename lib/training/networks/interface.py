"""What every network offers: maps of features, and one last layer on their mean."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class WeightsUnavailable(RuntimeError):
    """The weights to start from cannot be had; the message says why, without a full stop."""


@dataclass(frozen=True)
class NetworkFacts:
    """Who trained a network's start, on what, and under which licence: printed in the report's model card."""

    name: str
    source: str
    trained_on: str
    trained_by: str
    package: str
    licence: str


class Network(nn.Module):
    """Images (b, 1, h, w) float -> one logit of sick (b, 1), through `features` (b, width, h', w') and their mean."""

    centre, scale = 127.5, 63.75
    """Grey level 0 to 255 is shown as (grey - centre) / scale."""
    spread = 0.5
    """Standard deviation of the grey levels of each image, around 0, as they are shown when `standardize` is set."""
    standardize = False

    def __init__(self, width: int):
        super().__init__()
        self.dropout = nn.Dropout(0.0)
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def first_blocks(self, blocks: int) -> list[nn.Module]:
        """The stem and the first `blocks` blocks, as many as there are."""
        raise NotImplementedError

    def freeze(self, blocks: int) -> None:
        """Leave the stem and the first `blocks` blocks as they are in training; with 0 everything is trained."""
        for module in self.first_blocks(blocks) if blocks else ():
            module.requires_grad_(False)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """What reaches the last layer, (b, width)."""
        return self.features(x).mean((2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.dropout(self.embed(x)))

    def to_input(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (b, 1, h, w) -> float, centred and scaled (`standardize`: each image by its own mean and spread), channels last."""
        x, centre, scale = images.float(), self.centre, self.scale
        if self.standardize:
            scale, centre = torch.std_mean(x, (2, 3), keepdim=True)
            scale = scale.clamp_min(1) / self.spread  # a blank image stays blank
        return ((x - centre) / scale).contiguous(memory_format=torch.channels_last)


def fold_norms(network: nn.Module) -> nn.Module:
    """The same network, changed in place: batch norms become part of the convolutions registered just before them.

    In evaluation a batch norm is a fixed scale and shift of each channel, so what the network computes in evaluation
    mode stays the same but for rounding. It comes back in the mode that it was in.
    """
    training = network.training
    network.eval()
    for module in list(network.modules()):
        parts = list(module.named_children())
        for (name, convolution), (norm_name, norm) in pairwise(parts):
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(convolution, norm))
                setattr(module, norm_name, nn.Identity())
    return network.requires_grad_(True).train(training)
