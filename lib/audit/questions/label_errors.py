"""How many wrong labels would make a gap vanish, in which group? By patient, on the baseline: a tipping point.

Were a share x of the labels of one group wrong, both groups could have the same rates. For the FPR, in the group h where it
is higher, x of those labelled healthy would be sick; for the TPR, in the group l where it is lower, x of those labelled sick
would be healthy. `reading`:
  "as the others"   the wrongly labelled are called sick as often as those of their true label in this group:
                    x = (FPR_h - FPR_other) / (TPR_h - FPR_other);   x = (TPR_other - TPR_l) / (TPR_other - FPR_l)
  "errors first"    every wrong label is among the errors, the fewest that would do:
                    x = (FPR_h - FPR_other) / (1 - FPR_other);       x = 1 - TPR_l / TPR_other
`estimate` is x, in shares of patients; `wrong` how many of the group's patients that is. Above 1, or null where the
denominator is not above 0: no share would do. A tipping point says how much would be needed, not that it is so: tipping
analysis as in sensitivity analyses of missing data (Yan, Lee & Li 2009, doi 10.1080/10543400903243009); the two equations
are those of a rate under misclassified labels (Rogan & Gladen 1978, doi 10.1093/oxfordjournals.aje.a112510). Which labels are likely wrong cannot be read off
scores alone; `label_mixture` looks. Means over networks; intervals over patients, the group held.
"""

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, B, F, I, S
from lib.audit.context import Context
from lib.audit.inference import jackknife
from lib.audit.questions._curves import Array, Shares, counted, sides
from lib.names import BASELINE, BASELINE_WEIGHTING

name = "label_errors"
KEYS = ("attribute", "contrast", "metric", "group", "reading")
schema = dict.fromkeys(KEYS, S) | DESCRIBED | {"wrong": F, "patients": I, "estimable": B}
needs = ("pairs",)
READINGS = ("as the others", "errors first")


def compute(context: Context) -> pl.DataFrame:
    population, cells = context.population, context.population.cells
    images, pairs = sides(population), np.array([pair for *_, pair in population.pairs])
    networks = [Shares.of(population, row, images) for row in context.decisions[BASELINE]]

    def rates(own: Shares, weights: Array) -> Array:  # (pairs, group or reference, TPR or FPR)
        return np.moveaxis(own.at(weights).reshape(2, -1)[:, pairs], 0, -1)

    observed = np.mean([rates(own, np.ones(population.n_patients)) for own in networks], axis=0)
    with np.errstate(invalid="ignore"):
        # the side where labels would be wrong: that of the lower TPR, that of the higher FPR
        blamed = (np.diff(observed, axis=1)[:, 0] * [-1, 1] > 0).astype(int)
    sizes = population.sizes[1][:, [1, 0]]  # patients, sick and healthy
    of = np.take_along_axis(pairs, blamed, axis=1)  # (pairs, TPR or FPR)
    keys = [
        (attribute, contrast, metric, cells[of[k, m]].group, reading)
        for k, (attribute, contrast, *_) in enumerate(population.pairs)
        for m, metric in enumerate(("tpr", "fpr"))
        for reading in READINGS
    ]
    fewest = np.repeat(sizes[pairs].min(axis=(1, 2)), 2 * len(READINGS))
    patients = pl.Series(np.repeat(sizes[of, [0, 1]].ravel(), len(READINGS)), dtype=I)
    index = counted(context, keys, KEYS, fewest).with_columns(patients=patients)

    def values(weights: Array) -> Array:
        return np.stack([_tipping(rates(own, weights), blamed) for own in networks])

    figures = jackknife(index, BASELINE_WEIGHTING, values, patients=population.n_patients)
    return context.describe(figures).table().with_columns(wrong=pl.col("estimate") * pl.col("patients"))


def _tipping(rates: Array, blamed: Array) -> Array:
    """Shares, (pairs x tpr, fpr x readings), of rates (pairs, group or reference, TPR or FPR)."""
    each = np.arange(len(rates))
    found = []
    for m in (0, 1):
        own, other = rates[each, blamed[:, m]], rates[each, 1 - blamed[:, m]]
        if m == 0:
            apart, alike, first = other[:, 0] - own[:, 0], other[:, 0] - own[:, 1], other[:, 0]
        else:
            apart, alike, first = own[:, 1] - other[:, 1], own[:, 0] - other[:, 1], 1 - other[:, 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.stack([np.where(of > 0, apart / of, np.nan) for of in (alike, first)], axis=1))
    return np.stack(found, axis=1).ravel()
