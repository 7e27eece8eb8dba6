"""How the validation images of each sex, age group and view fare, where the CSV says to which of them an image belongs."""

import polars as pl

from lib.dropin.weights import KEY
from lib.names import DEFAULTS
from lib.tabular.columns import AGE, SEX, VIEW, Columns
from lib.tabular.values import age_groups, text, years

ATTRIBUTES = (SEX, AGE, VIEW)
SCHEMA = {"attribute": pl.String, "group": pl.String, "sick": pl.UInt32, "tpr": pl.Float64}
SCHEMA |= {"healthy": pl.UInt32, "fpr": pl.Float64}
MOST = 6
"""Different values of a column that are groups as they are written (`F`, `1`, `>60`); more ages are years."""


def rates_by_group(table: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
    """TPR and FPR of the valid images of each group; columns as `SCHEMA`.

    tpr = share of the `sick` images that are called sick (logit >= 0), fpr = of the `healthy`; null where there is none.
    `table` is the CSV (`read_table`), `scored` has `image`, `split`, `label` and `logit`. An attribute without a column,
    or whose column holds too many different values, has no rows.
    """
    first = table.filter(pl.col(KEY).is_not_null()).unique(KEY, keep="first", maintain_order=True)
    rows = scored.filter(split="valid").join(first, left_on="image", right_on=KEY, how="inner", suffix=" of the CSV")
    sick, called = pl.col("label") == 1, pl.col("logit") >= 0
    of_label = {"sick": sick.sum(), "tpr": called.filter(sick).mean()}
    of_label |= {"healthy": (~sick).sum(), "fpr": called.filter(~sick).mean()}
    by_age = {group: place for place, group in enumerate(DEFAULTS["age_group"].groups)}
    parts = [pl.DataFrame(schema=SCHEMA)]
    for attribute in ATTRIBUTES:
        column = Columns().find(table, attribute)
        groups = _groups(rows[column], attribute) if column else None
        if groups is not None:
            part = rows.select("label", "logit", group=groups).drop_nulls("group").group_by("group").agg(**of_label)
            part = part.sort(pl.col("group").replace_strict(by_age, default=-1), "group")
            parts.append(part.select(pl.lit(attribute).alias("attribute"), *list(SCHEMA)[1:]))
    return pl.concat(parts, how="vertical_relaxed")


def _groups(values: pl.Series, attribute: str) -> pl.Series | None:
    """The group that each value stands for, null for none; None when the column does not divide the images."""
    written = text(values)
    if written.n_unique() <= MOST + written.has_nulls():
        return written
    groups = age_groups(years(written)) if attribute == "age" else None
    return None if groups is None or groups.null_count() == len(groups) else groups
