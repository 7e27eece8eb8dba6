"""Thresholds, one for everyone or one per group, chosen by balanced accuracy or to make a rate alike."""

from collections.abc import Callable

import numpy as np

from lib.postprocessing.rules import Thresholds
from lib.postprocessing.sample import Sample
from lib.postprocessing.thresholds import (
    Array,
    balanced,
    most_useful,
    share_from,
    threshold_keeping_under,
    threshold_reaching,
)


def best_of(sample: Sample) -> float:
    """The threshold of highest balanced accuracy on these images."""
    candidates, *rates = sample.curve
    return most_useful(candidates, balanced(*rates))


def fixed(sample: Sample, smallest_cell: int) -> Thresholds:
    """Sick from a score of 0.5 up: nothing is fitted. Needs no group when predicting."""
    return Thresholds(0.5)


def pooled_best(sample: Sample, smallest_cell: int) -> Thresholds:
    """One threshold for all, of highest balanced accuracy. Needs no group when predicting."""
    return Thresholds(best_of(sample))


def group_best(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group, of highest balanced accuracy in that group. Needs the group when predicting.

    No other thresholds by group have a higher worst group: these are the minimax ones too.
    """
    return Thresholds(best_of(sample), {g: best_of(sample.of(g)) for g in sample.fittable(smallest_cell)})


def minimax(sample: Sample, smallest_cell: int) -> Thresholds:
    """One threshold for all, under which the worst group's balanced accuracy is highest. No group when predicting.

    Groups are needed for fitting alone. Compare Martinez, Bertran and Sapiro 2020, arXiv 2011.01821.
    """
    groups = sample.fittable(smallest_cell)
    if not groups:
        return Thresholds(best_of(sample))
    candidates, *_ = sample.curve
    worst = np.min([balanced(*sample.of(g).rates_at(candidates)) for g in groups], axis=0)
    return Thresholds(most_useful(candidates, worst))


def equal_tpr(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group such that every group has about the same TPR. Needs the group when predicting.

    The common target is the TPR of the pooled best threshold; each group gets the highest threshold that reaches it.
    Equal opportunity without randomisation: Hardt et al. 2016, arXiv 1610.02413.
    """
    pooled = best_of(sample)
    target, _ = sample.rates_at(pooled)
    fitted = {g: threshold_reaching(target, *sample.of(g).sick) for g in sample.fittable(smallest_cell)}
    return Thresholds(pooled, fitted)


def equal_fpr(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group such that every group has about the same FPR. Needs the group when predicting.

    The common target is the FPR of the pooled best threshold; each group gets the lowest threshold that stays under it.
    """
    pooled = best_of(sample)
    _, target = sample.rates_at(pooled)
    fitted = {g: threshold_keeping_under(target, *sample.of(g).healthy) for g in sample.fittable(smallest_cell)}
    return Thresholds(pooled, fitted)


def equal_selection(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group such that every group is called sick about equally often. Needs the group when predicting.

    The common target is the selection rate of the pooled best threshold: demographic parity, whatever the prevalences.
    """
    pooled = best_of(sample)
    target = share_from(pooled, sample.scores, sample.by_all)
    parts = {g: sample.of(g) for g in sample.fittable(smallest_cell)}
    fitted = {g: threshold_reaching(target, part.scores, part.by_all) for g, part in parts.items()}
    return Thresholds(pooled, fitted)


def level_up_tpr(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group of highest utility such that no group's TPR is below that of everyone. Needs the group.

    Utility is the balanced accuracy of everyone; the rate to reach is the TPR of the pooled best threshold.
    Levelling up instead of down: Mittelstadt, Wachter and Russell 2023, arXiv 2302.02404.
    """
    return _levelled(sample, smallest_cell, lambda tpr, fpr: tpr)


def level_up_accuracy(sample: Sample, smallest_cell: int) -> Thresholds:
    """A threshold per group of highest utility such that no group's balanced accuracy is below everyone's, if it can be.

    As `level_up_tpr`; a group that no threshold brings up to the rate gets its best threshold.
    """
    return _levelled(sample, smallest_cell, balanced)


def _levelled(sample: Sample, smallest_cell: int, rate: Callable[[Array, Array], Array]) -> Thresholds:
    pooled, fitted = best_of(sample), {}
    reach = rate(*sample.rates_at(pooled))
    for group in sample.fittable(smallest_cell):
        own = sample.of(group)
        candidates, tpr, fpr = own.curve
        # the group's part of everyone's balanced accuracy, up to a constant
        utility = tpr * sample.share_of(group, 1) - fpr * sample.share_of(group, 0)
        reached = rate(tpr, fpr)
        allowed = reached >= min(reach, reached.max()) - 1e-12
        fitted[group] = most_useful(candidates[allowed], utility[allowed])
    return Thresholds(pooled, fitted)
