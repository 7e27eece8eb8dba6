"""Weightings of the training examples, one short function `Examples -> weights` each. Weights are (n,) float64, mean 1.

A cell is what is counted: a class, a group, or a group and class. Nothing here needs to be known when predicting.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.messages import UserError, message

LABELS = ("healthy", "sick")


class WeightingError(UserError):
    """Weights cannot be computed or are unusable; the message is one sentence naming the cell or the rows."""


@dataclass(frozen=True, eq=False)
class Examples:
    """What a weighting may look at of n training images: `labels` (n,) 0/1; `groups` (n,) text, None where unknown;
    `patients` (n,) of any type; `given` (n,) weights as the CSV has them, NaN where it has none; `images` (n,), their
    names for messages."""

    labels: np.ndarray
    groups: np.ndarray | None = None
    patients: np.ndarray | None = None
    given: np.ndarray | None = None
    images: np.ndarray | None = None


def uniform(examples: Examples) -> np.ndarray:
    """Weight 1 for every example: the baseline."""
    return np.ones(len(examples.labels))


def patient_balanced(examples: Examples) -> np.ndarray:
    """Weights that let every patient teach alike: 1 / images of the patient among the examples, rescaled.

    Patients with many images would otherwise be most of what a network sees, and errors fall on people, not on images
    (informative cluster size: Williamson, Datta & Satten 2003, doi 10.1111/1541-0420.00005). Raises `WeightingError` when
    patients are not known.
    """
    if examples.patients is None:
        raise WeightingError("whose image each is is not known; a column of patients is needed.")
    _, codes, counts = np.unique(examples.patients, return_inverse=True, return_counts=True)
    return times(uniform(examples), 1 / counts[codes])


def times(weights: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The products of two weightings, rescaled to mean 1. Raises `WeightingError` when every product is 0."""
    product = weights * others
    if not product.any():
        raise WeightingError("every example that one weighting counts weighs 0 in the other.")
    return product / product.mean()


def inverse_class_frequency(examples: Examples) -> np.ndarray:
    """Weights that give both classes the same total: w(y) = n / (K n_y) with K = 2.

    Raises `WeightingError` when a class is absent.
    """
    labels = examples.labels
    counts = np.bincount(labels, minlength=2)
    if (counts == 0).any():
        raise WeightingError("no training image is {label}.", message(LABELS[counts.argmin()]))
    return len(labels) / (2 * counts[labels])


def kamiran_calders(examples: Examples) -> np.ndarray:
    """Weights that make the label independent of the group in the weighted sample ("reweighing").

    w(a, y) = n_a n_y / (n n_ay): 1 where group and label are already independent, above 1 where the pair is rarer than
    independence would have it. Unknown groups are a group of their own when they have both labels, and weigh 1
    otherwise. Raises `WeightingError` when a known group lacks a label.
    Source: Kamiran & Calders 2012, doi 10.1007/s10115-011-0463-8.
    """
    labels, groups = examples.labels, examples.groups
    known = _known(groups)
    codes, counts = _counted(np.where(known, groups, ""), labels)
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / len(labels)
    with np.errstate(divide="ignore"):
        weights = (expected / counts)[codes, labels]
    weights[~known & (counts[codes] == 0).any(1)] = 1
    return weights / weights.mean()


def group_balanced(examples: Examples) -> np.ndarray:
    """Weights that give every group the same total, whatever its labels: w(a) = n / (G n_a). Unknown groups weigh 1."""
    return _by_count(examples.groups, lambda counts: 1 / counts)


def group_label_balanced(examples: Examples) -> np.ndarray:
    """Weights that give every pair of group and class the same total: w(a, y) = n / (K G n_ay). Unknown groups weigh 1.

    Raises `WeightingError` when a known group lacks a label.
    """
    return _by_count(cells(examples), lambda counts: 1 / counts)


def group_label_balanced_sqrt(examples: Examples) -> np.ndarray:
    """Half way to `group_label_balanced`: the square root of its weights, for a larger effective sample."""
    return _by_count(cells(examples), lambda counts: 1 / np.sqrt(counts))


