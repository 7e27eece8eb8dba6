"""Images decoded once, in parallel, into a uint8 memory map keyed by content and size."""

import hashlib
import io
import json
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from tqdm import tqdm

from lib.files import alone_with, sweep, write_whole, writing_to

LARGEST = 64_000_000
"""Pixels; a larger image is refused before it is decoded."""


UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow may raise for a damaged file."""


@dataclass(frozen=True)
class Pixels:
    """`values` (n, size, size) uint8, row i belongs to row i of the frame; `unreadable` (n,) bool, those rows are 0."""

    values: np.ndarray
    unreadable: np.ndarray


def load_pixels(frame: pl.DataFrame, size: int, cache: Path) -> Pixels:
    """Map the images of `frame` (columns `path`, `digest`), decoding them when this content is seen for the first time.

    Grey, RGB, palette, alpha and 16-bit PNG or JPEG are all turned into 8-bit grey and resized to `size` x `size`.
    The map is written beside its final name and moved there when whole, so an interrupted decoding leaves no half map.
    """
    key = hashlib.blake2b(f"{size}:{','.join(frame['digest'])}".encode(), digest_size=16).hexdigest()
    target, unreadable = cache / f"{key}.npy", cache / f"{key}.json"
    if not (target.is_file() and unreadable.is_file()):
        with alone_with(target):
            if not (target.is_file() and unreadable.is_file()):
                sweep(cache, f"{key}.*.building")
                _build(frame["path"].to_list(), size, target, unreadable)
    mask = np.zeros(frame.height, bool)
    try:
        values = np.load(target, mmap_mode="r")
        mask[json.loads(unreadable.read_text())] = True
        if values.shape != (frame.height, size, size) or values.dtype != np.uint8:
            raise ValueError
    except (ValueError, EOFError, IndexError, TypeError):
        raise ValueError(f"{target} is not a map of these images: delete it, and they are decoded again.") from None
    return Pixels(values, mask)


def _build(paths: list[str], size: int, target: Path, unreadable: Path) -> None:
    building = target.with_suffix(f".{os.getpid()}.building")
    try:
        with writing_to(target.parent):
            failed = _decode(paths, size, building)
            write_whole(unreadable, json.dumps(failed))
            building.replace(target)
    finally:
        building.unlink(missing_ok=True)


def _decode(paths: list[str], size: int, building: Path) -> list[int]:
    """Write the map; returns the rows that are no readable image. The file is closed on return, as Windows requires."""
    pixels = np.lib.format.open_memmap(building, mode="w+", dtype=np.uint8, shape=(len(paths), size, size))
    if hasattr(os, "posix_fallocate"):  # a disk that fills up under a memory map would kill the process without a word
        with building.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, building.stat().st_size)
    failed = []

    def one(row: int) -> None:
        try:
            pixels[row] = read_grey(Path(paths[row]), size)
        except UNREADABLE:
            failed.append(row)

    with ThreadPoolExecutor() as pool:
        list(tqdm(pool.map(one, range(len(paths))), "Decoding images", len(paths), unit=" images"))
    pixels.flush()
    return sorted(failed)


def read_header(source: str | Path | io.BytesIO) -> tuple[tuple[int, int] | None, str | None]:
    """Size (width, height) and Pillow's mode of an image, from its first bytes; (None, None) when it is no PNG or JPEG."""
    try:
        with warnings.catch_warnings(), Image.open(source, formats=("PNG", "JPEG")) as image:
            return image.size, image.mode
    except UNREADABLE:
        return None, None


def read_grey(path: Path, size: int) -> np.ndarray:
    """One image as (size, size) uint8 grey. Raises OSError or ValueError when it is no image or is too large."""
    with Image.open(path, formats=("PNG", "JPEG")) as image:
        if image.width * image.height > LARGEST:
            raise ValueError(f"{path} has {image.width} x {image.height} pixels, at most {LARGEST} are read")
        if image.mode.startswith("I"):
            image = Image.fromarray((np.asarray(image) / 257).clip(0, 255).astype(np.uint8))
        grey = image.convert("L")
    if grey.size != (size, size):
        grey = grey.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(grey)
