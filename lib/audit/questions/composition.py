"""Who is in the cohort? Images, patients and sick images of everyone and of each group, by split; empty groups are kept.

`estimate` = share of sick, with a 95 % interval by patient: of unit `image`, sick images / images; of unit `patient`, the mean over
patients of the share of their images that are sick. A patient whose images differ in an attribute is counted in each group.
"""

from collections.abc import Iterator

import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, I, S
from lib.audit.context import Context
from lib.audit.questions._shared import splits
from lib.names import IMAGE, PATIENT

name = "composition"
schema = {"split": S, "attribute": S, "group": S, "unit": S, "images": I, "patients": I, "sick": I} | DESCRIBED


def compute(context: Context) -> Iterator[pl.DataFrame]:
    for split, people in splits(context):
        sick = [int(people.labels[cell.images].sum()) for cell in people.cells]
        for unit in (PATIENT, IMAGE):
            shares = metrics.rates(
                people,
                people.labels[None].astype(float),
                unit=metrics.Unit(unit),
                smallest_cell=1,
                metrics=("selection_rate",),
            )
            table = context.describe(shares).table().with_columns(split=pl.lit(split), unit=pl.lit(unit))
            yield table.with_columns(sick=pl.Series(sick, dtype=I))
