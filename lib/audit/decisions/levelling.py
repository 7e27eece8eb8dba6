"""How did a gap narrow: because the worse-off gained, or because the better-off lost? By patient.

For every method and gap: what it amounts to (`outcome`, null of single networks, as surely as `outcome_verdict`), and of the two groups how many
are shown to do better (`gained`) and worse (`lost`) in that rate themselves. `how`, for gaps shown to narrow: levelling
up (some gain, none loses), levelling down (some lose, none gains), a trade (both), or no group's change shown; for the
others, not narrowed. Source of the term: Mittelstadt, Wachter & Russell 2023, arXiv 2302.02404.
"""

import polars as pl

from lib.audit.columns import METHOD, F, I, S
from lib.audit.context import Context
from lib.names import (
    ERRORS,
    FALLEN,
    LEVELLED_DOWN,
    LEVELLED_UP,
    METRICS,
    NARROWED,
    NOT_NARROWED,
    PATIENT,
    RISEN,
    SHOWN,
    TRADED,
    UNTRACED,
)

name = "levelling"
schema = (
    METHOD
    | {"attribute": S, "metric": S, "contrast": S, "estimate": F, "outcome": S, "outcome_verdict": S}
    | {"gained": I, "lost": I, "how": S}
)
reads = ("effects",)


def compute(context: Context) -> list[pl.DataFrame]:
    effects = context.table("effects").filter(pl.col("metric").is_in(ERRORS), unit=PATIENT)
    if effects.is_empty():
        return []
    keys = [*METHOD, "attribute", "metric"]
    ends = [
        (attribute.name, contrast, side)
        for attribute in context.population.attributes.values()
        for contrast, group in attribute.contrasts.items()
        for side in (group, attribute.reference)
    ]
    ends = pl.DataFrame(ends, schema={"attribute": S, "contrast": S, "group": S}, orient="row")
    shown = (pl.col("outcome_verdict") == SHOWN).fill_null(False)
    better = pl.when(pl.col("metric").replace_strict(METRICS) > 0).then(pl.lit(RISEN)).otherwise(pl.lit(FALLEN))
    rates = effects.filter(shown, pl.col("change").is_in([RISEN, FALLEN])).with_columns(
        gains=pl.col("change") == better
    )
    counts = (
        rates.rename({"contrast": "group"})
        .join(ends, on=["attribute", "group"])
        .group_by(*keys, "contrast")
        .agg(gained=pl.col("gains").sum(), lost=(~pl.col("gains")).sum())
    )
    gaps = effects.join(ends, on=["attribute", "contrast"], how="semi", maintain_order="left")
    table = gaps.join(counts, on=[*keys, "contrast"], how="left", maintain_order="left")
    gained, lost = (pl.col(side).fill_null(0) for side in ("gained", "lost"))
    how = (
        pl.when(~(shown & (pl.col("change") == NARROWED)).fill_null(False))
        .then(pl.lit(NOT_NARROWED))
        .when((gained > 0) & (lost > 0))
        .then(pl.lit(TRADED))
        .when(gained > 0)
        .then(pl.lit(LEVELLED_UP))
        .when(lost > 0)
        .then(pl.lit(LEVELLED_DOWN))
        .otherwise(pl.lit(UNTRACED))
    )
    return [table.with_columns(gained=gained, lost=lost, how=how)]
