"""One file per trained network: its tensors and all that predicting needs. Read without running any code in it."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lib.training.networks import build
from lib.training.networks.resnet18 import from_torchvision
from lib.training.settings import TrainingSettings

FORMAT = "train_classifieur 2"


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message is one sentence that names the file."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained `network` (evaluation mode), the `settings` it was trained under and what else is known about it."""

    network: torch.nn.Module
    settings: TrainingSettings
    facts: dict[str, Any]


def save_checkpoint(
    path: Path, tensors: dict[str, torch.Tensor], settings: TrainingSettings, facts: dict[str, Any]
) -> None:
    """Write the file whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        torch.save({"format": FORMAT, "network": tensors, "settings": asdict(settings), "facts": facts}, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load_checkpoint(path: Path) -> Checkpoint:
    """Raises `CheckpointError` when `path` is missing, damaged or anything else than our own checkpoint."""
    content = load_tensors(path, "a checkpoint written by train_classifieur.py")
    try:
        if content["format"] != FORMAT:
            raise KeyError
        settings = TrainingSettings(**content["settings"])
        network = build(settings.network, settings.initial_weights)
        network.load_state_dict(content["network"])
        return Checkpoint(network.eval(), settings, content["facts"])
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError):
        raise CheckpointError(
            f"{path} is not a checkpoint written by train_classifieur.py; train one, or name another."
        ) from None


def initial_tensors(path: Path) -> dict[str, torch.Tensor]:
    """What our ResNet-18 starts from, of the state dict of a torchvision ResNet-18 (three colours).

    Raises `CheckpointError` when the file is anything else.
    """
    tensors = load_tensors(path, "a state dict of torchvision's ResNet-18")
    try:
        tensors = from_torchvision(tensors)
        wanted = {k: v.shape for k, v in build("resnet18", "none").state_dict().items() if not k.startswith("head.")}
        if {k: v.shape for k, v in tensors.items()} != wanted:
            raise ValueError
    except (AttributeError, KeyError, ValueError):
        raise CheckpointError(f"{path} is not a state dict of torchvision's ResNet-18; use imagenet or none.") from None
    return tensors


def load_tensors(path: Path, kind: str) -> Any:
    """The content of a torch file of tensors and plain values; pickled code is refused, never run."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: it should be {kind}.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch's reader fails in many ways on a foreign file
        raise CheckpointError(f"{path} is not {kind} (or is damaged): it was not loaded.") from None
