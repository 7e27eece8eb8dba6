"""Do a few patients bring most images? Patients and their images by how many images a patient has.

From `least` to `most`, null in the open last row.
"""

import numpy as np
import polars as pl

from lib.audit.columns import I, S
from lib.audit.context import Context
from lib.audit.questions._shared import splits

name = "visits"
schema = {"split": S, "least": I, "most": I, "patients": I, "images": I}
STEPS = (1, 2, 3, 4, 5, 6, 11, 21)
"""First number of images of each row."""


def compute(context: Context) -> pl.DataFrame:
    rows = []
    most = [*(step - 1 for step in STEPS[1:]), None]
    for split, people in splits(context):
        sizes = np.bincount(people.patients)
        patients, images = (np.histogram(sizes, [*STEPS, np.inf], weights=own)[0].tolist() for own in (None, sizes))
        rows += [(split, *row) for row in zip(STEPS, most, patients, images, strict=True)]
    return pl.DataFrame(rows, schema=schema, orient="row")
