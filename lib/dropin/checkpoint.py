"""One file per trained network: its tensors and all that predicting needs. Read without running any code in it."""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.models import resnet18 as torchvision_resnet18

from lib.dropin.foreign import CheckpointError, course_network, find_state, load_content, require_same, without_prefix
from lib.files import write_whole
from lib.messages import message
from lib.training.networks import build
from lib.training.networks.resnet18 import from_torchvision
from lib.training.settings import TrainingSettings

FORMAT = "train_classifieur 3"
PREFIX = "model."
"""Of every name in `state_dict`, as in the checkpoints of the course's script."""
SIZE, STANDARDIZED = MARKS = ("image_size", "standardized")
"""Names, in `state_dict` after the prefix, of the side of the images in pixels and of whether each image's grey levels get the
same mean and spread: the tensors alone say how to use them."""


def marks(image_size: int, standardize: bool) -> dict[str, torch.Tensor]:
    """What the tensors of a network of ours say of its input, by name."""
    return {SIZE: torch.tensor(image_size), STANDARDIZED: torch.tensor(standardize)}


@dataclass(frozen=True)
class Checkpoint:
    """A trained `network` (evaluation mode), the side of its images in pixels, and what else is known of its training."""

    network: nn.Module
    image_size: int
    facts: dict[str, Any]


def save_checkpoint(
    path: Path, tensors: dict[str, torch.Tensor], settings: TrainingSettings, facts: dict[str, Any]
) -> None:
    """Write the file whole or not at all."""
    state = {f"{PREFIX}{name}": tensor for name, tensor in tensors.items()}
    state |= {f"{PREFIX}{name}": value for name, value in marks(settings.image_size, settings.standardize).items()}
    content = {"format": FORMAT, "state_dict": state, "settings": asdict(settings), "facts": facts}
    write_whole(path, partial(torch.save, content))


def load_checkpoint(path: Path) -> Checkpoint:
    """A network of ours, or of the course's script (`course_network`).

    Raises `CheckpointError` when `path` is missing or damaged, or says what else it is.
    """
    content = load_content(path)
    if not (isinstance(content, dict) and str(content.get("format")).startswith("train_classifieur")):
        network = course_network(content, path)
        return Checkpoint(network, network.image_size, {})
    try:
        settings = TrainingSettings(**{"standardize": False} | content["settings"])  # older files do not say
        network = build(settings.network, settings.initial_weights, standardize=settings.standardize)
        tensors = {name.removeprefix(PREFIX): tensor for name, tensor in content["state_dict"].items()}
        network.load_state_dict({name: tensor for name, tensor in tensors.items() if name not in MARKS})
        return Checkpoint(network.eval(), settings.image_size, content["facts"])
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
        raise CheckpointError(
            "{path} was written by another version of train_classifieur.py, or changed since: train it again.", path
        ) from None


def initial_tensors(path: Path) -> dict[str, torch.Tensor]:
    """What a ResNet-18 starts from: the file of torchvision's ResNet-18, or of a training that began with it.

    Raises `CheckpointError` when the file is anything else.
    """
    tensors = without_prefix(find_state(load_content(path), path))
    body = {name: tensor for name, tensor in tensors.items() if not name.startswith("fc.")}
    wanted = {k: v for k, v in torchvision_resnet18().state_dict().items() if not k.startswith("fc.")}
    require_same(body, wanted, path, message("torchvision's ResNet-18, to start from"))
    counts = {name: tensor for name, tensor in wanted.items() if name.endswith("num_batches_tracked")}
    return from_torchvision(counts | body)
