"""What is usable of a cohort, once its pixels are read: the frame, the pixels and the full list of checks."""

from pathlib import Path

import numpy as np
import polars as pl

from lib.cohort.images import load_pixels
from lib.cohort.reader import Cohort, require_both_classes


def readable(cohort: Cohort, size: int, cache: Path) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    """The frame without unreadable images, the checks with their count, and the pixels (n, size, size) of what is left.

    Raises `CohortError` when a class of a split has no readable image.
    """
    pixels = load_pixels(cohort.frame, size, cache)
    frame = cohort.frame.filter(~pl.Series(pixels.unreadable))
    count = pl.DataFrame(
        [("files that are no readable image", int(pixels.unreadable.sum()), "left out")],
        schema=cohort.checks.schema,
        orient="row",
    )
    checks = pl.concat(
        [cohort.checks[:-1], count, cohort.checks[-1:].with_columns(rows=pl.lit(frame.height, pl.Int64))]
    )
    require_both_classes(cohort.folder, frame)
    if pixels.unreadable.any():
        pixels = load_pixels(frame, size, cache)
    return frame, checks, pixels.values
