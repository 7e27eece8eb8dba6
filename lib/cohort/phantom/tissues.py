"""What attenuates: the body, the lungs' vessels, heart and mediastinum, windpipe, breasts, diaphragm and stomach; and bones."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from lib.cohort.phantom.anatomy import Anatomy, Outline
from lib.cohort.phantom.canvas import Layer, Stroke, axes, band, bell, dome, edge, oval, strokes


def body(a: Anatomy, o: Outline) -> Layer:
    """Path length through neck, shoulders, trunk and arms: 0 in air, about 1 in the middle of the trunk."""
    side = o.side
    trunk = a.chest + 0.04 + 0.06 * a.fat + 0.03 * edge(o.v - 0.65, 0.5)
    across = side / trunk
    chest = np.sqrt(np.clip(1 - across * across * across, 0, 1))
    out = np.clip(side - 0.09, 0, None)
    slope = a.apex - 0.015 - 0.05 * a.fat + 0.13 * out + 0.55 * np.square(out) - 0.16 * edge(0.12 - side, 0.08)
    armpit = 0.40 + 0.75 * a.ap - (0.55 - 0.8 * a.ap) * (side - trunk)
    limb = 0.60 * edge(armpit - o.v, 0.10) * (1 - 0.35 * edge(o.v - 0.3, 0.3))
    return np.maximum(chest, limb) * edge(o.v - slope, 0.035 + 0.02 * a.fat) * (0.80 + 0.20 * edge(o.v - 0.2, 0.4))


def depth(a: Anatomy, o: Outline) -> Layer:
    """Path length through air in the lungs: deepest at mid-lung, and thin in front of and behind the heart."""
    profile = 0.80 + 0.20 * (1 - np.square((o.t - 0.58) / 0.55))
    profile = profile * (1 - 0.16 * edge(o.v - 0.42, 0.5)) * (0.86 + 0.14 * edge(o.v - a.apex - 0.1, 0.2))
    return o.lung * profile * (1 - o.core * (0.86 - 0.10 * edge(o.v - 0.5, 0.2))) * np.float32(a.air)


def centre(a: Anatomy, o: Outline) -> Layer:
    """Heart and great vessels within their outline, thicker towards the middle, and the dark windpipe."""
    bottom = max(a.right_dome, a.left_dome)
    heart = oval(o.d, o.v, (0.045, bottom - 0.10), (0.155 * a.heart, 0.13 * a.heart), 0.45)
    tissue = o.core * (0.02 + 0.05 * bell(o.d, 0.05) + 0.11 * dome(heart))
    knob = oval(o.d, o.v, (0.040 + 0.016 * a.knob, 0.29), (0.034 * a.knob, 0.036 * a.knob))
    tissue = tissue + 0.05 * dome(knob)
    carina = a.apex + 0.25
    pipe = bell(o.d - 0.006, 0.017) * edge(carina - o.v, 0.03)
    fork = bell(o.side - 0.5 * (o.v - carina), 0.013) * edge(o.v - carina, 0.02) * edge(carina + 0.10 - o.v, 0.06)
    return tissue - 0.13 * pipe - 0.06 * fork


def breasts(a: Anatomy, o: Outline) -> Layer:
    """Two soft discs over the lower lungs, with a sharper lower rim; in men, faint chest muscles."""
    side = o.side
    if a.breast <= 0:
        return 0.035 * edge(oval(side, o.v, (0.25, 0.33), (0.15, 0.13), 0.5), 0.9)
    size = 0.115 + 0.06 * a.breast
    inside = oval(side, o.v, (0.235 + 0.03 * a.breast, 0.56 + 0.04 * a.breast), (size, size * 0.95), -0.2)
    lower = edge(o.v - 0.56, 0.25)
    return a.breast * (0.15 * dome(inside) + 0.035 * edge(inside, 0.18) * lower)


def abdomen(a: Anatomy, o: Outline, draw: np.random.Generator) -> Layer:
    """Liver and spleen under the domes, and air in the stomach on some images."""
    below = edge(o.v - o.floor, 0.012) * edge(1.12 - o.t, 0.1)
    layer = below * (0.08 + 0.08 * edge(o.v - o.floor - 0.08, 0.25))
    if draw.random() < 0.45:
        place = (0.16 + 0.05 * draw.random(), a.left_dome + 0.085 + 0.02 * draw.random())
        bubble = oval(o.d, o.v, place, (0.05 + 0.035 * draw.random(), 0.026 + 0.016 * draw.random()), -0.2)
        layer = layer - 0.22 * edge(bubble, 0.5) * below
    return layer


def vessels(a: Anatomy, n: int) -> Layer:
    """Branching vessels from both hila, finer outwards (0 to 1), and the soft shadow of the hila themselves.

    The tree belongs to the patient: it is the same on every image, wherever the chest lies.
    """
    u, v = axes(n)
    draw = np.random.default_rng(a.lung_tree)
    floor = min(a.right_dome, a.left_dome)
    hila = np.zeros((n, n), np.float32)
    sides = np.array([-1, 1])
    level = a.apex + 0.53 * (floor - a.apex) - 0.02 * (sides > 0)
    starts = np.stack([a.middle + a.tilt * (level - 0.5) + sides * 0.07, level], axis=1)
    for side, start in zip(sides, starts, strict=True):
        hila += np.clip(oval(u, v, tuple(start), (0.045, 0.085), side * 0.3), 0, 1)
    fine = strokes(n, _trees(draw, starts, sides))
    return gaussian_filter(fine, 0.003 * n, truncate=2.5) + 0.5 * hila


WIDTHS, LIGHT, SPROUTS = (0.012, 0.0075, 0.0050, 0.0035), (1.0, 0.72, 0.50, 0.34), (3, 2, 1, 0)


def _trees(draw: np.random.Generator, starts: NDArray[np.float64], sides: NDArray[np.int64]) -> list[Stroke]:
    """Vessels of three joints each, finest first, on both sides from their hilum.

    From the middle and the end of each grow finer ones, three times over, ever fewer.
    """
    angle = np.tile(np.linspace(-1.4, 1.4, 8), 2) + 0.22 * draw.standard_normal(16)
    sign, origin, length = np.repeat(sides, 8), np.repeat(starts, 8, axis=0), 0.07 + 0.10 * draw.random(16)
    lines: list[Stroke] = []
    for width, light, sprouts in zip(WIDTHS, LIGHT, SPROUTS, strict=True):
        turned = angle[:, None] + np.cumsum(0.27 * draw.standard_normal((len(angle), 3)), axis=1)
        steps = np.stack([sign[:, None] * np.cos(turned), np.sin(turned)], axis=-1) * (length / 3)[:, None, None]
        points = np.concatenate([origin[:, None], origin[:, None] + np.cumsum(steps, axis=1)], axis=1)
        lines = [(line, width, light) for line in points.reshape(-1, 8).tolist()] + lines
        if not sprouts:
            break
        spread = 0.30 + 0.45 * draw.random(len(angle))
        other = -spread * draw.uniform(0.5, 1.2, len(angle))
        flip = draw.choice((-1.0, 1.0), len(angle))
        origin = np.concatenate([points[:, 3], points[:, 3], points[:, 2]][:sprouts])
        turns = (turned[:, 2] + spread * flip, turned[:, 2] + other * flip, turned[:, 1] + 0.9 * flip)
        angle, sign = np.concatenate(turns[:sprouts]), np.tile(sign, sprouts)
        length = np.tile(length * 0.74, sprouts)
    return lines


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
