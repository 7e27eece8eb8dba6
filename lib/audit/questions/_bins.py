"""Bins of scores with as many images each."""

import numpy as np

BINS = 10


def bins_of(scores: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin of each score, (n,): edges at the quantiles of the scores, equal scores in one bin."""
    edges = np.quantile(scores, np.linspace(0, 1, bins + 1))
    return np.searchsorted(edges[1:-1], scores)
