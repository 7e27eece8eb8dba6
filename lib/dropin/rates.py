"""How the validation images of each sex, age group and view fare, where the CSV says to which of them an image belongs."""

import polars as pl

from lib.dropin.weights import KEY, find_columns
from lib.names import DEFAULTS
from lib.tabular.values import age_groups, text, years

ATTRIBUTES = {
    "sex": ("Patient Gender", "Patient Sex", "sex", "gender"),
    "age": ("Patient Age", "age", "age group"),
    "view": ("View Position", "view"),
}
"""Columns, by what they are about."""
MOST = 6
"""Different values of a column that are groups as they are written (`F`, `1`, `>60`); more ages are years."""


def rates_by_group(table: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """TPR and FPR of the valid images of each group: `attribute, group, sick, tpr, healthy, fpr`.

    tpr = share of the `sick` images that are called sick (logit >= 0), fpr = of the `healthy`; null where there is none.
    `table` is the CSV (`read_table`), `scored` has `image`, `split`, `label` and `logit`. An attribute without a column,
    or whose column holds too many different values, has no rows.
    """
    first = table.filter(pl.col(KEY).is_not_null()).unique(KEY, keep="first", maintain_order=True)
    rows = scored.filter(split="valid").join(first, left_on="image", right_on=KEY, how="inner")
    called = pl.col("called_sick")
    parts = []
    for attribute, names in ATTRIBUTES.items():
        columns = find_columns(table, names)
        grouped = _groups(rows[columns[0]], attribute) if len(columns) == 1 else None
        if grouped is not None:
            sick = pl.col("label") == 1
            part = pl.DataFrame({"group": grouped, "label": rows["label"], "called_sick": rows["logit"] >= 0})
            part = part.drop_nulls("group").group_by("group")
            part = part.agg(
                sick.sum(), tpr=called.filter(sick).mean(), healthy=(~sick).sum(), fpr=called.filter(~sick).mean()
            )
            order = pl.col("group").replace_strict(
                {g: i for i, g in enumerate(DEFAULTS["age_group"].groups)}, default=-1
            )
            part = part.rename({"label": "sick"}).sort(order, "group")
            parts.append(part.select(pl.lit(attribute).alias("attribute"), "group", "sick", "tpr", "healthy", "fpr"))
    schema = {"attribute": pl.String, "group": pl.String, "sick": pl.UInt32, "tpr": pl.Float64}
    empty = pl.DataFrame(schema=schema | {"healthy": pl.UInt32, "fpr": pl.Float64})
    return pl.concat([empty, *parts], how="vertical_relaxed")


def _groups(values: pl.Series, attribute: str) -> pl.Series | None:
    """The group that each value stands for, null for none; None when the column does not divide the images."""
    written = text(values)
    if written.n_unique() <= MOST + written.has_nulls():
        return written
    groups = age_groups(years(written)) if attribute == "age" else None
    return None if groups is None or groups.null_count() == len(groups) else groups
