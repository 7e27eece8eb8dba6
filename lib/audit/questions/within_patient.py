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
KEYS = {"attribute": S, "contrast": S, "label": I, "metric": S, "patients": I, "estimable": B}
schema = KEYS | DESCRIBED
needs = ("scores",)


def compute(context: Context) -> Iterator[pl.DataFrame]:
    people = context.population
    place = {(cell.attribute, cell.group): k for k, cell in enumerate(people.cells)}
    counts = people.counts_by_cell
    both = {
        (own.name, group, own.reference, label): there
        for own in people.attributes.values()
        for group in own.groups
        if group != own.reference
        for label in (0, 1)
        if (there := (counts[:, [place[own.name, group], place[own.name, own.reference]], label] > 0).all(axis=1)).any()
    }
    if not both:
        return
    there = np.stack(list(both.values()), axis=1)
    for metric, values in (
        ("score", context.scores[BASELINE_WEIGHTING]),
        ("selection_rate", context.decisions[BASELINE]),
    ):
        means = people.sums_by_cell(values) / np.maximum(counts, 1)
        sides = [
            means[:, :, place[attribute, group], label] - means[:, :, place[attribute, reference], label]
            for attribute, group, reference, label in both
        ]
        rows = [
            (
                attribute,
                f"{group} - {reference}",
                label,
                metric,
                int(own.sum()),
                bool(own.sum() >= context.smallest_cell),
            )
            for (attribute, group, reference, label), own in both.items()
        ]
        index = pl.DataFrame(rows, schema=KEYS, orient="row")
        figures = ratio(index, BASELINE_WEIGHTING, np.stack(sides, axis=2) * there, there * 1.0, bounds=(-1, 1))
        yield context.describe(figures).table()
