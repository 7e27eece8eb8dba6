"""Is the same patient scored otherwise in one group than in another? Each patient is the control of their own images.

By patient, baseline; of attributes that change between a patient's images (the view does, sex does not). For each
`group - reference` and label: the mean, over the patients with such images in both groups, of the difference between their mean
scores (`score`) and between the shares of their images called sick (`selection_rate`). Whatever stays with the patient cannot make
it; the day, how sick the patient was on it and what was done at the bedside still can. Means over networks; intervals over patients and networks.
A matched-pair design: Breslow & Day 1980, "Statistical Methods in Cancer Research", vol. 1, ch. 5 (IARC Scientific Publications 32).
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, B, I, S
from lib.audit.context import Context
from lib.audit.inference import ratio
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "within_patient"
KEYS = {"attribute": S, "contrast": S, "label": I, "patients": I, "estimable": B}
schema = {"metric": S} | KEYS | DESCRIBED | {"verdict": S}
needs = ("scores", "pairs")


def compute(context: Context) -> Iterator[pl.DataFrame]:
    people = context.population
    asked = [(*pair, label) for pair in people.pairs for label in (0, 1)]
    both = np.stack([(people.counts_by_cell[:, pair, y] > 0).all(axis=1) for *_, pair, y in asked], axis=1)
    patients = both.sum(axis=0)
    enough = patients >= max(1, context.smallest_cell)
    rows = [(*own[:2], own[3], *counts) for own, *counts in zip(asked, patients, enough, strict=True)]
    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    decided = {"bounds": (-1, 1)}  # of many nobody may change sides: that is no certainty
    for metric, values, known in (
        ("score", context.scores[BASELINE_WEIGHTING], {}),
        ("selection_rate", context.decisions[BASELINE], decided),
    ):
        means = people.sums_by_cell(values) / np.maximum(people.counts_by_cell, 1)
        apart = np.stack([means[:, :, g, y] - means[:, :, r, y] for *_, (g, r), y in asked], axis=2)
        figures = ratio(index, BASELINE_WEIGHTING, apart * both, both, **known).take(patients > 0)
        yield context.describe(figures).table().with_columns(metric=pl.lit(metric))
