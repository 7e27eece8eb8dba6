"""Logistic recalibration of scores: slope, intercept, and what a resample makes of them.

Cox 1958, doi 10.1093/biomet/45.3-4.562; Van Calster et al. 2019, doi 10.1186/s12916-019-1466-7.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lib.audit.resampling import Array

EDGE = 1e-6
"""Scores are kept this far from 0 and 1, where they have no logit."""
COLUMNS = 7


@dataclass(frozen=True, eq=False)
class Recalibration:
    """logit P(sick) = intercept + slope logit(score), and the intercept alone with the slope held at 1.

    `slope` 1: scores are as spread as they should be; below 1, too extreme; above, too timid. `intercept` 0: right on
    average; above 0 the sick are more than the scores say. `terms` (n, 7): score and information of each image at the
    fit, from whose sums a resample's fit follows in one Newton step.
    """

    slope: float
    intercept: float
    terms: Array

    def moved(self, sums: Array) -> tuple[Array, Array]:
        """Slope and intercept, each (B,), of resamples with these sums of `terms`, (B, 7); NaN where there is none."""
        u0, u1, h00, h01, h11, u, h = np.moveaxis(sums, -1, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.slope + (h00 * u1 - h01 * u0) / (h00 * h11 - h01**2), self.intercept + u / h


def recalibrate(scores: Array, labels: Array) -> Recalibration:
    """The fit for scores (n,) in 0 to 1 and labels (n,) 0/1; slope and intercept are NaN where it does not exist."""
    x = np.log(np.clip(scores, EDGE, 1 - EDGE) / np.clip(1 - scores, EDGE, 1 - EDGE))
    free, fixed = np.zeros(2), 0.0
    design = np.column_stack([np.ones_like(x), x])
    lost = Recalibration(np.nan, np.nan, np.full((len(x), COLUMNS), np.nan))
    if len(np.unique(labels)) < 2 or np.ptp(x) == 0:
        return lost
    for _ in range(50):
        p, q = expit(design @ free), expit(x + fixed)
        information = design.T @ (design * (p * (1 - p))[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return lost
        with np.errstate(invalid="ignore", divide="ignore"):  # scores of 0 and 1 alone may have no intercept: NaN
            step = np.linalg.solve(information, design.T @ (labels - p)), (labels - q).sum() / (q * (1 - q)).sum()
            free, fixed = free + step[0], fixed + step[1]
        if max(np.abs(step[0]).max(), abs(step[1])) < 1e-10:
            break
    else:
        return lost
    p, q = expit(design @ free), expit(x + fixed)
    w = p * (1 - p)
    terms = [labels - p, x * (labels - p), w, w * x, w * x**2, labels - q, q * (1 - q)]
    return Recalibration(float(free[1]), float(fixed), np.column_stack(terms))
