"""One image: build, pose, layers, findings, film."""

import numpy as np
from numpy.typing import NDArray

from lib.cohort.phantom.anatomy import build, outline, pose
from lib.cohort.phantom.bones import bones
from lib.cohort.phantom.canvas import field
from lib.cohort.phantom.devices import bedside, marker
from lib.cohort.phantom.film import develop
from lib.cohort.phantom.findings import OVERLAY, Scene, reshape
from lib.cohort.phantom.patients import Shot
from lib.cohort.phantom.soft import abdomen, body, breasts, centre, depth, vessels


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
