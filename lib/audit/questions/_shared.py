"""What several questions do to their tables."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import polars as pl

from lib.audit.columns import METHOD
from lib.audit.context import Context
from lib.audit.inference import Figures, Population, ratio
from lib.names import BASELINE_WEIGHTING, IMAGE, MAX_MIN, OVERALL, PATIENT

WHAT = [*METHOD, "attribute", "metric", "contrast"]


def disagreeing(table: pl.DataFrame, word: str) -> pl.DataFrame:
    """The table with `disagrees`: whether the estimate's sign, or the verdict in `word`, differs between the units."""
    sides = [
        table.filter(unit=unit).select(
            *WHAT, pl.col("estimate").sign().alias(f"sign_{unit}"), pl.col(word).alias(f"word_{unit}")
        )
        for unit in (PATIENT, IMAGE)
    ]
    both = sides[0].join(sides[1], on=WHAT, how="left")
    told = pl.any_horizontal(
        (pl.col(f"{what}_{PATIENT}") != pl.col(f"{what}_{IMAGE}")).fill_null(False) for what in ("sign", "word")
    )
    return table.join(both.select(*WHAT, disagrees=told), on=WHAT, how="left", maintain_order="left")


def spreads(levels: pl.DataFrame, metrics: Sequence[str]) -> pl.DataFrame:
    """The largest difference between any two groups of each attribute: described, without interval."""
    keys = [*METHOD, "attribute", "metric", "unit"]
    known = pl.col("estimate").filter("estimable")
    return (
        levels.filter(pl.col("metric").is_in(metrics), pl.col("attribute") != OVERALL)
        .group_by(keys, maintain_order=True)
        .agg(estimate=pl.when(known.len() > 1).then(known.max() - known.min()))
        .with_columns(contrast=pl.lit(MAX_MIN), estimable=pl.col("estimate").is_not_null())
    )


SPLITS = ("train", "valid")


def splits(context: Context) -> Iterator[tuple[str, Population]]:
    """The people of each split of the cohort, or of those that are judged where there is no cohort."""
    if context.cohort is None:
        yield SPLITS[1], context.population
        return
    attributes = list(context.population.attributes.values())
    for split in SPLITS:
        rows = context.cohort.filter(split=split)
        if rows.height:
            made = partial(Population.from_frame, rows, attributes=attributes)
            yield split, context.once(("people", split), None, made)


def by_image(
    people: Population, index: pl.DataFrame, values: Sequence[np.ndarray], images: Sequence[np.ndarray]
) -> Figures:
    """Means over images, clustered by patient, of values (n,) over the images (n,) that each of the K figures is about."""
    sums = (people.sums_by_patient(np.stack(part, axis=1)) for part in (values, images))
    return ratio(index, BASELINE_WEIGHTING, next(sums)[None], next(sums))
