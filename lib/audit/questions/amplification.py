"""Does the model make more of a group than the data do? Directional bias amplification, from attribute to task.

By patient, under the untouched baseline. For each `group - reference`: `data`, the difference in the share of sick; `model`, in the share called sick;
`excess` = model - data: described. Under the contrast `all groups`: `amplification` = mean over groups of side x
(share called sick - share of sick), side 1 where the group is sick more often than everyone and -1 elsewhere: above 0 the
decisions depend on the group, in the direction of the data, more than the labels of the same people do. One family over
the attributes of a method. Sides are those of the sample; without a side beyond noise (an interval of the difference from
everyone that holds 0, for any group) there is no direction to amplify, and it is not estimable.
Source: Wang & Russakovsky 2021, arXiv 2102.12594.
"""

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import METHOD, STANDARD, B, S, method_columns
from lib.audit.context import Context
from lib.audit.inference import Figures, pool
from lib.names import AMPLIFICATION, BASELINE

name = "amplification"
schema = METHOD | {"attribute": S, "contrast": S, "quantity": S} | STANDARD | {"estimable": B}
SHARE = "selection_rate"


def compute(context: Context) -> pl.DataFrame:
    # pooled as the selection rates are, from which they are taken off
    sick = pool({weighting: _shares_of_sick(context, weighting) for weighting in context.scores})[BASELINE[0]]
    called = context.levels().where(pl.col("metric") == SHARE)
    excess = called - sick
    # one figure a cell, everyone first
    sides = sick.estimate - sick.estimate[0]
    from_everyone = np.eye(len(sick))
    from_everyone[0] -= 1
    noise = context.describe(sick.contrast(sick.index, from_everyone))
    sure = called.index["estimable"].to_numpy() & ((noise.low > 0) | (noise.high < 0))
    keys, columns = [], []
    for attribute in context.population.attributes:
        own = (called.index["attribute"] == attribute).to_numpy()
        columns.append(np.where(own, np.where(sides > 0, 1, -1) / own.sum(), 0))
        keys.append((attribute, AMPLIFICATION, "amplification", bool(sure[own].all())))
    index = pl.DataFrame(keys, schema={"attribute": S, "contrast": S, "quantity": S, "estimable": B}, orient="row")
    tested = context.infer(excess.contrast(index, np.stack(columns, axis=1))).table()
    described = [
        context.describe(metrics.gaps(part, context.population), None).table().with_columns(quantity=pl.lit(quantity))
        for quantity, part in (("data", sick), ("model", called), ("excess", excess))
    ]
    told = pl.concat([*(part.drop("p", "verdict") for part in described), tested], how="diagonal_relaxed")
    order = {name: k for k, name in enumerate(context.population.attributes)}
    rank = pl.col("attribute").replace_strict(order, return_dtype=pl.Int64)
    return told.sort(rank, maintain_order=True).with_columns(**method_columns(BASELINE))


def _shares_of_sick(context: Context, weighting: str) -> Figures:
    """The share of sick in every cell: the selection rate of a classifier that knows the label."""
    labels = np.repeat(context.population.labels[None].astype(float), len(context.scores[weighting]), axis=0)
    own = {"weighting": weighting, "smallest_cell": context.smallest_cell, "metrics": (SHARE,)}
    return metrics.rates(context.population, labels, **own)
