"""The drawing ground: coordinates, soft edges, smooth fields and antialiased strokes, for any image size.

Places are fractions of the image, `u` to the right and `v` down; layers are (n, n) float32.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Layer = NDArray[np.float32]
Stroke = tuple[Sequence[float], float, float]
"""Points as u, v, u, v, ..., width as a fraction of the image, brightness 0 to 1."""


@lru_cache(maxsize=4)
def axes(n: int) -> tuple[Layer, Layer]:
    """`u` (1, n) and `v` (n, 1): the middle of each pixel."""
    middle = ((np.arange(n) + 0.5) / n).astype(np.float32)
    return middle[None, :], middle[:, None]


def edge(distance: Layer, width: float) -> Layer:
    """0 where `distance` is below -width/2, 1 above width/2, in between a ramp, smoothed where it is wide enough to see."""
    t = np.asarray(distance * np.float32(1 / width), np.float32)
    t += np.float32(0.5)
    np.clip(t, 0, 1, out=t)
    return t if width < 0.025 else (3 - 2 * t) * t * t


def bell(distance: Layer, width: float) -> Layer:
    """Gaussian bump: 1 at 0, standard deviation `width`."""
    t = np.asarray(distance * np.float32(np.sqrt(0.5) / width), np.float32)
    np.multiply(t, t, out=t)
    np.negative(t, out=t)
    return np.exp(t, out=t)


def band(distance: Layer, half: float, soft: float) -> Layer:
    """1 within `half` of 0, with soft edges."""
    return edge(half - np.abs(distance), soft)


def oval(u: Layer, v: Layer, centre: tuple[float, float], radii: tuple[float, float], tilt: float = 0.0) -> Layer:
    """1 - r^2 of an ellipse turned by `tilt` radians: above 0 inside, 1 in the middle."""
    x, y = u - np.float32(centre[0]), v - np.float32(centre[1])
    cos, sin = np.cos(tilt), np.sin(tilt)
    # factors first, while `u` and `v` are still lines of pixels
    long = x * np.float32(cos / radii[0]) + y * np.float32(sin / radii[0])
    short = y * np.float32(cos / radii[1]) - x * np.float32(sin / radii[1])
    np.multiply(long, long, out=long)
    np.multiply(short, short, out=short)
    long += short
    return np.subtract(np.float32(1), long, out=long)


def dome(inside: Layer) -> Layer:
    """Path length through an ellipsoid, from `oval`: 1 in the middle, 0 from the rim on."""
    return np.sqrt(np.clip(inside, 0, None))


@lru_cache(maxsize=16)
def _interpolation(n: int, cells: int) -> Layer:
    """(n, cells + 3) weights of the cubic B-spline."""
    place = (np.arange(n) + 0.5) / n * cells
    first, t = np.floor(place).astype(int), place % 1
    weights = np.zeros((n, cells + 3), np.float32)
    pieces = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    for k, piece in enumerate(pieces):
        weights[np.arange(n), first + k] = piece / 6
    return weights


def field(draw: np.random.Generator, n: int, cells: int) -> Layer:
    """Smooth noise with about `cells` bumps along each side, mean 0 and standard deviation near 1."""
    weights = _interpolation(n, cells)
    knots = draw.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    return weights @ knots @ weights.T * np.float32(2.1)


def strokes(n: int, lines: Iterable[Stroke]) -> Layer:
    """Lines drawn at twice the size and averaged down; where they cross, the later one is seen."""
    sheet = Image.new("L", (2 * n, 2 * n))
    pen = ImageDraw.Draw(sheet)
    for points, width, brightness in lines:
        pen.line([2 * n * x for x in points], fill=round(255 * brightness), width=max(1, round(2 * n * width)))
    return shrink(sheet)


def shrink(sheet: Image.Image) -> Layer:
    """A picture of (2n, 2n) pixels as a layer (n, n) from 0 to 1."""
    return np.asarray(sheet.reduce(2), np.float32) * np.float32(1 / 255)
