"""What would each option change, for whom? Of 1,000 patients of a group: found, missed, alarmed, left alone.

Shares of all patients of the group at its share of sick here, so that the four add up to 1,000; within the group every
patient counts once. `found`: sick and called sick, `missed`: sick and called healthy, `alarmed`: healthy and called
sick, `left_alone`: healthy and called healthy. For the options of `recommendation` and the recommended method:
`before` under the untouched baseline, `after` under the method, `estimate` the paired difference, per 1,000, with single intervals. Of one network
they are about the very rules that were fitted to each fold; what rules fitted on other patients would do is the question `deployed`.
"""

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, METHOD, F, I, S
from lib.audit.context import Context
from lib.audit.inference import Figures, pool
from lib.names import BASELINE, RECOMMENDED

name = "consequences"
schema = METHOD | {"attribute": S, "group": S, "quantity": S, "before": F, "after": F} | DESCRIBED | {"patients": I}
reads = ("recommendation",)
QUANTITIES = ("found", "missed", "alarmed", "left_alone")


def compute(context: Context) -> pl.DataFrame:
    chosen = context.table("recommendation").filter(pl.col("option").is_not_null() | (pl.col("role") == RECOMMENDED))
    methods = list(dict.fromkeys(chosen.select(*METHOD).rows()))
    if not methods:
        return pl.DataFrame(schema=schema)
    tables = []
    for quantity in QUANTITIES:
        base = _share(context, BASELINE, quantity)
        for method in methods:
            own = _share(context, method, quantity)
            table = context.describe((own - base) * 1000).table()
            names = {key: pl.lit(value) for key, value in zip(METHOD, method, strict=True)}
            before, after = (pl.Series(1000 * side.estimate) for side in (base, own))
            tables.append(table.with_columns(before=before, after=after, quantity=pl.lit(quantity), **names))
    told = pl.concat(tables, how="diagonal_relaxed").select(pl.col(key).cast(kind) for key, kind in schema.items())
    return told.with_columns(pl.col("before", "after").fill_nan(None))


def _share(context: Context, method: tuple[str, str, str], quantity: str) -> Figures:
    """The share of each group's patients that meets this; the selection rate of what `quantity` picks."""
    labels = context.population.labels
    side = labels == 1 if quantity in ("found", "missed") else labels == 0

    def picked(decisions: np.ndarray) -> np.ndarray:
        return np.where(side, decisions if quantity in ("found", "alarmed") else 1 - decisions, 0.0)

    own = {"smallest_cell": context.smallest_cell, "metrics": ("selection_rate",)}
    found = {
        w: metrics.rates(context.population, picked(context.decisions[w, *method[1:]]), weighting=w, **own)
        for w in context.scores
    }
    return pool(found)[method[0]]
