"""Who is hit twice? Groups of two attributes at once: their rates, their sizes, and how far each is from everyone.

`level` = the crossing's rate with its single interval, by patient; `estimate` = that rate - everyone's, the crossing
among them, tested for TPR and FPR in one family over all crossings of a method (null verdict for other metrics).
`images` and `patients` count those that a metric is about. Under the untouched baseline. Crossings too small to say
anything are not estimable here; shrunken estimates of them are another question.
"""

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import COUNTED, METHOD, STANDARD, F, S, method_columns
from lib.audit.context import Context
from lib.audit.inference import Figures, pool
from lib.names import BASELINE, ERRORS

name = "intersections"
schema = (
    METHOD | {"attribute": S, "group": S, "metric": S, "level": F, "level_low": F, "level_high": F} | STANDARD | COUNTED
)
TOLD = ("balanced_accuracy", *ERRORS, "missed")


def compute(context: Context) -> list[pl.DataFrame]:
    crossed = context.population.crossed()
    if not crossed.groups:
        return []
    own = {"smallest_cell": context.smallest_cell, "metrics": TOLD}
    levels = {
        w: metrics.rates(crossed, context.decisions[w, *BASELINE[1:]], weighting=w, **own) for w in context.scores
    }
    return [_told(context, pool(levels)[BASELINE[0]])]


def _told(context: Context, levels: Figures) -> pl.DataFrame:
    keys, count = ["attribute", "group", "metric"], len(TOLD)
    level = context.describe(levels, None).table().select(*keys, level="estimate", level_low="low", level_high="high")
    less_everyone = np.eye(len(levels))[:, count:]  # everyone is the first cell
    less_everyone[:count] -= np.tile(np.eye(count), len(levels) // count - 1)
    cells = levels.index[count:]
    apart = levels.contrast(cells, less_everyone)
    errors = pl.col("metric").is_in(ERRORS)
    tested = context.infer(apart.where(errors)).table()
    rest = context.describe(apart.where(~errors), None).table().drop("p", "verdict")
    told = pl.concat([tested, rest], how="diagonal_relaxed").join(level, on=keys, how="left")
    return cells.select(keys).join(told, on=keys, maintain_order="left").with_columns(**method_columns(BASELINE))
