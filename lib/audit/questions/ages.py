"""How old are they? Images by split, label (1 = sick) and ten-year bin; `age` is the first year of the bin."""

import polars as pl

from lib.audit.columns import F, I, S
from lib.audit.context import Context

name = "ages"
schema = {"split": S, "label": I, "age": I, "images": I}
needs = ("age",)


def compute(context: Context) -> pl.DataFrame:
    people = context.people.with_columns(split=pl.lit("valid")) if context.cohort is None else context.cohort
    return (
        people.filter(pl.col("age").is_not_null())
        .with_columns(pl.col("label").cast(I), age=(pl.col("age").cast(F) / 10).floor().cast(I) * 10)
        .group_by("split", "label", "age")
        .agg(images=pl.len().cast(I))
        .sort("split", "label", "age")
        .select(*schema)
    )
