"""What is usable of a cohort, once its pixels are read: the frame, the pixels and the full list of checks."""

from pathlib import Path

import numpy as np
import polars as pl

from lib.cohort.images import Pixels, load_pixels
from lib.cohort.reader import Cohort, require_both_classes


def readable(cohort: Cohort, size: int, cache: Path) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    """The frame without unreadable images, the checks with their count, and the pixels (n, size, size) of what is left.

    Raises `CohortError` when a class of a split has no readable image.
    """
    frame, pixels = readable_images(cohort.folder, cohort.frame, size, cache)
    count = ("files that are no readable image", cohort.frame.height - frame.height, "left out")
    rows = [*cohort.checks.rows()[:-1], count, ("images used", frame.height, "kept")]
    return frame, pl.DataFrame(rows, schema=cohort.checks.schema, orient="row"), pixels.values


def readable_images(folder: Path, images: pl.DataFrame, size: int, cache: Path) -> tuple[pl.DataFrame, Pixels]:
    """The images (`path`, `digest`, `split`, `label`) without the files that are none, and their pixels.

    Raises `CohortError` when a class of a split has no readable image.
    """
    require_both_classes(folder, images)
    pixels = load_pixels(images, size, cache)
    if not pixels.unreadable.any():
        return images, pixels
    images = images.filter(~pl.Series(pixels.unreadable))
    require_both_classes(folder, images)
    return images, load_pixels(images, size, cache)
