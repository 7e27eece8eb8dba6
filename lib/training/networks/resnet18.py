"""ResNet-18 (He et al. 2016, arXiv 1512.03385), the network of the course's script."""

import socket
from collections import OrderedDict
from http.client import HTTPException
from pathlib import Path

import torch
from torch import nn
from torchvision.models import ResNet18_Weights
from torchvision.models import resnet18 as torchvision_resnet18

from lib.messages import message
from lib.training.networks.interface import Network, NetworkFacts, WeightsUnavailable

FACTS = NetworkFacts(
    name="ResNet-18",
    source="arXiv 1512.03385",
    trained_on="ImageNet (ILSVRC 2012): 1.28 million photographs of 1,000 classes",
    trained_by="PyTorch (torchvision, ResNet18_Weights.IMAGENET1K_V1)",
    package="torchvision",
    licence="BSD-3-Clause",
)
NORMS_ARE_FOLDED = False
RECIPES = {
    "imagenet": {
        "image_size": 224,
        "first_image_size": 224,
        "epochs": 2,
        "dropout": 0.0,
        "frozen_blocks": 0,
        "standardize": False,
        "tune_share": 0.15,
        "keep": "best",
    },
    "none": {
        "first_image_size": 64,
        "epochs": 20,
        "learning_rate": 1e-3,
        "dropout": 0.0,
        "averaging": 0.0,
        "standardize": False,
        "tune_share": 0.15,
        "keep": "best",
    },
}
"""What `TrainingSettings` differs in from its defaults, by what the network starts from."""
FILE = ResNet18_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
SECONDS = 20
"""Until a server that does not answer is given up."""


class ResNet18(Network):
    """Images (b, 1, h, w) -> maps (b, 512, h / 32, w / 32) -> one logit (b, 1)."""

    def __init__(self) -> None:
        super().__init__(512)
        parts = OrderedDict(list(torchvision_resnet18().named_children())[:-2])
        parts["conv1"] = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(parts["conv1"].weight, mode="fan_out", nonlinearity="relu")
        self.body = nn.Sequential(parts)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)

    def first_blocks(self, blocks: int) -> list[nn.Module]:
        stages = [self.body.layer1, self.body.layer2, self.body.layer3, self.body.layer4]
        return [self.body.conv1, self.body.bn1, *[block for stage in stages for block in stage][:blocks]]


NETWORK = ResNet18


def read_weights() -> dict[str, torch.Tensor]:
    """torchvision's tensors under this network's names, downloaded or from its cache; the three colours are summed.

    Raises `WeightsUnavailable` when they can neither be downloaded nor lie in the cache.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS)
    try:
        tensors = ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except (OSError, HTTPException, RuntimeError) as error:
        raise WeightsUnavailable(
            message(
                "ImageNet weights could not be downloaded ({error}); a copy of torchvision's file {file} in {folder} "
                "would be used",
                error,
                FILE,
                Path(torch.hub.get_dir()) / "checkpoints",
            )
        ) from None
    finally:
        socket.setdefaulttimeout(before)
    return from_torchvision(tensors)


def from_torchvision(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of torchvision's ResNet-18 under this network's names, colours summed, without the last layer."""
    tensors = {f"body.{name}": tensor for name, tensor in tensors.items() if not name.startswith("fc.")}
    return tensors | {"body.conv1.weight": tensors["body.conv1.weight"].sum(1, keepdim=True)}


def weights_at_hand() -> bool:
    """Whether torchvision's file lies in its cache."""
    return (Path(torch.hub.get_dir()) / "checkpoints" / FILE).is_file()
