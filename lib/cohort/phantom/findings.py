"""Findings, drawn as radiologists describe them (Hansell et al. 2008, Fleischner glossary, doi 10.1148/radiol.2462070712).

A finding may change the build (`RESHAPE`: an enlarged heart, flat domes) and the layers (`OVERLAY`: opacities, air).
`s` is how strongly it shows: 1 is plain to see, 0 cannot be seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lib.cohort.phantom.anatomy import Anatomy, Outline
from lib.cohort.phantom.canvas import Layer, band, bell, edge, field, oval


@dataclass
class Scene:
    """Layers (n, n) that findings may change: `air` and `vessels` of the lungs, `tissue` added to all that."""

    anatomy: Anatomy
    outline: Outline
    air: Layer
    vessels: Layer
    tissue: Layer

    def __post_init__(self) -> None:
        self.u, self.v, self.n = self.outline.u, self.outline.v, len(self.air)

    def spot(self, draw: np.random.Generator, low: float, high: float, inner: float = 0.35, outer: float = 0.85):
        """A place in a lung: (u, v) between the shares `low` and `high` of its height, `inner` and `outer` of its width."""
        a, sign = self.anatomy, _side(draw)
        v = a.apex + (a.right_dome - a.apex) * draw.uniform(low, high)
        return a.middle + a.tilt * (v - 0.5) + sign * a.chest * draw.uniform(inner, outer), v


def _side(draw: np.random.Generator) -> int:
    return 1 if draw.random() < 0.5 else -1


def infiltration(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Ill-defined patchy opacities, mostly in the lower zones."""
    haze = sum(
        bell(x.u - p[0], draw.uniform(0.035, 0.075)) * bell(x.v - p[1], draw.uniform(0.03, 0.07))
        for p in (x.spot(draw, 0.35, 0.95) for _ in range(draw.integers(2, 5)))
    )
    patchy = np.clip(0.75 + 0.45 * field(draw, x.n, 22), 0.1, 2)
    x.tissue += s * 0.27 * np.clip(haze, 0, 1.3) * patchy * x.outline.lung


def consolidation(x: Scene, draw: np.random.Generator, s: float, size: float = 1.0) -> None:
    """A dense opacity of part of a lobe, one border ill-defined, with the bronchi left dark in it."""
    p = x.spot(draw, 0.45, 0.9, 0.4, 0.75)
    inside = oval(x.u, x.v, p, (0.10 * size, 0.085 * size), draw.uniform(-0.6, 0.6)) + 0.28 * field(draw, x.n, 12)
    dense = edge(inside - 0.35, 0.6)
    bronchi = edge(np.abs(field(draw, x.n, 14)) - 0.12, 0.2)
    x.tissue += s * 0.36 * dense * (0.7 + 0.3 * bronchi) * x.outline.lung
    x.vessels *= 1 - min(s, 1) * 0.7 * dense


def pneumonia(x: Scene, draw: np.random.Generator, s: float) -> None:
    """A smaller consolidation with a hazy surround."""
    consolidation(x, draw, 0.8 * s, 0.8)
    infiltration(x, draw, 0.45 * s)


