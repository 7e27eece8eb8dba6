"""How well does the classifier tell sick from healthy in each group, wherever the threshold lies? By patient, on the baseline.

`auc`: area under the group's ROC curve. `tpr_at_equal_fpr`: the group's TPR at the threshold of its own at which its FPR
is that of everyone; `fpr_at_equal_tpr` likewise. `tpr` and `fpr`: with the threshold that is used. Groups with the same
ROC curve but other scores differ in `tpr` and `fpr` and agree in the three others: Hardt, Price & Srebro 2016, arXiv
1610.02413; Chouldechova 2017, doi 10.1089/big.2016.0047. On straight lines between the points of the curve. Rates in 0 to
1, means over networks; `tpr`, `fpr` and `auc` as in `metrics`, the others' intervals over patients by resamples: a jackknife's standard error
of a point of a ROC curve was .065 where that of resamples is .040. Finding a group's own threshold needs its labels; deciding by it, the group.
"""

import numpy as np
import polars as pl

from lib.audit.columns import COUNTED, DESCRIBED, S
from lib.audit.context import Context
from lib.audit.inference import Figures, from_replicates, patient_weights
from lib.audit.questions._curves import Array, Curve, Shares, counted, sides
from lib.names import BASELINE, BASELINE_WEIGHTING, ERRORS

name = "equal_rates"
KEYS = ("attribute", "group", "metric")
schema = dict.fromkeys(KEYS, S) | DESCRIBED | COUNTED
needs = ("scores",)
EQUAL = ("tpr_at_equal_fpr", "fpr_at_equal_tpr")
METRICS = (*ERRORS, *EQUAL)
RESAMPLES = 200


def compute(context: Context) -> list[pl.DataFrame]:
    equal = levels(context).where(pl.col("metric").is_in(EQUAL))
    return [context.describe(figures).table() for figures in (*used(context), equal)]


def used(context: Context) -> tuple[Figures, Figures]:
    """TPR and FPR with the threshold that is used, and AUC, of every cell."""
    return context.levels().where(pl.col("metric").is_in(ERRORS)), context.ranked()


def levels(context: Context) -> Figures:
    """`METRICS` of every cell, all from the same resamples, index `attribute`, `group`, `metric`, `images`, `patients`, `estimable`."""
    return context.once("equal rates", None, lambda: _levels(context))


def _levels(context: Context) -> Figures:
    population, cells = context.population, context.population.cells
    fewest = population.sizes[1][:, :2].min(axis=1)
    keys = [(cell.attribute, cell.group, metric) for cell in cells for metric in METRICS]
    counts = (np.repeat(count, len(METRICS)) for count in (fewest, population.sizes[0][:, 2]))
    known, images = np.flatnonzero(fewest), sides(population)
    networks = [
        (Shares.of(population, decisions, images), [Curve.of(population, scores, cells[g].images) for g in known])
        for scores, decisions in zip(context.scores[BASELINE_WEIGHTING], context.decisions[BASELINE], strict=True)
    ]

    def values(weights: Array) -> Array:
        rates = np.full((len(networks), len(cells), len(METRICS)), np.nan)
        for s, (decided, curves) in enumerate(networks):
            tpr, fpr = decided.at(weights).reshape(2, -1)
            for g, curve in zip(known, curves, strict=True):
                roc = curve.rates(weights)
                rates[s, g] = tpr[g], fpr[g], np.interp(fpr[0], *roc), np.interp(tpr[0], *roc[::-1])
        return rates.reshape(len(networks), -1)

    drawn = np.stack([values(weights) for weights in patient_weights(population.n_patients, RESAMPLES, context.seed)])
    once = values(np.ones(population.n_patients))
    return from_replicates(counted(context, keys, KEYS, *counts), BASELINE_WEIGHTING, once, drawn, bounds=(0, 1))
