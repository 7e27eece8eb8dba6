"""The mean radiograph of each group and label: what distinguishes them before any network has looked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from lib.pictures.cells import LEAST, Array, Cell, area_means, cells, patient_weights

SIDE = 96
"""Pixels of a mean radiograph at most."""
CHUNK = 256
"""Images read from the memory map at a time."""

SCHEMA: dict[str, Any] = {"attribute": pl.String, "group": pl.String, "label": pl.Int64}
SCHEMA |= {"patients": pl.Int64, "images": pl.Int64, "side": pl.Int64, "pixels": pl.List(pl.UInt8)}
ROUNDING = 1 / np.sqrt(12)
"""Standard deviation, in grey levels, of what rounding to whole grey levels takes away."""
HIDDEN = 64.0
"""Grey levels of noise in which a picture is lost."""


def mean_radiographs(frame: pl.DataFrame, pixels: np.ndarray, attributes: Sequence[str]) -> pl.DataFrame:
    """Mean grey levels by group of each attribute and label, a row for each cell; columns as `SCHEMA`.

    `frame` has a row per image (see `cells`) and `pixels` (n, h, w) uint8 theirs. `pixels` of a row are `side` x `side`
    grey levels 0 to 255, line by line from the top left: the mean over patients of the mean over each one's images,
    after means over areas. They are null where fewer than `LEAST` distinct patients are in the cell, and where
    subtracting the other pictures from those of another attribute would leave the mean of too few (`_kept`).
    """
    found = list(cells(frame, attributes))
    kept = _kept(frame, found)
    patients = frame["patient"].to_numpy()
    weights = np.stack([patient_weights(patients, cell.rows) for cell in kept]) if kept else np.empty((0, len(pixels)))
    side = min(SIDE, *pixels.shape[1:])
    means = dict(zip(map(id, kept), _weighted(pixels, weights, side), strict=True))
    rows = []
    for cell in found:
        mean = means.get(id(cell))
        grey = None if mean is None else mean.round().clip(0, 255).astype(np.uint8).ravel().tolist()
        rows.append((cell.attribute, cell.group, cell.label, cell.patients, cell.images, side, grey))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _weighted(pixels: np.ndarray, weights: Array, side: int) -> Array:
    """Weighted sums (C, side, side) of pixels (n, h, w) under weights (C, n), read once."""
    height, width = pixels.shape[1:]
    down, across = area_means(height, side), area_means(width, side)
    sums = np.zeros((len(weights), height * width))
    for start in range(0, len(pixels), CHUNK):
        part = pixels[start : start + CHUNK].reshape(-1, height * width).astype(np.float32)
        sums += weights[:, start : start + CHUNK].astype(np.float32) @ part
    return down @ sums.reshape(-1, height, width) @ across.T


def _kept(frame: pl.DataFrame, found: Sequence[Cell]) -> list[Cell]:
    """The cells that are published: those with enough patients, unless a difference of pictures could tell of fewer.

    The pictures of one attribute and label, each times its patients, add up to those of any other attribute; where one
    is left out (or some groups are unknown), subtracting shows the mean of those left out. That is harmless when nobody
    or `LEAST` patients are left out, and when the grey levels' rounding, which the subtraction multiplies, drowns it:
    noise sqrt(sum of squared patients / 12) / patients left out. Otherwise the smallest cell is left out, too.
    """
    patients, labels = frame["patient"].to_numpy(), frame["label"].to_numpy()
    kept: list[Cell] = []
    for attribute in dict.fromkeys(cell.attribute for cell in found):
        for label in (0, 1):
            own = [cell for cell in found if (cell.attribute, cell.label) == (attribute, label) and cell.enough]
            own.sort(key=lambda cell: cell.patients, reverse=True)
            while own:
                shown = np.logical_or.reduce([cell.rows for cell in own])
                left = len(np.unique(patients[(labels == label) & ~shown]))
                noise = ROUNDING * np.sqrt(sum(cell.patients**2 for cell in own)) / max(1, left)
                if left == 0 or left >= LEAST or noise >= HIDDEN:
                    break
                own.pop()
            kept += own
    return [cell for cell in found if any(cell is other for other in kept)]
