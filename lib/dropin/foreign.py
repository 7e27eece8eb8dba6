"""Files of other trainings: read without running any code in them; the network of the course's script among them."""

import argparse
import re
import warnings
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.transforms.v2.functional import center_crop, normalize

from lib.messages import UserError, message
from lib.tabular.values import listed

KINDS = {
    b"version https://git-lfs": "a git-lfs pointer, not the file that it stands for (git lfs pull fetches that)",
    b"PK": "a zip archive that torch.save did not write, or that is not whole (TorchScript? an archive to unpack?)",
    b"\x80": "a Python pickle, which could run code",
    b"\x89HDF": "an HDF5 file (Keras?)",
    b"\x89PNG": "a PNG image",
}
"""What a file that torch cannot read is, by how it begins."""
SAFE = [
    argparse.Namespace,
    np.dtype,
    *(kind for kind in vars(np.dtypes).values() if isinstance(kind, type)),
    *((np._core.multiarray.scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((PurePosixPath, f"pathlib{part}.PosixPath") for part in ("", "._local")),
    *((PureWindowsPath, f"pathlib{part}.WindowsPath") for part in ("", "._local")),
]
"""What trainings keep among their hyper-parameters and figures: it holds values and runs nothing."""
WHOLE_STATES = ("state_dict", "model_state_dict", "network", "model", "net")
"""Keys under which trainings keep their tensors."""
SHOWN = 3
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of grey levels 0 to 1."""
RESIZED, CROP = 256, 224
"""Pixels to which an image is resized, and of its centre that is shown."""
SIZE_NAMES = ("image_size", "img_size", "input_size")
"""Hyper-parameters that say at which size a network sees images."""


class CheckpointError(UserError):
    """A checkpoint cannot be used."""


def load_content(path: Path) -> Any:
    """The content of a torch file of tensors and plain values; pickled code is refused, never run.

    Raises `CheckpointError`, which says what the file is instead.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} {_missing(path)}.")
    try:
        with torch.serialization.safe_globals(SAFE), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader fails in many ways on a foreign file
        if name := re.search(r"GLOBAL ([\w.]+)", str(error)):
            raise CheckpointError(
                "{path} holds Python objects ({name}), which could run code, and was not loaded: keep the tensors "
                "alone, by torch.save(model.state_dict(), ...).",
                path,
                name[1],
            ) from None
        raise CheckpointError("{path} is {kind}: no network can be read from it.", path, _kind(path)) from None


def find_state(content: Any, path: Path) -> dict[str, torch.Tensor]:
    """The tensors by name, wherever a training keeps them: at the top, or under one of `WHOLE_STATES`."""
    if isinstance(content, dict):
        for state in (*(content.get(key) for key in WHOLE_STATES), content):
            if isinstance(state, dict) and state and all(isinstance(v, torch.Tensor) for v in state.values()):
                return dict(state)
        keys = ", ".join(map(str, list(content)[:SHOWN])) or message("nothing")
        raise CheckpointError(
            "{path} has no state_dict among what it holds ({keys}): no network can be read from it.", path, keys
        )
    raise CheckpointError(
        "{path} holds a {kind} and no state_dict: no network can be read from it.", path, type(content).__name__
    )


def require_same(tensors: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], path: Path, network: str) -> None:
    """Raises `CheckpointError` unless `tensors` has the names and shapes of `wanted`, naming some that differ.

    Counts of batches, which no prediction needs and old files lack, are not asked for.
    """
    there, needed = (
        {(name, tuple(tensor.shape)) for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
        for state in (tensors, wanted)
    )
    if differ := sorted({name for name, _ in there ^ needed}):
        names = listed(differ, SHOWN)
        raise CheckpointError(
            "{path} is the state dict of another network than {network}: {names} differ.", path, network, names
        )


def _missing(path: Path) -> str:
    if path.is_dir():
        return message("is a folder: name the file of the network in it")
    others = sorted(p.name for p in path.parent.glob("*.ckpt")) if path.parent.is_dir() else []
    return message("is missing; its folder holds {names}", listed(others, SHOWN)) if others else message("is missing")


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return message("empty")
    if kind := next((kind for magic, kind in KINDS.items() if start.startswith(magic)), None):
        return message(kind)
    first = start.decode("utf-8", errors="ignore").strip().partition("\n")[0]
    if first and first.isprintable() and b"\0" not in start:
        return message("a text file that begins with {start!r}", first[:40])
    return message("no file of torch.save, or damaged")


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
