"""How a gap closed: because the worse-off groups gained, or because the better-off lost."""

import polars as pl

from lib.audit.frames import METHOD, frame
from lib.names import LEVELLED_DOWN, LEVELLED_UP, MAX_MIN, NOT_NARROWED, NOT_SHOWN, OVERALL, TRADED

SCHEMA = METHOD | {
    "attribute": pl.String,
    "metric": pl.String,
    "change": pl.Float64,
    "verdict": pl.String,
    "gained": pl.Int64,
    "lost": pl.Int64,
    "how": pl.String,
}
METRICS = ("tpr", "fpr", "balanced_accuracy")


def closures(changes: pl.DataFrame) -> pl.DataFrame:
    """For every method, attribute and metric: the change of the gap, its verdict, and how it came about.

    `gained` and `lost` count the groups whose own rate improves or worsens beyond noise. `how`, for gaps that narrow beyond
    noise: levelling up (some gain, none loses), levelling down (some lose, none gains), a trade (both), or no group's
    change shown; for the others, not narrowed. Source of the term: Mittelstadt, Wachter and Russell 2023, arXiv 2302.02404.
    """
    keys = [*METHOD, "attribute", "metric"]
    rows = changes.filter(pl.col("metric").is_in(METRICS), pl.col("attribute") != OVERALL)
    groups = (
        rows.filter(pl.col("contrast") != MAX_MIN)
        .group_by(keys)
        .agg(
            gained=(pl.col("verdict") == "improves").sum().cast(pl.Int64),
            lost=(pl.col("verdict") == "worsens").sum().cast(pl.Int64),
        )
    )
    gaps = rows.filter(pl.col("contrast") == MAX_MIN).select(*keys, "change", "verdict")
    joined = gaps.join(groups, on=keys, how="left", maintain_order="left")
    return frame([(*row, _how(*row[-3:])) for row in joined.select(list(SCHEMA)[:-1]).rows()], SCHEMA)


def _how(verdict: str, gained: int, lost: int) -> str:
    if verdict != "improves":
        return NOT_NARROWED
    if gained and lost:
        return TRADED
    return LEVELLED_UP if gained else LEVELLED_DOWN if lost else NOT_SHOWN
