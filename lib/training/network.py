"""ResNet-18 for one-channel radiographs, and the random changes it is shown."""

import logging
import socket
from http.client import HTTPException
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torchvision.models import ResNet18_Weights, resnet18

log = logging.getLogger(__name__)

MEAN, SPREAD = 0.5, 0.25
"""Grey level 0 to 1 is shown to the network as (grey - MEAN) / SPREAD."""


def imagenet_weights(wanted: str) -> tuple[str, dict[str, torch.Tensor] | None]:
    """What the networks of a study start from: (`imagenet`, torchvision's tensors) or (`none`, None).

    `wanted` is `imagenet` (used when torchvision can download it or has it in its cache) or `none`.
    """
    if wanted == "none":
        return "none", None
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        return "imagenet", ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except (OSError, HTTPException, RuntimeError) as error:
        place = Path(torch.hub.get_dir()) / "checkpoints"
        log.warning(
            "ImageNet weights could not be downloaded (%s): the networks start from scratch; "
            "a copy of torchvision's file in %s would be used.",
            error,
            place,
        )
        return "none", None
    finally:
        socket.setdefaulttimeout(before)


def weights_at_hand() -> bool:
    """Whether torchvision's file of ImageNet weights lies on this machine already, so that nobody has to be asked."""
    name = ResNet18_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    return (Path(torch.hub.get_dir()) / "checkpoints" / name).is_file()


def build(initial: dict[str, torch.Tensor] | None) -> nn.Module:
    """ResNet-18 (He et al. 2016, arXiv 1512.03385) from images (b, 1, h, w) to one logit of sick (b, 1).

    The three colour filters of ImageNet's first layer are summed, which is the same as showing it a grey image thrice.
    """
    network = resnet18(num_classes=1)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    if initial is not None:
        tensors = {k: v for k, v in initial.items() if not k.startswith("fc.")}
        tensors["conv1.weight"] = tensors["conv1.weight"].sum(1, keepdim=True)
        network.load_state_dict(tensors, strict=False)
    return network


class SmallMapConv2d(nn.Conv2d):
    """A convolution that is one matrix product where its map has few positions, on a processor and in full precision.

    Function and gradients are those of `torch.nn.Conv2d` but for rounding. On maps of 2 x 2 and 3 x 3 (images of 64 and
    96 px) the library's own backward pass is slow: the four 3 x 3 convolutions of the last stage took a third of a step.
    """

    POSITIONS = 9
    """Of the map, at most; from 4 x 4 on nothing is gained."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = [(side - 1) // self.stride[0] + 1 for side in x.shape[-2:]]
        if shape[0] * shape[1] > self.POSITIONS or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        patches = functional.unfold(x, self.kernel_size, padding=self.padding, stride=self.stride)
        product = (self.weight.flatten(1) @ patches).unflatten(2, shape)
        return product.contiguous(memory_format=torch.channels_last)


def for_training(network: nn.Module) -> nn.Module:
    """The same ResNet, laid out as it trains fastest; tensors and their names stay as they are."""
    network.to(memory_format=torch.channels_last)
    if torch.cuda.is_available():
        return network
    for module in network.layer4.modules():
        if type(module) is nn.Conv2d and module.kernel_size == (3, 3):
            module.__class__ = SmallMapConv2d
            module.weight.data = module.weight.data.contiguous()
    return network


def to_input(images: torch.Tensor) -> torch.Tensor:
    """uint8 (b, 1, h, w) -> float, centred and scaled, channels last."""
    x = (images.float() / 255 - MEAN) / SPREAD
    return x.contiguous(memory_format=torch.channels_last)


def augment(x: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """Random mirror, rotation (10 degrees), zoom (10 %), shift (6 %), contrast (20 %) and brightness of (b, 1, h, w).

    The result is (b, 1, size, size)."""

    def between(low: float, high: float) -> torch.Tensor:
        return torch.rand(len(x), generator=generator).mul(high - low).add(low).to(x.device)

    angle, zoom = between(-0.175, 0.175), between(0.9, 1.1)
    mirror = torch.sign(between(-1, 1))
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    theta = torch.stack([cos * mirror, -sin, between(-0.12, 0.12), sin * mirror, cos, between(-0.12, 0.12)], 1)
    grid = functional.affine_grid(theta.view(-1, 2, 3), [len(x), 1, size, size], align_corners=False)
    moved = functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    shade = between(0.8, 1.2).view(-1, 1, 1, 1), between(-0.2, 0.2).view(-1, 1, 1, 1)
    return (moved * shade[0] + shade[1]).contiguous(memory_format=torch.channels_last)
