"""All picture tables of a study, from its cohort, pixels and networks."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from lib.names import BASELINE_WEIGHTING
from lib.pictures import mean_radiographs, mean_saliency, score_histograms
from lib.pictures.grad_cam import saliency
from lib.training.store import Plan, kept_network


def picture_tables(
    plan: Plan, pixels: np.ndarray, scores: Mapping[str, np.ndarray], attributes: Sequence[str]
) -> dict[str, pl.DataFrame]:
    """Tables `lib.pictures.SCHEMAS` of a study whose runs are kept; `scores[weighting]` (S, n_valid).

    Radiographs are those of both splits; the rest is of the validation images.
    """
    rows = np.flatnonzero(plan.frame["split"].to_numpy() == "valid")
    valid, own = plan.frame[rows], scores[BASELINE_WEIGHTING]
    folders = [plan.folder(BASELINE_WEIGHTING, seed) for seed in plan.seeds]
    maps = np.stack([saliency(kept_network(plan.settings, folder), pixels, rows) for folder in folders])
    return {
        "radiographs": mean_radiographs(plan.frame, pixels, attributes),
        "saliency": mean_saliency(valid, maps, own, attributes),
        "histograms": score_histograms(valid, scores, attributes),
    }
