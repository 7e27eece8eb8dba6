"""Where networks look: the mean saliency of each group and label, where they are right and where they are wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.special import stdtrit

from lib.pictures.cells import LEAST, Array, between, cells, patient_weights

SIDE = 32
"""Positions to which the coarse maps of a network are interpolated, in each direction."""
BOX = (1 / 8, 7 / 8)
"""Where the lungs are, in parts of the image's height and of its width: on the mean radiographs of ChestX-ray14 both
lungs, the heart and the diaphragm lie within it in both views; the neck, shoulders, arms and what is written at the
edges lie outside."""
OUTSIDE_IF_EVEN = 1 - (BOX[1] - BOX[0]) ** 2
"""Share of the saliency outside the box if it were spread evenly."""

SCHEMA: dict[str, Any] = {"attribute": pl.String, "group": pl.String, "label": pl.Int64, "correct": pl.Boolean}
SCHEMA |= {"patients": pl.Int64, "images": pl.Int64, "networks": pl.Int64, "blank": pl.Int64, "positions": pl.Int64}
SCHEMA |= {"outside": pl.Float64, "low": pl.Float64, "high": pl.Float64}
SCHEMA |= {"side": pl.Int64, "density": pl.List(pl.Float32)}


def mean_saliency(frame: pl.DataFrame, maps: Array, scores: Array, attributes: Sequence[str]) -> pl.DataFrame:
    """Mean saliency by group of each attribute, label, and whether a network's decision at 0.5 is right; as `SCHEMA`.

    `frame` has a row per image (see `cells`); `maps` (S, n, h, w) are the saliency, from 0, of S networks on its n
    images; `scores` (S, n) their scores of sick. Each map is interpolated to `SIDE` x `SIDE` and scaled to mean 1, so
    that a network sure of itself does not count for more; `density` is the mean over patients of the mean over each
    one's images and networks: 1 = as much as if it were spread evenly. `outside` is the share of it that lies outside
    `BOX`, with a 95 % interval by patient (Student's t; retraining is not in it). Maps that are 0 everywhere (`blank`,
    pairs of image and network) have no place and are left out. Null where fewer than `LEAST` distinct patients are in
    the cell; a patient is in two cells when networks disagree or its images differ.
    """
    networks, images, height, width = maps.shape
    down, across = (between(size, SIDE).astype(np.float32) for size in (height, width))
    fine = down @ maps.astype(np.float32) @ across.T
    total = fine.mean(axis=(2, 3), keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        fine = np.where(total > 0, fine / total, np.nan).reshape(-1, SIDE * SIDE)
    blank = np.isnan(fine[:, 0])
    place = (np.arange(SIDE) + 0.5) / SIDE
    inside = (place > BOX[0]) & (place < BOX[1])
    outside = np.where(np.outer(inside, inside).ravel(), 0, fine).mean(axis=1)
    patients = np.tile(frame["patient"].to_numpy(), networks)
    called = (scores >= 0.5).ravel()
    right = called == np.tile(frame["label"].to_numpy() == 1, networks)
    rows = []
    for cell in cells(frame, attributes):
        for correct in (True, False):
            here = np.tile(cell.rows, networks) & (right == correct)
            shown = here & ~blank
            distinct = len(np.unique(patients[shown]))
            count = int(here.reshape(networks, images).any(axis=0).sum())
            share, density = [None] * 3, None
            if distinct >= LEAST:
                weights = patient_weights(patients[shown], np.ones(int(shown.sum()), bool))
                share = _interval(outside[shown], patients[shown])
                density = (weights @ fine[shown]).tolist()
            sizes = distinct, count, networks, int((here & blank).sum()), height
            rows.append((cell.attribute, cell.group, cell.label, correct, *sizes, *share, SIDE, density))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _interval(values: Array, patients: np.ndarray) -> tuple[float, float, float]:
    """Mean over patients of the mean of each one's values, and its 95 % interval."""
    codes = np.unique(patients, return_inverse=True)[1]
    means = np.bincount(codes, values) / np.bincount(codes)
    half = stdtrit(len(means) - 1, 0.975) * means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean()), float(means.mean() - half), float(means.mean() + half)
