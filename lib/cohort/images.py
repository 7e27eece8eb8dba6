"""Images decoded once, in parallel, into a uint8 memory map keyed by content and size."""

import hashlib
import importlib.util
import io
import json
import logging
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from tqdm import tqdm

from lib.files import alone_with, sweep, write_whole, writing_to
from lib.messages import UserError, message

log = logging.getLogger(__name__)

LARGEST = 64_000_000
"""Pixels; a larger image is refused before it is decoded."""
DEPTHS = (8, 10, 12, 14, 16)
"""Bits in which detectors and archives write grey levels; a 16-bit file may hold any of them."""
READING = 2
"""Number of the way in which files become grey levels: maps of another way are made anew."""

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

    Grey, RGB, palette, alpha and 16-bit PNG or JPEG are all turned into 8-bit grey and resized to `size` x `size`; how
    many bits those of 16 really hold follows from the highest value among them all, so that one scale serves every image.
    The map is written beside its final name and moved there when whole, so an interrupted decoding leaves no half map.
    """
    key = hashlib.blake2b(f"{READING}:{size}:{','.join(frame['digest'])}".encode(), digest_size=16).hexdigest()
    target, unreadable = cache / f"{key}.npy", cache / f"{key}.json"
    if not (target.is_file() and unreadable.is_file()):
        with alone_with(target):
            if not (target.is_file() and unreadable.is_file()):
                sweep(cache, f"{key}.*.building")
                building = target.with_suffix(f".{os.getpid()}.building")
                try:
                    with writing_to(cache):
                        write_whole(unreadable, json.dumps(_decode(frame["path"].to_list(), size, building)))
                        building.replace(target)
                finally:
                    building.unlink(missing_ok=True)
    mask = np.zeros(frame.height, bool)
    try:
        values = np.load(target, mmap_mode="r")
        mask[json.loads(unreadable.read_text())] = True
        if values.shape != (frame.height, size, size) or values.dtype != np.uint8:
            raise ValueError
    except (ValueError, EOFError, IndexError, TypeError):
        raise UserError(
            "{target} is not a map of these images: delete it, and they are decoded again.", target
        ) from None
    return Pixels(values, mask)


def _decode(paths: list[str], size: int, building: Path) -> list[int]:
    """Write the map; returns the rows that are no readable image. The file is closed on return, as Windows requires."""
    pixels = np.lib.format.open_memmap(building, mode="w+", dtype=np.uint8, shape=(len(paths), size, size))
    if hasattr(os, "posix_fallocate"):  # a disk that fills up under a memory map would kill the process without a word
        with building.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, building.stat().st_size)
    failed = []
    depth = _depth_of_all(paths)

    def one(row: int) -> None:
        try:
            pixels[row] = read_grey(Path(paths[row]), size, depth)
        except UNREADABLE:
            failed.append(row)

    with ThreadPoolExecutor() as pool:
        list(tqdm(pool.map(one, range(len(paths))), message("Decoding images"), len(paths), unit=message(" images")))
    pixels.flush()
    return sorted(failed)


def can_read_dicom() -> bool:
    """Whether pydicom, an optional package, is installed."""
    return importlib.util.find_spec("pydicom") is not None


def _from_dicom(path: Path) -> Image.Image:
    """The first frame in 8-bit grey, black where the standard says so (MONOCHROME1 is inverted), from the darkest to the
    brightest pixel unless the file has a window. Raises ValueError for what is no image."""
    try:
        import pydicom
        from pydicom.pixels import apply_modality_lut, apply_voi_lut

        scan = pydicom.dcmread(path)
        if int(scan.Rows) * int(scan.Columns) > LARGEST:
            raise ValueError(f"{scan.Rows} x {scan.Columns} pixels, at most {LARGEST} are read")
        pixels = apply_voi_lut(apply_modality_lut(scan.pixel_array, scan), scan).astype(np.float64)
    except Exception as error:  # a damaged file ends in whatever its values cannot be turned into
        raise ValueError(f"{path} is no DICOM image that can be read ({error})") from None
    while pixels.ndim > 2:
        pixels = pixels.mean(axis=-1) if pixels.shape[-1] == 3 else pixels[0]
    low, high = pixels.min(), pixels.max()
    grey = (pixels - low) / (high - low or 1) * 255
    if scan.get("PhotometricInterpretation") == "MONOCHROME1":
        grey = 255 - grey
    return Image.fromarray(grey.round().astype(np.uint8))


def read_header(source: str | Path | io.BytesIO) -> tuple[tuple[int, int] | None, str | None]:
    """Size (width, height) and Pillow's mode of a PNG or JPEG, from its first bytes; (None, None) of anything else."""
    try:
        with warnings.catch_warnings(), Image.open(source, formats=("PNG", "JPEG")) as image:
            return image.size, image.mode
    except UNREADABLE:
        return None, None


def read_grey(path: Path, size: int, depth: int | None = None) -> np.ndarray:
    """One image as (size, size) uint8 grey; errors and `depth` as of `grey_image`."""
    grey = grey_image(path, depth)
    return np.asarray(grey if grey.size == (size, size) else grey.resize((size, size), Image.Resampling.LANCZOS))


def grey_image(path: Path, depth: int | None = None) -> Image.Image:
    """One image in 8-bit grey, at its own size. Raises OSError or ValueError when it is no image or is too large.

    White of a 16-bit file is the highest value of `depth` bits (default: of as many as its own values need).
    """
    with path.open("rb") as file:
        if file.read(132)[128:] == b"DICM":  # DICOM PS3.10
            return _from_dicom(path)
    with _opened(path) as image:
        if not _is_deep(image):
            return image.convert("L")
        values = np.asarray(image)
    white = 2 ** (depth or bits(int(values.max()))) - 1
    return Image.fromarray(np.rint(values * (255 / white)).clip(0, 255).astype(np.uint8))


def bits(highest: int) -> int:
    """The least of `DEPTHS` that holds this value."""
    return next((depth for depth in DEPTHS if highest < 2**depth), DEPTHS[-1])


def _depth_of_all(paths: list[str]) -> int | None:
    """Bits that the highest value of all 16-bit images needs; None when no image is one. Fewer than 16 are logged."""

    def highest_deep_value(path: str) -> int | None:
        with suppress(*UNREADABLE), _opened(Path(path)) as image:
            return int(np.asarray(image).max()) if _is_deep(image) else None

    with ThreadPoolExecutor() as pool:
        highest = [value for value in pool.map(highest_deep_value, paths) if value is not None]
    if not highest:
        return None
    depth = bits(max(highest))
    if depth < DEPTHS[-1]:
        log.warning(
            message(
                "16-bit images: the highest value of {count} is {highest}, all are read as of {depth} bits.",
                len(highest),
                max(highest),
                depth,
            )
        )
    return depth


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with Image.open(path, formats=("PNG", "JPEG")) as image:
        if image.width * image.height > LARGEST:
            raise ValueError(f"{path} has {image.width} x {image.height} pixels, at most {LARGEST} are read")
        yield image


def _is_deep(image: Image.Image) -> bool:
    """Whether Pillow keeps 16 bits for each value: of grey images alone; of others it takes the upper half."""
    return image.mode.startswith("I")
