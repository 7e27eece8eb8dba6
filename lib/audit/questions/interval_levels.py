"""Why do intervals resample patients? The baseline's rates by image, with intervals by patient and (too narrow) by image.

A patient's images resemble each other, so `level` "image", which takes them for strangers, promises too much: shown
once, never used.
"""

import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, S
from lib.audit.context import Context
from lib.names import BASELINE, IMAGE, PATIENT

name = "interval_levels"
schema = {"attribute": S, "group": S, "metric": S, "level": S} | DESCRIBED
TOLD = ("balanced_accuracy", "tpr", "fpr", "selection_rate")


def compute(context: Context) -> list[pl.DataFrame]:
    people = {PATIENT: context.population, IMAGE: context.population.by_image()}
    own = {"unit": metrics.Unit.IMAGE, "smallest_cell": context.smallest_cell, "metrics": TOLD}
    return [
        context.describe(metrics.rates(side, context.decisions[BASELINE], **own))
        .table()
        .with_columns(level=pl.lit(level))
        for level, side in people.items()
    ]
