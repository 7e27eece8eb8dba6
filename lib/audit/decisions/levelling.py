"""How did a gap narrow: because the worse-off gained, or because the better-off lost? By patient.

For every method and gap: what it amounts to (`outcome`, as surely as `outcome_verdict`), and of the two groups how many
are shown to do better (`gained`) and worse (`lost`) in that rate themselves. `how`, for gaps shown to narrow: levelling
up (some gain, none loses), levelling down (some lose, none gains), a trade (both), or no group's change shown; for the
others, not narrowed. Source of the term: Mittelstadt, Wachter & Russell 2023, arXiv 2302.02404.
"""

import polars as pl

from lib.audit.columns import METHOD, F, I, S
from lib.audit.context import Context
from lib.names import (
    ERRORS,
    IMPROVED,
    LEVELLED_DOWN,
    LEVELLED_UP,
    NARROWED,
    NOT_NARROWED,
    PATIENT,
    SHOWN,
    TRADED,
    UNTRACED,
    WORSENED,
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
    ends = pl.DataFrame(
        [
            (attribute.name, contrast, side)
            for attribute in context.population.attributes.values()
            for contrast, group in attribute.contrasts.items()
            for side in (group, attribute.reference)
        ],
        schema={"attribute": S, "contrast": S, "group": S},
        orient="row",
    )
    shown = pl.col("outcome_verdict") == SHOWN
    moved = effects.select(
        *keys,
        group="contrast",
        gained=(shown & (pl.col("outcome") == IMPROVED)).fill_null(False),
        lost=(shown & (pl.col("outcome") == WORSENED)).fill_null(False),
    )
    counts = (
        ends.join(moved, on=["attribute", "group"])
        .group_by(*keys, "contrast")
        .agg(pl.col("gained", "lost").sum().cast(I))
    )
    gaps = effects.join(
        ends.select("attribute", "contrast").unique(), on=["attribute", "contrast"], how="semi", maintain_order="left"
    )
    gained, lost = pl.col("gained") > 0, pl.col("lost") > 0
    how = (
        pl.when(~(shown & (pl.col("outcome") == NARROWED)).fill_null(False))
        .then(pl.lit(NOT_NARROWED))
        .when(gained & lost)
        .then(pl.lit(TRADED))
        .when(gained)
        .then(pl.lit(LEVELLED_UP))
        .when(lost)
        .then(pl.lit(LEVELLED_DOWN))
        .otherwise(pl.lit(UNTRACED))
    )
    joined = gaps.join(counts, on=[*keys, "contrast"], how="left", maintain_order="left")
    return [joined.with_columns(how=how)]
