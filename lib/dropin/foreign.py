"""Files that are meant to hold a network: read without running any code in them, and named for what they are if they cannot."""

import argparse
import re
import warnings
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch

from lib.messages import message
from lib.tabular.values import listed

LFS = b"version https://git-lfs.github.com/spec/"
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of torch.save began before torch 1.6."""
MAGIC = {
    b"\x89HDF": "an HDF5 file (Keras?)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip archive (unpack it)",
    b"Rar!": "a RAR archive (unpack it)",
    b"7z\xbc\xaf": "a 7z archive (unpack it)",
}
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


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message is one sentence that names the file."""

    def __init__(self, text: str, *values: Any):
        super().__init__(re.sub(r"[ \t\r\n]+", " ", message(text, *values)))


def load_content(path: Path) -> Any:
    """The content of a torch file of tensors and plain values; pickled code is refused, never run.

    Raises `CheckpointError`, which says what the file is instead.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} {_missing(path)}.")
    if kind := _kind(path):
        raise CheckpointError("{path} is {kind}: no network can be read from it.", path, kind)
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
        raise CheckpointError("{path} is no file of torch.save, or is damaged: it was not loaded.", path) from None


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
    tensors, wanted = ({k: v for k, v in t.items() if not k.endswith("num_batches_tracked")} for t in (tensors, wanted))
    lacks, has = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    other = [
        message("{name} {shape} instead of {wanted}", k, _shape(tensors[k]), _shape(v))
        for k, v in wanted.items()
        if k in tensors and _shape(tensors[k]) != _shape(v)
    ]
    words = [message("it lacks {names}", listed(lacks, SHOWN))] if lacks else []
    words += [message("it has {names}", listed(names, SHOWN)) for names in (has, other) if names]
    if words:
        raise CheckpointError(
            "{path} is the state dict of another network than {network}: {differences}.",
            path,
            network,
            "; ".join(words),
        )


def _missing(path: Path) -> str:
    if path.is_dir():
        return message("is a folder: name the file of the network in it")
    others = sorted(p.name for p in path.parent.glob("*.ckpt")) if path.parent.is_dir() else []
    return message("is missing; its folder holds {names}", listed(others, SHOWN)) if others else message("is missing")


def _kind(path: Path) -> str | None:
    """What a file is that torch cannot have written, None when it may have."""
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return message("empty")
    if start.startswith(LFS):
        return message("a git-lfs pointer, not the file that it stands for (git lfs pull fetches that)")
    if start.startswith(b"PK"):
        return _kind_of_zip(path)
    if start.startswith(b"\x80") and not start.startswith(LEGACY):
        return message("a Python pickle that torch.save did not write, which could run code")
    if start[8:10] == b'{"':
        return message("a safetensors file (keep the tensors by torch.save in its place)")
    for magic, kind in MAGIC.items():
        if start.startswith(magic):
            return message(kind)
    text = start.decode("utf-8", errors="ignore").lstrip("\ufeff \t\r\n")
    if text.lower().startswith(("<!doctype html", "<html")):
        return message("an HTML page (of a download that asked for something?)")
    first = text.partition("\n")[0].strip()
    if not first.isprintable() or "\0" in text:
        return None
    return message("a text file that begins with {start!r}", first[:40])


def _kind_of_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return message("a zip archive, or a file of torch.save, that is not whole (copy it again)")
    if any(name.endswith("/constants.pkl") for name in names):
        return message("a TorchScript archive (keep the tensors by torch.save(model.state_dict(), ...) in its place)")
    if not any(name.endswith("data.pkl") for name in names):
        return message(
            "a zip archive that torch did not write (it holds {names})", listed(names, SHOWN) or message("nothing")
        )
    return None


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)
