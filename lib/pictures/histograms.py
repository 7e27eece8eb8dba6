"""How scores are spread in each group, the sick and the healthy apart: what any threshold has to cut."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.names import OVERALL
from lib.pictures.cells import Array, cells, patient_weights

BINS = 40
"""Bins of equal width between the scores 0 and 1, before merging."""
LEAST_IN_BIN = 5
"""Distinct patients of a bar; bins with fewer are merged with their neighbours."""
THRESHOLD = 0.5
"""Of the untouched classifier: no bar crosses it where both sides have enough patients."""

SCHEMA: dict[str, Any] = {"weighting": pl.String, "attribute": pl.String, "group": pl.String, "label": pl.Int64}
SCHEMA |= {"start": pl.Float64, "end": pl.Float64, "share": pl.Float64, "patients": pl.Int64}


def score_histograms(frame: pl.DataFrame, scores: Mapping[str, Array], attributes: Sequence[str]) -> pl.DataFrame:
    """Histograms of the scores of sick by weighting, group of each attribute (and everyone) and label; as `SCHEMA`.

    `frame` has a row per image (see `cells`); `scores[weighting]` (S, n) are those of its S networks. All networks count
    alike: the share of a bar is the mean of the shares in their histograms, so that a histogram cut at `THRESHOLD` gives
    the mean of the networks' rates, as tables do. `share` of the patients of the group and label whose score lies in
    [start, end) (the last bar includes 1): within group and label every patient counts once, its images alike; shares
    of a histogram add up to 1. A bar holds at least `LEAST_IN_BIN` distinct patients: bins are merged from the left
    until it does, what is left at the right joins the last bar, on each side of `THRESHOLD` by itself where both sides
    have enough; groups with fewer patients have no histogram. A patient may be in several bars.
    """
    everyone = frame.with_columns(pl.lit("all").alias(OVERALL))
    patients = np.unique(frame["patient"].to_numpy(), return_inverse=True)[1]
    bars = [
        (weighting, cell.attribute, cell.group, cell.label, *bar)
        for weighting, of_networks in scores.items()
        for bins in [np.minimum((of_networks * BINS).astype(int), BINS - 1)]
        for cell in cells(everyone, [OVERALL, *attributes])
        for bar in _bars(bins[:, cell.rows], patients[cell.rows])
    ]
    return pl.DataFrame(bars, schema=SCHEMA, orient="row")


def _bars(bins: NDArray[np.intp], patients: NDArray[np.intp]) -> Iterator[tuple[float, float, float, int]]:
    """(start, end, share, patients) of every bar of one histogram of the bins (S, n) of the n images of `patients`."""
    weights = patient_weights(patients, np.ones(len(patients), bool)) / len(bins)
    shares = np.bincount(bins.ravel(), np.tile(weights, len(bins)), BINS)
    in_bin = [set(patients[(bins == position).any(axis=0)].tolist()) for position in range(BINS)]
    cut = round(THRESHOLD * BINS)
    sides = [_merged(in_bin, 0, cut), _merged(in_bin, cut, BINS)]
    for start, stop in sides[0] + sides[1] if all(sides) else _merged(in_bin, 0, BINS):
        distinct = len(set().union(*in_bin[start:stop]))
        yield start / BINS, stop / BINS, float(shares[start:stop].sum()), distinct


def _merged(in_bin: Sequence[set[int]], first: int, end: int) -> list[tuple[int, int]]:
    """Bars as [start, stop) in the bins from `first` to `end`, each with enough patients; none when all are too few."""
    bars: list[tuple[int, int]] = []
    start, held = first, set()
    for position in range(first, end):
        held = held | in_bin[position]
        if len(held) >= LEAST_IN_BIN:
            bars.append((start, position + 1))
            start, held = position + 1, set()
    if bars:
        bars[-1] = (bars[-1][0], end)
    return bars
