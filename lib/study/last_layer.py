"""The last layer re-trained on frozen features: a weighting in a fraction of a second instead of a whole training.

Source: Kirichenko, Izmailov & Wilson 2023, arXiv 2204.02937. The features are those of a finished run; the new layer is a
weighted, L2-regularised logistic regression, which is convex: no seed, no epoch, one answer.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn

from lib.files import write_whole
from lib.training.batches import fit_and_tune
from lib.training.classifier import outputs
from lib.training.settings import TrainingSettings
from lib.training.store import kept_network

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Values of C (inverse strength of the penalty) that the tuning patients choose from."""


@dataclass(frozen=True)
class Features:
    """What the frozen network sees: `values` (n, width) float32, row i belongs to row i of the frame; rows used to fit,
    to choose the penalty and to judge."""

    values: np.ndarray
    fit: np.ndarray
    tune: np.ndarray
    valid: np.ndarray


def run_features(
    frame: pl.DataFrame, pixels: np.ndarray, settings: TrainingSettings, seed: int, folder: Path
) -> Features:
    """Features of all images under the finished run in `folder`, computed once and kept there.

    The mean over an image and its mirror, as the run's own scores are. The rows to fit and to tune are those of the run.
    """
    kept = folder / "features.npy"
    if not kept.is_file():
        write_whole(kept, partial(np.save, arr=embed(kept_network(settings, folder), pixels)))
    split = frame["split"].to_numpy()
    train, valid = np.flatnonzero(split == "train"), np.flatnonzero(split == "valid")
    fit, tune = fit_and_tune(frame[train], settings.tune_share, seed)
    return Features(np.load(kept), train[fit], train[tune], valid)


def embed(network: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """What reaches the last layer, (n, width) float32, for images (n, h, w) uint8; mean of the image and its mirror."""
    body = deepcopy(network)
    body.head = nn.Identity()
    return outputs(body, pixels, np.arange(len(pixels)))


def head_scores(
    features: Features, labels: np.ndarray, weights: Mapping[str, Callable[[], np.ndarray]]
) -> dict[str, np.ndarray]:
    """Scores (n_valid,) of sick under each weighting; `weights[name]()` gives the weights (n_fit,).

    Features are centred and scaled by the rows used to fit. One penalty serves all weightings: the one whose unweighted
    head has the best AUC on the tuning patients, so that weightings are compared at equal regularisation.
    """
    mean, spread = features.values[features.fit].mean(0), features.values[features.fit].std(0)
    scaled = (features.values - mean) / np.where(spread > 0, spread, 1)
    fit, y = scaled[features.fit], labels[features.fit]
    start = max(
        (_head(penalty).fit(fit, y) for penalty in PENALTIES),
        key=lambda head: roc_auc_score(labels[features.tune], head.decision_function(scaled[features.tune])),
    )
    scores = {}
    for name, weight in weights.items():
        # from the unweighted solution, whatever came before: the order of the weightings changes no score
        head = deepcopy(start).fit(fit, y, sample_weight=weight())
        scores[name] = head.predict_proba(scaled[features.valid])[:, 1].astype(np.float64)
    return scores


def _head(penalty: float) -> LogisticRegression:
    return LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-4, max_iter=100, warm_start=True)
