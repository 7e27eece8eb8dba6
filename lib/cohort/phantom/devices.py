"""What lies on the film besides the patient: side marker, words, tubes and leads."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lib.cohort.phantom.anatomy import Anatomy
from lib.cohort.phantom.canvas import Layer, Stroke, shrink, strokes

FONT = lru_cache(maxsize=16)(ImageFont.load_default)
"""By its pixels."""


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
