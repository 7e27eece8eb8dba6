"""The network of the course's script: torchvision's ResNet-18 on three colours, with an output each for malade and sain."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.transforms.v2.functional import center_crop, normalize

from lib.dropin.foreign import CheckpointError, find_state, require_same
from lib.messages import message

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of grey levels 0 to 1."""
RESIZED, CROP = 256, 224
"""Pixels to which an image is resized, and of its centre that is shown."""
SIZE_NAMES = ("image_size", "img_size", "input_size")
"""Hyper-parameters that say at which size a network sees images."""


class CourseNetwork(nn.Module):
    """Images (b, 1, h, w) uint8, through `to_input`, -> outputs (b, 2): malade, sain (the order of their folders' names).

    Grey is shown as three equal colours. `image_size` is the side to which images are to be resized before.
    """

    def __init__(self, image_size: int = RESIZED, crop: int = CROP):
        super().__init__()
        self.image_size, self.crop = image_size, crop
        self.model = resnet18(num_classes=2)

    def to_input(self, images: torch.Tensor) -> torch.Tensor:
        colours = center_crop(images, [self.crop, self.crop]).expand(-1, 3, -1, -1)
        return normalize(colours.float() / 255, MEAN, STD)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)


def course_network(content: Any, path: Path) -> CourseNetwork:
    """The network in the content of a checkpoint, in evaluation mode; whatever stands before its names (`model.`) is dropped.

    At the size that its hyper-parameters say, else as the course shows images: 256 x 256, of which the centre's 224 x
    224. Raises `CheckpointError` for another network, naming tensors that differ.
    """
    tensors = without_prefix(find_state(content, path))
    outputs = tensors["fc.weight"].shape[0] if "fc.weight" in tensors else 2
    parameters = content.get("hyper_parameters") or content.get("hparams") or {}
    parameters = parameters if isinstance(parameters, dict) else vars(parameters)
    size = next((parameters[name] for name in SIZE_NAMES if name in parameters), CROP)
    if not isinstance(size, int) or not 32 <= size <= 1024:
        raise CheckpointError(
            "{path} was trained at a size of {size!r}; one number of 32 to 1024 pixels can be read.", path, size
        )
    network = CourseNetwork() if size == CROP else CourseNetwork(size, size)
    wanted = network.model.state_dict()
    if outputs != 2 and tensors.keys() & wanted.keys() == wanted.keys():
        raise CheckpointError(
            "{path} has {outputs} outputs; two, malade and sain, can be predicted with.", path, outputs
        )
    require_same(tensors, wanted, path, message("the course's ResNet-18 (or one of train_classifieur.py)"))
    network.model.load_state_dict(tensors, strict=False)
    return network.eval()


def without_prefix(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of a ResNet without what stands before their names, such as `model.`; of anything else, all as they are."""
    last = "layer4.1.conv2.weight"
    prefix = next((name.removesuffix(last) for name in tensors if name.endswith(last)), "")
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