def effective_number(examples: Examples, *, b: float = 0.999) -> np.ndarray:
    """Weights by the inverse effective number of examples of each cell: w = (1 - b) / (1 - b^n_cell), rescaled.

    Cells are classes, or pairs of group and class. b tends to 0: no weighting; to 1: inverse frequency.
    Source: Cui et al. 2019, arXiv 1901.05555 (b among 0.9 to 0.9999).
    """
    return _by_count(cells(examples), lambda counts: (1 - b) / (1 - b**counts))


def median_frequency(examples: Examples) -> np.ndarray:
    """Median of the cells' frequencies over a cell's own: w = median(f) / f_cell, rescaled.

    Cells are classes, or pairs of group and class. Rescaled to mean 1 it is the inverse frequency of the cells.
    Source: Eigen & Fergus 2015, arXiv 1411.4734.
    """
    return _by_count(cells(examples), lambda counts: np.median(counts) / counts)


def given(examples: Examples) -> np.ndarray:
    """Weights as given, scaled to mean 1.

    Raises `WeightingError` naming the images whose weight is missing, negative or not finite, or when all are 0.
    """
    values = examples.given
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        some = ", ".join(str(name) for name in examples.images[wrong][:3])
        raise WeightingError(
            f"{int(wrong.sum())} of {len(values)} training images have no weight that is a number from 0 ({some}"
            f"{', ...' if wrong.sum() > 3 else ''}); every training image needs one."
        )
    if not values.any():
        raise WeightingError(f"all {len(values)} weights are 0; at least one must be above 0.")
    return values / values.mean()


def placebo(weights: np.ndarray, seed: int) -> np.ndarray:
    """The same weights given to the wrong examples, by a permutation drawn from `seed`: what they do is noise."""
    return np.random.default_rng([seed, 3]).permutation(weights)


def effective_share(weights: np.ndarray) -> float:
    """Kish's effective sample size as a share of n: (sum w)^2 / (n sum w^2), 1 for equal weights, near 0 for a few.

    Source: Kish 1965, Survey Sampling.
    """
    return float(weights.sum() ** 2 / (len(weights) * (weights**2).sum()))


def cells(examples: Examples) -> np.ndarray:
    """Names of the cells: the class, or group and class; null where the group is unknown.

    Raises `WeightingError` when a class, or a known group's class, has no example.
    """
    labels, groups = examples.labels, examples.groups
    if groups is None:
        inverse_class_frequency(examples)  # says which class is absent
        return labels.astype(str).astype(object)
    known = _known(groups)
    _counted(groups[known], labels[known])
    named = [f"{group} {label}" if group is not None else None for group, label in zip(groups, labels, strict=True)]
    return np.array(named, dtype=object)


def _by_count(where: np.ndarray, weight: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Weight of each example from the count of its cell, mean 1 over the known; examples of no cell weigh 1."""
    known = _known(where)
    if not known.any():
        raise WeightingError("the group of no training image is known; at least one is needed.")
    _, codes, counts = np.unique(where[known].astype(str), return_inverse=True, return_counts=True)
    weights = np.ones(len(where))
    of_cell = weight(counts.astype(float))[codes]
    weights[known] = of_cell / of_cell.mean()
    return weights


def _known(groups: np.ndarray) -> np.ndarray:
    return np.array([group is not None for group in groups])


def _counted(groups: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The group of each example by number (n,), and images of each group and label (G, 2). Raises `WeightingError` where a
    group, but for that without a name, lacks a label."""
    names, codes = np.unique(groups.astype(str), return_inverse=True)
    counts = np.zeros((len(names), 2))
    np.add.at(counts, (codes, labels), 1)
    for name, row in zip(names.tolist(), counts, strict=True):
        if name and (row == 0).any():
            raise WeightingError(
                "no training image of the group {group} is {label}; leave this weighting out, or give more images.",
                repr(name),
                message(LABELS[row.argmin()]),
            )
    return codes, counts
