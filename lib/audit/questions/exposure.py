"""Are some groups' images brighter or flatter? What a network could use instead of disease.

Mean grey level (`mean`) and its standard deviation within images (`contrast`), 0 to 1, per image, by group and label of
the whole cohort, with single intervals by patient.
"""

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, I, S
from lib.audit.context import Context
from lib.audit.inference import Population
from lib.audit.questions._shared import by_image
from lib.names import OVERALL

name = "exposure"
schema = {"measure": S, "attribute": S, "group": S, "label": I} | DESCRIBED | {"images": I}
needs = ("grey", "cohort")


def grey_levels(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Mean grey level and its standard deviation (`contrast`) of each image, (n,), 0 to 1, of pixels (n, h, w) uint8."""
    moments = np.array([(image.mean(), image.std()) for image in pixels]) / 255
    return {"mean": moments[:, 0], "contrast": moments[:, 1]}


def compute(context: Context) -> pl.DataFrame:
    people = Population.from_frame(context.cohort, attributes=list(context.population.attributes.values()))
    keys, values, members = [], [], []
    for measure, levels in context.grey.items():
        for cell in people.cells:
            for label in (0, 1):
                own = cell.images & (people.labels == label)
                if cell.attribute != OVERALL:
                    keys.append((measure, cell.attribute, cell.group, label, int(own.sum())))
                    values.append(levels * own)
                    members.append(own)
    index = pl.DataFrame(keys, schema=[key for key in schema if key not in DESCRIBED], orient="row")
    return context.describe(by_image(people, index, values, members)).table()
