"""Where on the scale are scores wrong? Mean score and share of sick in ten bins with as many images each, by patient.

Numbered from 0; means over networks, with the single interval of the share of sick. Within a bin and group each patient
counts by the share of their images that it holds. Bins are held as in the sample.
"""

import numpy as np
import polars as pl

from lib.audit.columns import INTERVAL, F, I, S
from lib.audit.context import Context
from lib.audit.inference import pool, ratio
from lib.audit.questions._bins import BINS, bins_of
from lib.audit.questions.calibration import cell_weights, enough_of_both

name = "calibration_curve"
schema = {"weighting": S, "attribute": S, "group": S, "bin": I, "score": F, "observed": F} | INTERVAL
needs = ("scores",)


def compute(context: Context) -> pl.DataFrame:
    people = context.population
    scores = {w: rows for w, rows in context.scores.items() if context.ranks is None or w in context.ranks}
    cells = [
        cell for cell, enough in zip(people.cells, enough_of_both(people, context.smallest_cell), strict=True) if enough
    ]
    if not cells:
        return pl.DataFrame(schema=schema)
    keys = [(cell.attribute, cell.group, b) for cell in cells for b in range(BINS)]
    figures, means = {}, {}
    for weighting, rows in scores.items():
        parts = [[_sums(context, cell.images, row) for cell in cells] for row in rows]
        table = np.stack([np.concatenate([people.sums_by_patient(own) for own in of], axis=1) for of in parts])
        sick, score, held = (table.reshape(len(rows), people.n_patients, len(keys), 3)[..., k] for k in range(3))
        with np.errstate(invalid="ignore", divide="ignore"):
            means[weighting] = (score.sum(axis=1) / held.sum(axis=1)).mean(axis=0)
        index = pl.DataFrame(keys, schema={"attribute": S, "group": S, "bin": I}, orient="row")
        held_images = np.concatenate(parts[0], axis=1).reshape(people.n_images, -1, 3)[..., 2] > 0
        images = held_images.sum(axis=0)
        figures[weighting] = ratio(index, weighting, sick, held, images=images, proportion=True)
    tables = [
        context.describe(own).table().with_columns(weighting=pl.lit(w), score=pl.Series(means[w]), observed="estimate")
        for w, own in pool(figures).items()
    ]
    told = pl.concat(tables, how="diagonal_relaxed").select(pl.col(key).cast(kind) for key, kind in schema.items())
    return told.with_columns(pl.col("score").fill_nan(None)).drop_nulls(["score", "observed"])


def _sums(context: Context, images: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each image and bin the weighted label, score and weight, (n, bins x 3)."""
    people = context.population
    own = np.zeros((people.n_images, BINS, 3))
    place = np.flatnonzero(images)
    weights = cell_weights(people, images)
    values = np.stack([people.labels[images], scores[images], np.ones(len(place))], axis=1) * weights[:, None]
    own[place, bins_of(scores[images])] = values
    return own.reshape(people.n_images, -1)
