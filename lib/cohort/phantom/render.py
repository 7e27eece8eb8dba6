"""One image: build, pose, layers, findings; and the film, from attenuation to grey levels."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lib.cohort.phantom.anatomy import build, outline, pose
from lib.cohort.phantom.canvas import Layer, axes, edge, field
from lib.cohort.phantom.devices import bedside, marker
from lib.cohort.phantom.findings import OVERLAY, Scene, reshape
from lib.cohort.phantom.patients import Shot
from lib.cohort.phantom.tissues import abdomen, body, bones, breasts, centre, depth, vessels

SCATTER_CELLS = 32


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