def edema(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Bilateral haze around the hila (bat wings), wide vessels, thin septal lines at the bases."""
    a = x.anatomy
    level = a.apex + 0.55 * (a.right_dome - a.apex)
    wings = bell(x.outline.t - 0.38, 0.24) * bell(x.v - level, 0.14)
    x.tissue += s * 0.20 * wings * np.clip(0.9 + 0.3 * field(draw, x.n, 18), 0.2, 2) * x.outline.lung
    septa = (
        band((x.v / np.float32(0.017)) % 1 - 0.5, 0.12, 0.15)
        * edge(x.outline.t - 0.82, 0.08)
        * edge(x.v - level - 0.1, 0.05)
    )
    x.tissue += s * 0.05 * septa * x.outline.lung
    x.vessels *= 1 + 0.25 * s


def effusion(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Fluid fills the costophrenic angle up to a meniscus that rises towards the chest wall."""
    a, o = x.anatomy, x.outline
    for sign in (-1, 1) if draw.random() < 0.3 else (_side(draw),):
        height = draw.uniform(0.03, 0.16) * (0.5 + 0.5 * s)
        dome = a.right_dome if sign < 0 else a.left_dome
        surface = dome + 0.035 - height * (0.35 + 0.65 * np.square(np.clip(o.t - 0.25, 0, 1.2)) * 1.6)
        fluid = edge(x.v - surface, 0.03) * edge(sign * o.d, 0.01) * o.lung
        dense = min(1.0, 0.45 + 0.5 * s) * min(1.0, 3 * s)
        x.air *= 1 - dense * fluid
        x.vessels *= 1 - dense * fluid
        x.tissue += 0.12 * dense * fluid


def atelectasis(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Plates of collapsed lung near a base: dense lines, nearly horizontal, with some haze; the dome above is raised."""
    for _ in range(draw.integers(1, 4)):
        p = x.spot(draw, 0.66, 0.97, 0.35, 0.7)
        slope = draw.uniform(-0.35, 0.35)
        line = x.v - p[1] - slope * (x.u - p[0])
        plate = bell(line, draw.uniform(0.005, 0.010)) * edge(draw.uniform(0.05, 0.10) - np.abs(x.u - p[0]), 0.04)
        haze = bell(x.u - p[0], 0.07) * bell(line - 0.015, 0.035)
        x.tissue += s * (0.24 * plate + 0.13 * haze) * x.outline.lung


def nodule(x: Scene, draw: np.random.Generator, s: float) -> None:
    """One to three round opacities under 3 cm, well defined."""
    for _ in range(draw.integers(1, 4)):
        _ball(x, draw, s * 0.22, draw.uniform(0.014, 0.032), 0.35)


def mass(x: Scene, draw: np.random.Generator, s: float) -> None:
    """A round opacity over 3 cm with a lobed border."""
    _ball(x, draw, s * 0.26, draw.uniform(0.045, 0.085), 0.22, lobes=0.3)


def _ball(x: Scene, draw: np.random.Generator, dense: float, radius: float, soft: float, lobes: float = 0.0) -> None:
    inside = oval(x.u, x.v, x.spot(draw, 0.12, 0.9, 0.3), (radius, radius * draw.uniform(0.85, 1.15)))
    if lobes:
        inside = inside + lobes * field(draw, x.n, 20) * edge(inside + 1.2, 1)
    ball = edge(inside - 0.2, 2 * soft)
    x.tissue += (
        dense * ball * (0.75 + 0.25 * np.clip(inside, 0, 1)) * (0.25 + 0.75 * x.outline.lung * (1 - x.outline.core))
    )


def fibrosis(x: Scene, draw: np.random.Generator, s: float) -> None:
    """A net of fine lines, densest at the bases and the periphery."""
    a = x.anatomy
    where = edge(x.outline.t - 0.5, 0.5) * edge(x.v - a.apex - 0.45 * (a.right_dome - a.apex), 0.3)
    net = np.maximum(bell(field(draw, x.n, 64), 0.25), bell(field(draw, x.n, 48), 0.25))
    x.tissue += s * 0.15 * (net + 0.25) * where * x.outline.lung


def emphysema(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Few and thin vessels, here and there a bulla with a hairline wall."""
    x.vessels *= max(0.0, 1 - 0.55 * s)
    x.air *= 1 + 0.12 * s
    for _ in range(draw.integers(0, 3)):
        inside = oval(x.u, x.v, x.spot(draw, 0.08, 0.45), (draw.uniform(0.03, 0.06), draw.uniform(0.03, 0.06)))
        x.tissue += s * (0.07 * bell(inside, 0.10) - 0.05 * edge(inside, 0.2)) * x.outline.lung


def pleural_thickening(x: Scene, draw: np.random.Generator, s: float) -> None:
    """A band of soft tissue along the chest wall, or a cap at the apex."""
    a, o, sign = x.anatomy, x.outline, _side(draw)
    if draw.random() < 0.4:
        layer = bell(x.v - o.top, 0.022 + 0.012 * s) * edge(0.95 - o.t, 0.1)
    else:
        wide = 0.10 + 0.06 * draw.random() + 0.03 * field(draw, x.n, 9)
        layer = edge(o.t - 1 + wide, 0.05) * edge(x.v - a.apex - draw.uniform(0.15, 0.3), 0.1)
    x.tissue += s * 0.30 * layer * edge(sign * o.d, 0.01) * o.lung


def pneumothorax(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Air without vessels outside a thin white line, the lung's border, at apex and side."""
    a, o, sign = x.anatomy, x.outline, _side(draw)
    gap = draw.uniform(0.10, 0.30) * (0.5 + 0.5 * s)
    inwards = np.minimum(1 - o.t, (x.v - o.top) / np.float32(0.55 * a.chest))
    inwards = inwards / np.clip(1.5 - 1.25 * (x.v - a.apex) / (a.right_dome - a.apex), 0.15, None)
    free = edge(gap - inwards, 0.02) * edge(sign * o.d, 0.01) * o.lung
    line = bell(inwards - gap, 0.016) * edge(sign * o.d, 0.01) * o.lung
    x.vessels *= 1 - min(1.0, 1.3 * s) * free
    x.air *= 1 + 0.22 * s * free - 0.10 * s * edge(inwards - gap, 0.02) * edge(sign * o.d, 0.01)
    x.tissue += s * 0.11 * line


def hernia(x: Scene, draw: np.random.Generator, s: float) -> None:
    """A round shadow behind the heart with an air level in it."""
    a = x.anatomy
    inside = oval(x.u, x.v, (a.middle + 0.03, a.left_dome - 0.06), (0.085, 0.07))
    level = edge(a.left_dome - 0.065 - x.v, 0.008)
    x.tissue += s * edge(inside, 0.25) * (0.12 - 0.20 * level)


def cardiomegaly(x: Scene, draw: np.random.Generator, s: float) -> None:
    """Nothing beyond the changed build."""


DRAWN = (atelectasis, cardiomegaly, consolidation, edema, effusion, emphysema, fibrosis, hernia, infiltration, mass)
DRAWN += (nodule, pleural_thickening, pneumonia, pneumothorax)
OVERLAY: dict[str, Callable[[Scene, np.random.Generator, float], None]] = {
    draw.__name__.title(): draw for draw in DRAWN
}
"""By the names of the public data set, such as `Pleural_Thickening`."""


def reshape(a: Anatomy, findings: tuple[str, ...], s: float) -> Anatomy:
    """The build under findings that change outlines."""
    if "Cardiomegaly" in findings:
        a = replace(a, heart=a.heart * (1 + 0.34 * s))
    if "Edema" in findings:
        a = replace(a, heart=a.heart * (1 + 0.10 * s), air=a.air * (1 - 0.06 * s))
    if "Emphysema" in findings:
        a = replace(
            a,
            right_dome=a.right_dome + 0.065 * s,
            left_dome=a.left_dome + 0.065 * s,
            dome_height=a.dome_height * (1 - 0.55 * s),
            heart=a.heart * (1 - 0.12 * s),
            air=a.air * (1 + 0.08 * s),
        )
    if "Atelectasis" in findings:
        a = replace(a, right_dome=a.right_dome - 0.035 * s)
    return a
