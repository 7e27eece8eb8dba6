"""The sentence on intervals by image."""

import polars as pl

from lib.report import evidence
from lib.report.words import Words, percent
from lib.results import Results


def interval_levels(study: Results) -> Words:
    """How much narrower intervals by image are than intervals by patient, as the median ratio of their widths."""
    wide = (
        evidence.plain(study.interval_levels)
        .drop_nulls(["low", "high"])
        .with_columns(width=pl.col("high") - pl.col("low"))
        .pivot("level", index=["attribute", "group", "metric"], values="width")
    )
    if wide.is_empty() or not {"image", "patient"} <= set(wide.columns):
        return Words("The two cannot be compared on this cohort.")
    ratio = wide.select((pl.col("image") / pl.col("patient")).median()).item()
    return Words(
        f"Treating images of one patient as strangers gives intervals {percent(ratio, 0)} as wide at the median: too "
        "confident, and used nowhere else in this report."
        if ratio < 1
        else "On this cohort, intervals by image are as wide as intervals by patient."
    )
