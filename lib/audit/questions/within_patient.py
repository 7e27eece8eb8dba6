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
needs = ("scores",)


def compute(context: Context) -> Iterator[pl.DataFrame]:
    people = context.population
    place = {(cell.attribute, cell.group): k for k, cell in enumerate(people.cells)}
    contrasts = [(own.name, group, own.reference) for own in people.attributes.values() for group in own.groups]
    rows, sides = [], []
    for attribute, group, reference in (own for own in contrasts if own[1] != own[2]):
        for label in (0, 1):
            cells = [place[attribute, group], place[attribute, reference]]
            both = (people.counts_by_cell[:, cells, label] > 0).all(axis=1)
            if both.any():
                count = int(both.sum())
                rows.append((attribute, f"{group} - {reference}", label, count, count >= context.smallest_cell))
                sides.append((cells, label, both))
    if not rows:
        return
    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    there = np.stack([both for *_, both in sides], axis=1) * 1.0
    decided = {"bounds": (-1, 1)}  # of many nobody may change sides: that is no certainty
    for metric, values, known in (
        ("score", context.scores[BASELINE_WEIGHTING], {}),
        ("selection_rate", context.decisions[BASELINE], decided),
    ):
        means = people.sums_by_cell(values) / np.maximum(people.counts_by_cell, 1)
        apart = np.stack([means[:, :, one, label] - means[:, :, two, label] for (one, two), label, _ in sides], axis=2)
        figures = ratio(index, BASELINE_WEIGHTING, apart * there, there, **known)
        yield context.describe(figures).table().with_columns(metric=pl.lit(metric))
