"""Logistic recalibration of scores, by weighted maximum likelihood: the one fit behind calibration and Platt scaling.

Cox 1958, doi 10.1093/biomet/45.3-4.562; Platt 1999; Van Calster et al. 2019, doi 10.1186/s12916-019-1466-7.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Array = NDArray[np.float64]
EDGE = 1e-6
"""Scores are kept this far from 0 and 1, where they have no logit."""
STEPS = 50


def logits(scores: Array) -> Array:
    """Log odds of scores in 0 to 1, kept finite."""
    return logit(np.clip(scores, EDGE, 1 - EDGE))


def logistic(columns: Array, target: Array, weights: Array | None = None, offset: Array | float = 0.0) -> Array:
    """Coefficients (K,) of highest likelihood of `target` (n,) in 0 to 1, given `columns` (n, K), weights (n,) and an offset.

    logit P = offset + columns @ coefficients, by Newton's method; it converges within ten steps as a rule. A trace of ridge
    keeps constant columns solvable. Where the likelihood has no maximum (the classes can be told apart without error), the
    coefficients are as large as fifty steps make them.
    """
    weights = np.ones(len(target)) if weights is None else weights
    beta = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        chance = expit(offset + columns @ beta)
        curvature = (columns * (weights * chance * (1 - chance))[:, None]).T @ columns
        curvature += 1e-9 * weights.sum() * np.eye(len(beta))
        step = np.linalg.solve(curvature, columns.T @ (weights * (target - chance)))
        beta += np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    return beta
