"""Weightings of the training examples, one short function each. Weights are (n,) float64 with mean 1."""

import numpy as np


class WeightingError(ValueError):
    """Weights cannot be computed or are unusable; the message is one sentence naming the cell or the rows."""


def uniform(labels: np.ndarray) -> np.ndarray:
    """Weight 1 for every example: the baseline. `labels` (n,) 0/1."""
    return np.ones(len(labels))


def inverse_class_frequency(labels: np.ndarray) -> np.ndarray:
    """Weights that give both classes the same total: w(y) = n / (K n_y) with K = 2.

    `labels` (n,) 0/1. Raises `WeightingError` when a class is absent.
    """
    counts = np.bincount(labels, minlength=2)
    if (counts == 0).any():
        raise WeightingError(f"class {int(counts.argmin())} has no training image; both 0 and 1 need some.")
    return len(labels) / (2 * counts[labels])


def kamiran_calders(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Weights that make the label independent of the group in the weighted sample ("reweighing").

    w(a, y) = n_a n_y / (n n_ay): 1 where group and label are already independent, above 1 where the pair is rarer than
    independence would have it. Needs groups in training, nothing when predicting.

    `labels` (n,) 0/1; `groups` (n,) text, null (None) where unknown: those examples are a group of their own when they
    have both labels, and weigh 1 otherwise. Raises `WeightingError` when a known group lacks a label.
    Source: Kamiran & Calders 2012, doi 10.1007/s10115-011-0463-8.
    """
    known = np.array([g is not None for g in groups])
    names, codes = np.unique(np.where(known, groups, "").astype(str), return_inverse=True)
    cells = np.zeros((len(names), 2))
    np.add.at(cells, (codes, labels), 1)
    for name, row in zip(names.tolist(), cells, strict=True):
        if name and (row == 0).any():
            raise WeightingError(f"group {name!r} has no training image of class {int(row.argmin())}; each needs some.")
    expected = cells.sum(1, keepdims=True) * cells.sum(0, keepdims=True) / len(labels)
    with np.errstate(divide="ignore"):
        weights = (expected / cells)[codes, labels]
    weights[~known & (cells[codes] == 0).any(1)] = 1
    return weights / weights.mean()


def effective_share(weights: np.ndarray) -> float:
    """Kish's effective sample size as a share of n: (sum w)^2 / (n sum w^2), 1 for equal weights, near 0 for a few.

    Source: Kish 1965, Survey Sampling.
    """
    return float(weights.sum() ** 2 / (len(weights) * (weights**2).sum()))
