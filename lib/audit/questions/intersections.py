"""Who is hit twice? Groups of two attributes at once: their rates, their sizes, and how far each is from everyone.

`level` = the crossing's rate with its single interval, by patient; `estimate` = that rate - everyone's, the crossing
among them, tested for TPR and FPR in one family over all crossings of a method (null verdict for other metrics).
`images` and `patients` count those that a metric is about. Under the untouched baseline. Crossings too small to say
anything are not estimable here; shrunken estimates of them are another question.
"""

import polars as pl

from lib.audit import metrics
from lib.audit.columns import METHOD, STANDARD, B, F, I, S, method_columns
from lib.audit.context import Context
from lib.audit.inference import Figures, pool
from lib.names import BASELINE, ERRORS, OVERALL

name = "intersections"
schema = (
    METHOD
    | {"attribute": S, "group": S, "metric": S, "level": F, "level_low": F, "level_high": F}
    | STANDARD
    | {"images": I, "patients": I, "estimable": B}
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
    keys = ["attribute", "group", "metric"]
    described = context.describe(levels, None).table()
    level = described.select(*keys, level="estimate", level_low="low", level_high="high")
    cells = levels.index.with_row_index("_k").filter(pl.col("attribute") != OVERALL)
    everyone = levels.index.with_row_index("_all").filter(pl.col("attribute") == OVERALL).select("metric", "_all")
    pairs = cells.join(everyone, on="metric", how="left", maintain_order="left")
    apart = levels.take(pairs["_k"].to_numpy()) - levels.take(pairs["_all"].to_numpy())
    errors = pl.col("metric").is_in(ERRORS)
    tested = context.infer(apart.where(errors)).table()
    rest = context.describe(apart.where(~errors), None).table().drop("p", "verdict")
    told = pl.concat([tested, rest], how="diagonal_relaxed")
    return (
        cells.select(*keys)
        .join(told, on=keys, how="left", maintain_order="left")
        .join(level, on=keys, how="left", maintain_order="left")
        .with_columns(**method_columns(BASELINE))
    )
