"""Predictions that are published with the results, so that anyone can recompute every figure of the report.

Names of images and scores of networks, and nothing of patients: whoever recomputes brings the metadata. Only images that
are public already, or those of a cohort whose `study.toml` says so.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from lib.settings_schema import StudySettings

PUBLIC_NAME = r"^\d{8}_\d{3}\.png$"
"""How ChestX-ray14 names an image: its patient and its follow-up."""
PUBLIC_SOURCE = "NIH ChestX-ray14"


def may_be_published(settings: StudySettings, cohort: str, source: str, images: pl.Series) -> bool:
    """Whether a study publishes its predictions.

    `[results] publish_predictions` of `study.toml` decides where it is written. Where it is not, they are published for
    the cohort that `study.toml` names, if its source is ChestX-ray14 and every image is called as the NIH calls it; never
    for another.
    """
    if settings.results.publish_predictions is not None:
        return settings.results.publish_predictions
    named = cohort == settings.cohort and source == settings.source == PUBLIC_SOURCE
    return named and bool(images.str.contains(PUBLIC_NAME).all())


def predictions(images: pl.Series, scores: Mapping[str, np.ndarray], seeds: Sequence[int]) -> pl.DataFrame:
    """`image` and a Float32 column `<weighting>/seed<k>` for each network, of scores of sick `scores[weighting]` (S, n).

    A score is at least 0.5 in Float32 exactly where it is in Float64, so that decisions are the same.
    """
    columns = {
        f"{weighting}/seed{seed}": _single(values)
        for weighting, networks in scores.items()
        for seed, values in zip(seeds, networks, strict=True)
    }
    return pl.DataFrame({"image": images} | columns)


def _single(values: np.ndarray) -> np.ndarray:
    single = values.astype(np.float32)
    raised = (single >= 0.5) & (values < 0.5)
    return np.where(raised, np.nextafter(np.float32(0.5), np.float32(0)), single)
