"""Images decoded once, in parallel, into a uint8 memory map keyed by content and size."""

import hashlib
import importlib.util
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


def can_read_dicom() -> bool:
    """Whether pydicom, an optional package, is installed."""
    return importlib.util.find_spec("pydicom") is not None


def _is_dicom(source: str | Path | io.BytesIO) -> bool:
    """By the four letters that the standard puts after 128 bytes (DICOM PS3.10)."""
    if isinstance(source, io.BytesIO):
        return source.getbuffer()[128:132] == b"DICM"
    with open(source, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def _dicom_header(source: str | Path | io.BytesIO) -> tuple[tuple[int, int] | None, str | None]:
    if not can_read_dicom():
        return None, None
    import pydicom

    try:
        scan = pydicom.dcmread(source, stop_before_pixels=True)
        return (int(scan.Columns), int(scan.Rows)), "L" if int(scan.get("BitsStored", 8)) == 8 else "I;16"
    except Exception:  # a damaged header ends in whatever its values cannot be turned into
        return None, None


def _from_dicom(path: Path) -> Image.Image:
    """The first frame in 8-bit grey, black where the standard says so (MONOCHROME1 is inverted), from the darkest to the
    brightest pixel unless the file has a window. Raises ValueError for what is no image."""
    if not can_read_dicom():
        raise ValueError(f"{path} is a DICOM image, which is read by pydicom, and that is not installed")
    import pydicom
    from pydicom.errors import InvalidDicomError
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    try:
        scan = pydicom.dcmread(path)
        if int(scan.Rows) * int(scan.Columns) > LARGEST:
            raise ValueError(f"{path} has {scan.Rows} x {scan.Columns} pixels, at most {LARGEST} are read")
        pixels = apply_voi_lut(apply_modality_lut(scan.pixel_array, scan), scan).astype(np.float64)
    except (
        AttributeError,
        InvalidDicomError,
        NotImplementedError,
        KeyError,
        RuntimeError,
        TypeError,
        IndexError,
    ) as error:
        raise ValueError(f"{path} is no DICOM image that can be read ({error})") from None
    while pixels.ndim > 2:
        pixels = pixels.mean(axis=-1) if pixels.shape[-1] == 3 else pixels[0]
    low, high = pixels.min(), pixels.max()
    grey = (pixels - low) / (high - low or 1) * 255
    if scan.get("PhotometricInterpretation") == "MONOCHROME1":
        grey = 255 - grey
    return Image.fromarray(grey.round().astype(np.uint8))


def read_header(source: str | Path | io.BytesIO) -> tuple[tuple[int, int] | None, str | None]:
    """Size (width, height) and Pillow's mode of an image, from its first bytes; (None, None) when it is no PNG or JPEG."""
    try:
        if _is_dicom(source):
            return _dicom_header(source)
        with warnings.catch_warnings(), Image.open(source, formats=("PNG", "JPEG")) as image:
            return image.size, image.mode
    except UNREADABLE:
        return None, None


def read_grey(path: Path, size: int) -> np.ndarray:
    """One image as (size, size) uint8 grey. Raises OSError or ValueError when it is no image or is too large."""
    if _is_dicom(path):
        grey = _from_dicom(path)
    else:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            if image.width * image.height > LARGEST:
                raise ValueError(f"{path} has {image.width} x {image.height} pixels, at most {LARGEST} are read")
            if image.mode.startswith("I"):
                image = Image.fromarray((np.asarray(image) / 257).clip(0, 255).astype(np.uint8))
            grey = image.convert("L")
    if grey.size != (size, size):
        grey = grey.resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(grey)
