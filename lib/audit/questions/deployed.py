"""What would the one rule that is deployed do to new patients? Gaps and balanced accuracy, fitted once on everyone. By patient.

A rule r, fitted on this cohort for the first network, has on new patients the gap G(r; population). `in_place` is G(r; cohort),
which flatters. In each of B resamples of patients the rule is fitted anew, r*, and judged on its resample and on the cohort:
  estimate = in_place + mean of G(r*; cohort) - G(r*; resample)
  low, high: from the spread of G(r*; cohort) - G(r*; resample), the error of `in_place`; sd: the standard deviation of it
The bootstrap of the error of a fitted rule: Efron 1983, doi 10.1080/01621459.1983.10477973. It is wider than the interval of the
mean over folds and networks, whose errors cancel: `sd_of_rule`, the standard deviation of G(r*; cohort), is how far rules
fitted on cohorts of this size lie from each other on the same people. `metric`: tpr and fpr, differences group - reference of the target
attribute (of every attribute for a rule without one); balanced_accuracy of everyone. Says nothing of retraining: it is about one network.
"""

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, METHOD, B, F, I, S, method_columns
from lib.audit.context import Context
from lib.audit.inference import from_replicates
from lib.audit.questions._curves import Array, compared, once_each, patients_of
from lib.names import BASELINE_WEIGHTING, NO_TARGET, OVERALL

name = "deployed"
schema = (
    METHOD
    | {"attribute": S, "metric": S, "contrast": S, "in_place": F}
    | DESCRIBED
    | {"sd": F, "sd_of_rule": F, "patients": I, "estimable": B}
)
needs = ("deployed",)


def compute(context: Context) -> list[pl.DataFrame]:
    return [_told(context, method, own) for method, own in context.deployed.items()]


def _told(context: Context, method: tuple[str, str, str], own) -> pl.DataFrame:
    asked = _Asked.of(context, method[2])
    once = np.ones(context.population.n_patients)
    in_place = asked.read(own.decisions(), once)
    judged = [
        (asked.read(row, once), asked.read(row, times)) for row, times in zip(own.redecided(), own.times, strict=True)
    ]
    kept, promised = (np.stack(side) for side in zip(*judged, strict=True))
    off = kept - promised  # (B, K)
    (bias, spread), (_, of_rule) = (_mean_and_spread(own) for own in (off, kept))
    value = in_place + bias
    index = asked.index.with_columns(
        **method_columns(method),
        in_place=pl.Series(in_place, dtype=F),
        sd=pl.Series(spread, dtype=F),
        sd_of_rule=pl.Series(of_rule, dtype=F),
    )
    figures = from_replicates(index, BASELINE_WEIGHTING, value[None], off[:, None])
    return context.describe(figures).table()


def _mean_and_spread(values: Array) -> tuple[Array, Array]:
    """Mean and standard deviation (K,) of those of (B, K) that are known; NaN of none, and the deviation of a single one."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0).sum(axis=0) / count
        variance = (np.where(known, values - mean, 0) ** 2).sum(axis=0) / (count - 1)
    return mean, np.sqrt(np.where(count > 1, variance, np.nan))


class _Asked:
    """Balanced accuracy of everyone, then gaps in TPR and FPR, from decisions (n,) and times of patients (P,)."""

    def __init__(self, index: pl.DataFrame, images: Array, patients: Array, matrix: Array):
        self.index, self._images, self._patients, self._matrix = index, images, patients, matrix

    @classmethod
    def of(cls, context: Context, target: str) -> "_Asked":
        population = context.population
        sides = [population.labels == label for label in (1, 0)]
        pairs = [pair for pair in compared(population) if target in (NO_TARGET, pair[0])]
        masks = [*sides, *(side & y for pair in pairs for y in sides for side in pair[3:])]
        rows = [(OVERALL, "balanced_accuracy", "all", patients_of(population, *sides), True)]
        matrix = np.zeros((1 + 2 * len(pairs), len(masks)))
        matrix[0, :2] = 0.5, -0.5
        for k, (attribute, group, reference, *both) in enumerate(pairs):
            for m, metric in enumerate(("tpr", "fpr")):
                fewest = patients_of(population, *(side & sides[m] for side in both))
                enough = fewest >= max(1, context.smallest_cell)
                matrix[1 + 2 * k + m, 2 + 4 * k + 2 * m : 4 + 4 * k + 2 * m] = 1, -1
                rows.append((attribute, metric, f"{group} - {reference}", fewest, enough))
        columns = ("attribute", "metric", "contrast", "patients", "estimable")
        index = pl.DataFrame(rows, schema={column: schema[column] for column in columns}, orient="row")
        images = np.stack([once_each(population.patients, mask) for mask in masks], axis=1)
        return cls(index, images, population.patients, matrix)

    def read(self, decisions: Array, times: Array) -> Array:
        weights = times[self._patients]
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = ((decisions * weights) @ self._images) / (weights @ self._images)
        found = self._matrix @ np.nan_to_num(rates)
        found[(self._matrix != 0) @ np.isnan(rates) > 0] = np.nan
        found[0] += 0.5
        return found
