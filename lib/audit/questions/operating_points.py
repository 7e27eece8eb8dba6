"""What if few of the sick may be missed? Rates by group at a threshold of high sensitivity, beside 0.5. By patient, baseline.

`point`: "0.5", or "TPR 0.90" and "TPR 0.95", one threshold for everyone: the highest at which everyone's TPR reaches it; "TPR 0.90 in
each": a threshold for each group, at which its own TPR does. Fitted on other patients (the folds of the post-processings, five of patients where there are none), and fitted anew in each resample, so
that intervals allow for the choice. `metric`: tpr, fpr; `threshold`, of everyone, the mean over folds.
`contrast` null: levels; else group - reference. Gaps close where both groups are called sick nearly always, at the price of false
alarms: look at the fpr. No group when deciding, but for the last point. Fixed-sensitivity operating points, as in triage: Seyyed-Kalantari et al. 2021,
doi 10.1038/s41591-021-01595-0, on what moving one does. Means over networks; intervals over patients.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from lib.audit.columns import STANDARD, B, I, S
from lib.audit.context import Context
from lib.audit.inference import from_replicates, patient_weights
from lib.audit.questions._curves import Array, Called, counted, levels_and_gaps, once_each
from lib.names import BASELINE_WEIGHTING, OVERALL

name = "operating_points"
KEYS = ("attribute", "group", "point", "metric")
schema = dict.fromkeys(("attribute", "group", "contrast", "point", "metric"), S) | STANDARD
schema |= {"patients": I, "estimable": B}
needs = ("scores",)
POINTS = {"0.5": None, "TPR 0.90": 0.9, "TPR 0.95": 0.95}
IN_EACH = "TPR 0.90 in each"
FOLDS = 5
RESAMPLES = 200


def compute(context: Context) -> list[pl.DataFrame]:
    population, cells = context.population, context.population.cells
    patients = population.sizes[1][:, :2].min(axis=1)
    if patients[0] < 2:
        return []
    columns = (population.labels, population.patients)
    networks = [
        [Fitted(*(own[cell.images] for own in (scores, *columns, part))) for cell in cells]
        for scores, part in zip(context.scores[BASELINE_WEIGHTING], folds_of(context), strict=True)
    ]
    rates = Called(population)

    def values(weights: Array) -> Array:
        parts, found = rates.parts(weights), []
        for everyone, *groups in networks:
            for target in POINTS.values():
                thresholds = everyone.thresholds(target, weights)
                called = everyone.scores >= thresholds[everyone.part]
                found += [called @ parts, [] if target is None else [thresholds.mean()]]
            called, cuts = np.zeros((population.n_images, len(cells))), np.full(len(cells), np.nan)
            for g, network in enumerate([everyone, *groups]):
                if patients[g]:  # a group without sick has no threshold
                    own = network.thresholds(POINTS["TPR 0.90"], weights)
                    cuts[g], called[cells[g].images, g] = own.mean(), network.scores >= own[network.part]
            found += [(np.tile(called, 2) * parts).sum(axis=0), cuts]
        return np.concatenate(found).reshape(len(networks), -1)

    asked = []
    for point in (*POINTS, IN_EACH):
        asked += [(point, metric, g) for metric in ("tpr", "fpr") for g in range(len(cells))]
        asked += [(point, "threshold", g) for g in range({"0.5": 0, IN_EACH: len(cells)}.get(point, 1))]
    keys = [(cells[g].attribute, cells[g].group, point, metric) for point, metric, g in asked]
    index = counted(context, keys, KEYS, patients[[g for *_, g in asked]])
    # a threshold of everyone is told however few they are
    everyone = (pl.col("metric") == "threshold") & (pl.col("attribute") == OVERALL) & (pl.col("point") != IN_EACH)
    index = index.with_columns(estimable=pl.col("estimable") | everyone)
    drawn = np.stack([values(weights) for weights in patient_weights(population.n_patients, RESAMPLES, context.seed)])
    once = values(np.ones(population.n_patients))
    return levels_and_gaps(context, from_replicates(index, BASELINE_WEIGHTING, once, drawn))


def folds_of(context: Context) -> Array:
    """Fold of each image for each network, (S, n): those of the post-processings, else five of patients by lot."""
    if context.folds is not None:
        return context.folds
    population = context.population
    count = min(FOLDS, population.n_patients)
    draws = (context.stream(name, str(s)) for s in range(len(context.scores[BASELINE_WEIGHTING])))
    return np.stack([(draw.permutation(population.n_patients) % count)[population.patients] for draw in draws])


@dataclass(frozen=True, eq=False)
class Fitted:
    """One network's scores and folds, each (n,), and the thresholds that its folds are given."""

    scores: Array
    labels: Array
    patients: Array
    part: Array

    @cached_property
    def _sick(self) -> tuple[Array, Array, Array, Array]:
        """Scores of the sick, falling, their parts of the patient, patients and folds."""
        chosen = np.flatnonzero(self.labels == 1)
        chosen = chosen[np.argsort(-self.scores[chosen], kind="stable")]
        part = once_each(self.patients, self.labels == 1)
        return self.scores[chosen], part[chosen], self.patients[chosen], self.part[chosen]

    def thresholds(self, target: float | None, weights: Array) -> Array:
        """The threshold that each fold is judged by, fitted on the others, under weights of patients (P,)."""
        count = int(self.part.max()) + 1
        if target is None:
            return np.full(count, 0.5)
        falling, part, patients, folds = self._sick
        mass = part * weights[patients]
        found = np.empty(count)
        for k in range(count):
            reached = np.cumsum(mass * (folds != k))
            at = np.searchsorted(reached, (target - 1e-9) * reached[-1])
            found[k] = falling[min(at, len(falling) - 1)]
        return found
