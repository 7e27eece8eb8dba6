"""How well does the classifier tell sick from healthy in each group, wherever the threshold lies? By patient, on the baseline.

`auc`: area under the group's ROC curve. `tpr_at_equal_fpr`: the group's TPR at the threshold of its own at which its FPR
is that of everyone; `fpr_at_equal_tpr` likewise. `tpr` and `fpr`: with the threshold that is used. Groups with the same
ROC curve but other scores differ in `tpr` and `fpr` and agree in the three others: Hardt, Price & Srebro 2016, arXiv
1610.02413; Chouldechova 2017, doi 10.1089/big.2016.0047. On straight lines between the points of the curve. Rates in 0 to
1, means over networks. Intervals over patients by resamples: a jackknife's standard error of a point of a ROC curve was .065 where that of
resamples is .040. Finding a group's own threshold needs its labels; deciding by it, the group.
"""

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, B, I, S, with_figures
from lib.audit.context import Context
from lib.audit.inference import Figures, from_replicates, patient_weights
from lib.audit.questions._curves import Array, Curve, Shares, area, fpr_at, told, tpr_at
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "equal_rates"
KEYS = {"attribute": S, "group": S, "metric": S, "images": I, "patients": I, "estimable": B}
schema = with_figures(KEYS, DESCRIBED)
needs = ("scores",)
METRICS = ("tpr", "fpr", "tpr_at_equal_fpr", "fpr_at_equal_tpr", "auc")
RESAMPLES = 200


def compute(context: Context) -> list[pl.DataFrame]:
    return told(context, levels(context))


def levels(context: Context) -> Figures:
    """The five metrics of every cell, index `attribute`, `group`, `metric`, `images`, `patients`, `estimable`."""
    return context.once("equal rates", None, lambda: _levels(context))


def _levels(context: Context) -> Figures:
    population = context.population
    images, patients = population.sizes
    index = pl.DataFrame(
        [
            (cell.attribute, cell.group, metric, int(images[g, 2]), int(patients[g, :2].min()))
            + (bool(patients[g, :2].min() >= max(1, context.smallest_cell)),)
            for g, cell in enumerate(population.cells)
            for metric in METRICS
        ],
        schema=KEYS,
        orient="row",
    )
    known = np.flatnonzero(patients[:, :2].min(axis=1) > 0)
    masks = [population.cells[g].images for g in known]
    networks = [
        ([Curve.of(population, scores, mask) for mask in masks], _decided(context, decisions, masks))
        for scores, decisions in zip(context.scores[BASELINE_WEIGHTING], context.decisions[BASELINE], strict=True)
    ]

    def values(weights: Array) -> Array:
        found = np.full((len(networks), len(population.cells), len(METRICS)), np.nan)
        for s, (curves, decided) in enumerate(networks):
            tpr, fpr = decided.at(weights).reshape(2, -1)
            for k, curve in enumerate(curves):
                roc = curve.rates(weights)
                at_equal = tpr_at(fpr[0], *roc), fpr_at(tpr[0], *roc)
                found[s, known[k]] = tpr[k], fpr[k], *at_equal, area(*roc)
        return found.reshape(len(networks), -1)

    drawn = np.stack([values(weights) for weights in patient_weights(population.n_patients, RESAMPLES, context.seed)])
    return from_replicates(index, BASELINE_WEIGHTING, values(np.ones(population.n_patients)), drawn, bounds=(0, 1))


def _decided(context: Context, decisions: Array, masks: list[Array]) -> Shares:
    """TPR of each cell, then FPR: everyone is the first cell."""
    population = context.population
    images = np.stack([mask & (population.labels == label) for label in (1, 0) for mask in masks], axis=1)
    return Shares.of(population, np.broadcast_to(decisions[:, None], images.shape), images)
