"""Randomised thresholds of fairlearn, as a reference for ours."""

import warnings

import numpy as np
import pandas as pd
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator

from lib.postprocessing import Sample


class Scores(BaseEstimator):
    """A classifier whose only feature is its score."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


def fairlearns(own: Sample, constraint: str) -> np.ndarray:
    """The chance to be called sick, (n,), after a fit to the same images for balanced accuracy under this constraint."""
    options = {"constraints": constraint, "objective": "balanced_accuracy_score", "prefit": True}
    oracle = ThresholdOptimizer(estimator=Scores(), predict_method="predict", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle.fit(own.scores[:, None], pd.Series(own.labels), sensitive_features=own.groups)
    told = np.full(len(own.scores), np.nan)
    for group, found in oracle.interpolated_thresholder_.interpolation_dict.items():
        scores = own.scores[own.groups == group]
        mixed = found.p0 * found.operation0(scores) + found.p1 * found.operation1(scores)
        ignored = found.get("p_ignore", 0.0)
        told[own.groups == group] = ignored * found.get("prediction_constant", 0.0) + (1 - ignored) * mixed
    return told
