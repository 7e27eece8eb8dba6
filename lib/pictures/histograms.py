"""How scores are spread in each group, the sick and the healthy apart: what any threshold has to cut."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from lib.names import BASELINE_WEIGHTING, OVERALL
from lib.pictures.cells import Array, Cell, cells, patient_weights

BINS = 40
"""Bins of equal width between the scores 0 and 1, before merging."""
LEAST_IN_BIN = 5
"""Distinct patients of a bar; bins with fewer are merged with their neighbours."""

SCHEMA: dict[str, Any] = {"weighting": pl.String, "seed": pl.Int64, "attribute": pl.String, "group": pl.String}
SCHEMA |= {"label": pl.Int64, "start": pl.Float64, "end": pl.Float64, "share": pl.Float64}
SCHEMA |= {"patients": pl.Int64, "images": pl.Int64}


def score_histograms(
    frame: pl.DataFrame,
    scores: Mapping[str, Array],
    attributes: Sequence[str],
    seeds: Sequence[int],
    *,
    each: Sequence[str] = (BASELINE_WEIGHTING,),
) -> pl.DataFrame:
    """Histograms of the scores of sick by weighting, group of each attribute (and everyone) and label; as `SCHEMA`.

    `frame` has a row per image (see `cells`); `scores[weighting]` (S, n) are those of its S networks, of `seeds`. The
    score of a row with `seed` null is the mean over networks; weightings named in `each` also have their single
    networks. `share` of the patients of the group and label whose score lies in [start, end) (the last bar includes 1):
    within group and label every patient counts once, its images alike; shares of a histogram add up to 1. A bar
    holds at least `LEAST_IN_BIN` distinct patients: bins are merged from the left until it does, what is left at the
    right joins the last bar, and groups with fewer patients have no histogram. A patient with several images may be in
    several bars.
    """
    everyone = frame.with_columns(pl.lit("all").alias(OVERALL))
    found = list(cells(everyone, [OVERALL, *attributes]))
    patients = np.unique(frame["patient"].to_numpy(), return_inverse=True)[1]
    parts = []
    for weighting, own in scores.items():
        networks = [(None, own.mean(axis=0))]
        if weighting in each:
            networks += list(zip(seeds, own, strict=True))
        for seed, values in networks:
            bins = np.minimum((values * BINS).astype(int), BINS - 1)
            parts += [
                (weighting, seed, cell.attribute, cell.group, cell.label, *bar)
                for cell in found
                for bar in _bars(cell, bins, patients)
            ]
    return pl.DataFrame(parts, schema=SCHEMA, orient="row")


def _bars(cell: Cell, bins: np.ndarray, patients: np.ndarray) -> Iterator[tuple[float, float, float, int, int]]:
    """(start, end, share, patients, images) of every bar of one histogram."""
    own, owners = bins[cell.rows], patients[cell.rows]
    weights = patient_weights(owners, np.ones(len(owners), bool))
    shares, images = np.bincount(own, weights, BINS), np.bincount(own, minlength=BINS)
    whose: list[set[int]] = [set() for _ in range(BINS)]
    for position, owner in zip(own.tolist(), owners.tolist(), strict=True):
        whose[position].add(owner)
    for start, stop in _merged(whose):
        distinct = len(set().union(*whose[start:stop]))
        yield start / BINS, stop / BINS, float(shares[start:stop].sum()), distinct, int(images[start:stop].sum())


def _merged(whose: Sequence[set[int]]) -> list[tuple[int, int]]:
    """Bars as [start, stop) in bins, each with enough patients; none when all together are too few."""
    bars: list[tuple[int, int]] = []
    start, held = 0, set()
    for position, owners in enumerate(whose):
        held = held | owners
        if len(held) >= LEAST_IN_BIN:
            bars.append((start, position + 1))
            start, held = position + 1, set()
    if bars:
        bars[-1] = (bars[-1][0], BINS)
    return bars
