"""A patient's build, how a patient stood for one image, and the outlines that follow from both."""

from dataclasses import dataclass, replace

import numpy as np

from lib.cohort.phantom.canvas import Layer, axes, bell, edge


@dataclass(frozen=True)
class Anatomy:
    """Places and sizes as fractions of the image; `female`, `old` and `ap` say what is drawn, from 0 to 1."""

    female: float
    old: float
    """0 at 20 years, 1 at 80."""
    ap: float
    middle: float = 0.5
    tilt: float = 0.0
    chest: float = 0.37
    """Half the inner width of the chest."""
    apex: float = 0.09
    right_dome: float = 0.69
    left_dome: float = 0.72
    dome_height: float = 0.10
    heart: float = 1.0
    knob: float = 1.0
    rib_spacing: float = 0.073
    rib_contrast: float = 1.0
    air: float = 1.0
    """How dark the lungs are."""
    fat: float = 0.5
    breast: float = 0.0
    lung_tree: int = 0
    """Seed of the vessels."""


def build(draw: np.random.Generator, *, female: bool, age: float) -> Anatomy:
    """A patient: the sexes differ by breast and size, age by rib contrast, aortic knob and heart."""
    old = float(np.clip((age - 20) / 60, -0.3, 1.1))
    child = float(np.clip((16 - age) / 16, 0, 1))
    fat = float(draw.beta(2, 2.5))
    return Anatomy(
        female=float(female),
        old=old,
        ap=0.0,
        chest=0.375 - 0.015 * female - 0.05 * child - 0.02 * fat + 0.012 * draw.standard_normal(),
        apex=0.085 + 0.018 * draw.standard_normal(),
        right_dome=0.70 + 0.025 * draw.standard_normal() - 0.03 * fat,
        left_dome=0.725 + 0.025 * draw.standard_normal() - 0.03 * fat,
        dome_height=0.085 + 0.012 * draw.standard_normal(),
        heart=0.90 + 0.12 * max(old, 0) + 0.06 * draw.standard_normal() + 0.08 * fat,
        knob=0.55 + 0.75 * max(old, 0) + 0.12 * draw.standard_normal(),
        rib_spacing=0.070 + 0.004 * draw.standard_normal(),
        rib_contrast=float(np.clip(1.1 - 0.45 * old + 0.12 * draw.standard_normal(), 0.3, 1.5)),
        air=1.0 + 0.06 * draw.standard_normal() - 0.12 * fat,
        fat=fat,
        breast=float(female and age > 13) * (0.45 + 0.55 * draw.beta(2, 2)),
        lung_tree=int(draw.integers(2**31)),
    )


def pose(build: Anatomy, draw: np.random.Generator, *, ap: bool) -> Anatomy:
    """The patient on one image: bedside (AP) images show less breath, a larger heart and a less exact position."""
    loose = 1.6 if ap else 1.0
    breath = 0.012 * draw.standard_normal() - 0.05 * ap
    wide = 1 + 0.025 * loose * draw.standard_normal()
    return replace(
        build,
        ap=float(ap),
        middle=0.5 + 0.012 * loose * draw.standard_normal(),
        tilt=0.03 * loose * draw.standard_normal(),
        chest=build.chest * wide - 0.012 * ap,
        apex=build.apex + 0.02 * ap + 0.012 * loose * draw.standard_normal(),
        right_dome=build.right_dome + breath,
        left_dome=build.left_dome + breath,
        heart=build.heart * (1.20 if ap else 1.0) * (1 + 0.03 * draw.standard_normal()),
    )


@dataclass(frozen=True)
class Outline:
    """Layers (n, n) from 0 to 1: `lung` (both), `core` (mediastinum and heart); and what they were made of: `u` (1, n) and `v`
    (n, 1) are the places of the pixels."""

    u: Layer
    v: Layer
    d: Layer
    """Distance to the patient's midline, signed, to the image's right (the patient's left)."""
    side: Layer
    """The same, unsigned."""
    t: Layer
    """Distance to the midline as a share of the chest's half width at that height."""
    lung: Layer
    core: Layer
    floor: Layer
    """(1, n) or (n, n): height `v` of the diaphragm."""
    top: Layer
    """(n, n): height of the lung's apex."""


def outline(a: Anatomy, n: int) -> Outline:
    """Where lungs, heart and diaphragm are."""
    u, v = axes(n)
    d = u - np.float32(a.middle) - np.float32(a.tilt) * (v - 0.5)
    side = np.abs(d)
    right, left = _borders(a, v)
    floor = _floor(side, a) + np.float32(a.right_dome) + np.float32(a.left_dome - a.right_dome) * edge(d, 0.16)
    top = a.apex + 3.6 * np.square(side - 0.44 * a.chest)
    down = np.clip((v - a.apex) / (0.74 - a.apex), 0, 1)
    wall = np.float32(a.chest) * (0.58 + 0.42 * np.sqrt(1 - (1 - down) ** 2.1))
    lung = edge(wall - side, 0.014) * edge(v - top, 0.016) * edge(floor - v, 0.010)
    core = edge(left - d, 0.020) * edge(d + right, 0.020)
    return Outline(u, v, d, side, side / wall, lung, core, floor, top)


def _borders(a: Anatomy, v: Layer) -> tuple[Layer, Layer]:
    """Half widths (n, 1) of the mediastinum: vena cava and right atrium; aortic knob, pulmonary artery, left ventricle."""
    base = 0.042 + 0.012 * a.ap + 0.01 * a.fat + 0.03 * edge(0.13 - v, 0.14)
    bottom = max(a.right_dome, a.left_dome)
    right = base + 0.010 * bell(v - 0.27, 0.09) + 0.046 * a.heart * edge(v - bottom + 0.22, 0.20)
    left = base + 0.028 * a.knob * bell(v - 0.29, 0.034) + 0.018 * bell(v - 0.40, 0.05)
    left = left + 0.132 * a.heart**1.3 * edge(v - bottom + 0.17, 0.32) ** 0.75
    return right.astype(np.float32), left.astype(np.float32)


def _floor(side: Layer, a: Anatomy) -> Layer:
    """How far a dome lies below its top: highest at mid-lung, lower at the heart, steep in the costophrenic angle."""
    x = (side - np.float32(0.48 * a.chest)) * np.float32(1 / a.chest)
    square = np.square(x)
    return a.dome_height * square * np.where(x < 0, np.float32(1.2), 3.5 + 5 * x)
