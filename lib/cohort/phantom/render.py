"""One image: build, pose, layers, findings, what lies on the film besides; and the film, from attenuation to grey levels."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from lib.cohort.phantom.anatomy import Anatomy, build, outline, pose
from lib.cohort.phantom.canvas import Layer, Stroke, axes, edge, field, shrink, strokes
from lib.cohort.phantom.findings import OVERLAY, Scene, reshape
from lib.cohort.phantom.patients import Shot
from lib.cohort.phantom.tissues import abdomen, body, bones, breasts, centre, depth, vessels

SCATTER_CELLS = 32
FONT = lru_cache(maxsize=16)(ImageFont.load_default)
"""By its pixels."""


def render(shot: Shot, *, seed: int, size: int = 256) -> NDArray[np.uint8]:
    """The image as grey levels (size, size). Without its findings, the same image would differ by nothing else."""
    build_draw = np.random.default_rng([seed, 1, shot.patient])
    pose_draw, finding_draw, film_draw = (
        np.random.default_rng([seed, stream, shot.patient, shot.visit]) for stream in (2, 3, 4)
    )
    a = pose(build(build_draw, female=shot.female, age=shot.age), pose_draw, ap=shot.ap)
    a = reshape(a, shot.findings, shot.strength)
    o = outline(a, size)
    tissue = body(a, o)
    x = Scene(a, o, depth(a, o), vessels(a, size), centre(a, o))
    for finding in shot.findings:
        OVERLAY[finding](x, finding_draw, shot.strength)
    layer = 0.90 * tissue - 0.62 * x.air * np.sqrt(tissue) + 0.105 * x.vessels * o.lung + x.tissue
    layer += bones(a, o) * tissue + breasts(a, o) + abdomen(a, o, pose_draw)
    layer += (0.012 * field(film_draw, size, 9) + 0.012 * field(film_draw, size, 48) * o.lung) * tissue
    if shot.ap:
        layer += 0.35 * bedside(size, a, film_draw)
    label = marker(size, film_draw, disc=shot.disc, ap=shot.ap)
    grey = develop(layer, film_draw, ap=shot.ap, poor=shot.poor)
    return np.maximum(grey, (label * 255).astype(np.uint8))


def marker(n: int, draw: np.random.Generator, *, disc: bool, ap: bool) -> Layer:
    """A side marker in an upper corner (0 to 1): the letter on a `disc`, or alone; bedside films also say so in words."""
    left = draw.random() < 0.85
    u = 0.925 + 0.03 * draw.random() if left else 0.06 + 0.03 * draw.random()
    v = 0.055 + 0.05 * draw.random()
    words = [("L" if left else "R", u, v, 0.075)]
    if ap and draw.random() < 0.6:
        words.append(("PORTABLE", 0.22 + 0.4 * draw.random(), 0.03 + 0.02 * draw.random(), 0.03))
    if ap and draw.random() < 0.5:
        words.append(("AP", 0.80 + 0.03 * draw.random(), 0.07, 0.035))
    sheet = Image.new("L", (2 * n, 2 * n))
    pen = ImageDraw.Draw(sheet)
    for number, (text, x, y, size) in enumerate(words):
        middle, half = (2 * n * x, 2 * n * y), 2 * n * 0.044
        if disc and number == 0:
            pen.ellipse([middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half], fill=235)
        ink = 30 if disc and number == 0 else 245
        pen.text(middle, text, fill=ink, font=FONT(max(round(2 * n * size), 4)), anchor="mm")
    return shrink(sheet)


def bedside(n: int, a: Anatomy, draw: np.random.Generator) -> Layer:
    """Leads, lines and tubes of a patient in bed, each on some images (0 to 1)."""
    lines: list[Stroke] = []
    if draw.random() < 0.6:
        for _ in range(draw.integers(2, 5)):
            pad = (0.25 + 0.5 * draw.random(), 0.22 + 0.5 * draw.random())
            lines += _lead(draw, pad)
    if draw.random() < 0.30:
        lines.append((_curve(draw, (a.middle + 0.005, 0.0), (a.middle + 0.004, a.apex + 0.21), 0.006), 0.009, 0.45))
    if draw.random() < 0.30:
        lines.append((_curve(draw, (a.middle + 0.012, 0.0), (a.middle + 0.06, 0.97), 0.012), 0.006, 0.5))
    if draw.random() < 0.35:
        lines.append((_curve(draw, (0.16, a.apex + 0.10), (a.middle - 0.035, a.apex + 0.32), 0.05), 0.005, 0.6))
    return strokes(n, lines)


def _lead(draw: np.random.Generator, pad: tuple[float, float]) -> list[Stroke]:
    """An electrode and its wire, which leaves the image at the nearer side."""
    end = (-0.02 if pad[0] < 0.5 else 1.02, pad[1] + 0.3 * (draw.random() - 0.3))
    angle = np.linspace(0, 2 * np.pi, 9)
    ring = np.stack([pad[0] + 0.011 * np.cos(angle), pad[1] + 0.011 * np.sin(angle)], axis=1).ravel().tolist()
    return [(_curve(draw, pad, end, 0.06), 0.0045, 0.5), (ring, 0.007, 0.75), ([*pad, pad[0] + 0.004, pad[1]], 0.01, 1)]


def _curve(draw: np.random.Generator, start: tuple[float, float], end: tuple[float, float], bow: float) -> list[float]:
    """Sixteen points from start to end, bowed sideways by about `bow`."""
    t = np.linspace(0, 1, 16)
    (u0, v0), (u1, v1) = start, end
    one, two = bow * draw.standard_normal(2)
    off = one * np.sin(np.pi * t) + two * np.sin(2 * np.pi * t)
    du, dv = u1 - u0, v1 - v0
    length = float(np.hypot(du, dv)) or 1.0
    return np.stack([u0 + du * t - dv / length * off, v0 + dv * t + du / length * off], axis=1).ravel().tolist()


def develop(attenuation: Layer, draw: np.random.Generator, *, ap: bool, poor: float) -> NDArray[np.uint8]:
    """Grey levels (n, n): air is black, bone and abdomen are white, as on a film.

    Bedside (`ap`) films are flatter, noisier and less even; `poor`, 0 to 1, flattens and brightens further.
    """
    n, spread = len(attenuation), 1 + 0.6 * ap
    level = 0.030 * spread * draw.standard_normal() + 0.05 * ap + 0.06 * poor
    contrast = float(np.clip(1.02 - 0.20 * ap + 0.07 * spread * draw.standard_normal(), 0.55, 1.3)) * (1 - 0.6 * poor)
    scatter = 0.10 + 0.16 * ap + 0.03 * draw.random() + 0.2 * poor
    noise = (0.006 + 0.004 * ap + 0.004 * draw.random()) * (1 + poor)
    blur = 0.0016 + 0.0012 * ap * draw.random() + 0.002 * poor
    fall = 0.035 * spread * draw.standard_normal()  # between the left and the right border: the tube is not centred
    sharp = gaussian_filter(attenuation, blur * n, mode="nearest", truncate=2.5) if n >= 128 else attenuation
    down, up = _coarser(n)
    veil = up @ gaussian_filter(down @ sharp @ down.T, 3.5, mode="nearest") @ up.T  # as scattered rays spread widely
    layer = (1 - scatter) * sharp + scatter * veil
    grey = 0.56 + contrast * 1.02 * (layer - 0.64) + level + fall * (axes(n)[0] - 0.5)
    grey += np.float32(noise * min(1, n / 128)) * draw.standard_normal((n, n), dtype=np.float32)
    place = (grey - LOWEST) * np.float32((len(TONE) - 1) / (HIGHEST - LOWEST))
    return TONE[np.clip(place, 0, len(TONE) - 1).astype(np.int32)]


LOWEST, HIGHEST = -0.5, 2.0


def _tone() -> NDArray[np.uint8]:
    """Grey levels of the film from LOWEST to HIGHEST: straight in the middle, bent towards black and white at the ends."""
    grey = np.linspace(LOWEST, HIGHEST, 8192, dtype=np.float32)
    grey = np.where(grey > 0.78, 0.78 + 0.22 * np.tanh((grey - 0.78) / 0.22), grey)
    grey = np.where(grey < 0.12, 0.03 + 0.09 * edge(grey, 0.24), grey)
    return (255 * np.clip(grey, 0, 1)).astype(np.uint8)


TONE = _tone()
"""A table costs a tenth of working the curve out for every pixel."""


@lru_cache(maxsize=4)
def _coarser(n: int) -> tuple[Layer, Layer]:
    """Means of equally many pixels, (SCATTER_CELLS, n), and lines between those means, (n, SCATTER_CELLS)."""
    cells = np.eye(SCATTER_CELLS, dtype=np.float32)
    middle = (np.arange(SCATTER_CELLS) + 0.5) * n / SCATTER_CELLS - 0.5
    up = np.stack([np.interp(np.arange(n), middle, cell) for cell in cells], axis=1)
    return np.repeat(cells, n // SCATTER_CELLS, axis=1) * np.float32(SCATTER_CELLS / n), up.astype(np.float32)
