"""The images of a cohort folder alone, without metadata: what predicting needs."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from lib.cohort.reader import _list_images, _one_file_per_name


def list_images(folder: str | Path) -> pl.DataFrame:
    """The images of `folder/{train,valid}/{malade,sain}`: `image`, `path`, `split`, `label`; none is opened.

    One row per name: a name found in both classes is left out, of one found in both splits the copy of valid is kept.
    Raises `CohortError` when a folder is missing.
    """
    return _one_file_per_name(_list_images(Path(folder))[0])[0]


def with_digest(images: pl.DataFrame) -> pl.DataFrame:
    """The images with the column `digest`, that of the file at `path`, as `read_cohort` computes it."""

    def digests(paths: list[str]) -> list[str]:
        return [hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest() for path in paths]

    parts = [images["path"][i : i + 64].to_list() for i in range(0, images.height, 64)]
    with ThreadPoolExecutor() as pool:  # a task for each file would cost more than reading it
        values = [digest for part in pool.map(digests, parts) for digest in part]
    return images.with_columns(digest=pl.Series(values, dtype=pl.String))
