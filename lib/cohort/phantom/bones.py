"""Spine, ribs, clavicles, shoulder blades and humeral heads: what a chest film shows of bone."""

import numpy as np

from lib.cohort.phantom.anatomy import Anatomy, Outline
from lib.cohort.phantom.canvas import Layer, band, bell, edge, oval


def bones(a: Anatomy, o: Outline) -> Layer:
    """Attenuation of all bones (n, n), about 0 to 0.4."""
    contrast = a.rib_contrast * (1 - 0.25 * a.ap)
    return (
        0.105 * contrast * ribs(a, o)
        + 0.17 * contrast * clavicles(a, o)
        + 0.11 * contrast * shoulder_blades(a, o)
        + 0.16 * contrast * arms(a, o)
        + 0.12 * spine(a, o)
    )


def ribs(a: Anatomy, o: Outline) -> Layer:
    """Posterior ribs arch from the spine outwards and down; anterior ribs, fainter, fall towards the middle.

    All ribs of a kind are one periodic profile along a bent coordinate, so they cost as much as one.
    """
    t = o.t
    inside = edge(1.06 - t, 0.05) * edge(o.v - o.top + 0.01, 0.02)
    square = np.square(t)
    along = o.v + 0.085 * t - 0.17 * square * square
    back = _bars(along - a.apex - 0.015, a.rib_spacing, 0.29)
    back *= inside * edge(t - 0.10, 0.10) * edge(a.apex + 10.2 * a.rib_spacing - along, 0.06)
    slope = o.v + 0.30 * t - 0.12 * square
    front = _bars(slope - a.apex - 0.27, a.rib_spacing * 1.15, 0.36)
    front *= inside * edge(t - 0.45, 0.25) * edge(a.apex + 0.62 - slope, 0.08)
    rim = bell(t - 1.0, 0.03) * edge(o.v - o.top - 0.02, 0.05) * 0.5
    return (back + 0.5 * front + rim) * (1 - 0.75 * edge(o.v - o.floor, 0.03))


def _bars(x: Layer, spacing: float, half: float) -> Layer:
    """Bars with bright rims, the lower rim thinner, repeated every `spacing`; `half` is their half width in spacings."""
    turns = x * np.float32(1 / spacing)
    phase = np.abs(turns - np.floor(turns) - np.float32(0.5))
    bar = edge(half - phase, 0.10)
    return bar * (0.55 + 0.45 * edge(phase - half + 0.10, 0.12))


def clavicles(a: Anatomy, o: Outline) -> Layer:
    """From beside the midline outwards and slightly up, S-shaped, thicker at the inner end."""
    side = o.side
    inner = a.apex + 0.105 - 0.03 * a.ap
    line = inner - (0.30 + 0.08 * a.ap) * (side - 0.05) + 0.018 * np.sin((side - 0.05) * 15)
    half = np.float32(0.019) + 0.008 * bell(side - 0.05, 0.03)
    away = np.abs(o.v - line) / half
    bar = edge(1 - away, 0.30) * (0.65 + 0.35 * edge(away - 0.62, 0.3))
    return bar * edge(side - 0.045, 0.02) * edge(1.22 * a.chest - side, 0.05)


def shoulder_blades(a: Anatomy, o: Outline) -> Layer:
    """A plate with bright rims: beside the lungs in PA, where the arms are turned out of the way, over them in AP."""
    inner = a.chest * (0.96 - 0.24 * a.ap)
    x, y = o.side - np.float32(inner), o.v - np.float32(a.apex + 0.06)
    near = x - 0.16 * y * (1 - 0.4 * a.ap)
    far = 0.17 - x - 0.30 * y
    inside = np.minimum(np.minimum(near, far), np.minimum(y + 0.25 * x, 0.40 - y))
    return edge(inside, 0.012) * (0.45 + 0.55 * (1 - edge(inside - 0.012, 0.018)))


def arms(a: Anatomy, o: Outline) -> Layer:
    """Humeral heads at the shoulders, and the shafts below them."""
    side = o.side
    place = (a.chest * 1.28 + 0.02, a.apex + 0.10)
    head = oval(side, o.v, place, (0.055, 0.06))
    shaft = band(side - place[0] - 0.10 * (o.v - place[1]) - 0.012, 0.024, 0.012) * edge(o.v - place[1], 0.02)
    return np.maximum(edge(head, 0.25) * 0.9, shaft * edge(0.55 - o.v, 0.4))


def spine(a: Anatomy, o: Outline) -> Layer:
    """Vertebral bodies with their discs and spinous processes, through neck and mediastinum."""
    column = edge(0.040 - o.side, 0.02)
    phase = (o.v / np.float32(0.052 + 0.01 * o.v)) % 1
    body = 0.62 + 0.38 * band(phase - 0.5, 0.36, 0.2)
    process = bell(o.d, 0.007) * band(phase - 0.75, 0.2, 0.2) * 0.5
    return column * (body + process) * (0.55 + 0.45 * edge(o.v - 0.1, 0.5))
