"""Is it worth calling people back by this score, in each group? Net benefit, at thresholds of risk. By patient, on the baseline.

With prevalence p (the mean over patients of the share of their images that are sick), and a threshold t at which one
accepts (1 - t) / t false alarms for each sick person found:
  model       p TPR(t) - (1 - p) FPR(t) t / (1 - t), sick being called from a score of t up
  treat all   the same with TPR = FPR = 1; calling nobody has 0
  gain        model - the better of calling all and calling nobody (the better one in the sample)
In true positives per person: .05 is as good as finding 50 more sick of 1,000 without a false alarm. gain below 0 in a group:
that group would be better off without the model at this threshold. Decision curves: Vickers & Elkin 2006, doi 10.1177/0272989X06295361. Depends on the
prevalence of the cohort, and reads scores as risks. Means over networks. All is made of proportions (p, TPR, FPR) at their rates of exchange in
the sample, and has their intervals: where hardly anybody is called at a high threshold, a plain standard error is near 0.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, B, F, I, S
from lib.audit.context import Context
from lib.audit.inference import Figures
from lib.audit.questions._curves import Shares, counted, means, sides
from lib.names import BASELINE_WEIGHTING

name = "net_benefit"
KEYS = ("attribute", "group", "threshold", "metric")
schema = {"attribute": S, "group": S, "threshold": F, "metric": S} | DESCRIBED | {"patients": I, "estimable": B}
needs = ("scores",)
THRESHOLDS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
METRICS = ("model", "treat all", "gain")


def compute(context: Context) -> pl.DataFrame:
    population = context.population
    cells = np.stack([cell.images for cell in population.cells], axis=1)
    count, odds = cells.shape[1], THRESHOLDS / (1 - THRESHOLDS)
    columns = np.repeat(sides(population), len(THRESHOLDS), axis=1)  # TPR, then FPR, (n, 2 G T)
    sick = Shares.of(population, population.labels, cells)
    networks = [
        Shares.beside([Shares.of(population, np.tile(row[:, None] >= THRESHOLDS, 2 * count), columns), sick])
        for row in context.scores[BASELINE_WEIGHTING]
    ]
    images = np.concatenate([columns.sum(axis=0), cells.sum(axis=0)])
    rates = means(context, enumerate(images), ("cell", "_"), networks, images, proportion=True, least=1)
    tpr, fpr, p = np.split(np.nan_to_num(rates.estimate), [count * len(odds), 2 * count * len(odds)])
    figures = _figures(rates, tpr.reshape(count, -1), fpr.reshape(count, -1), p[:, None], odds)
    keys = [
        (cell.attribute, cell.group, t, metric) for cell in population.cells for t in THRESHOLDS for metric in METRICS
    ]
    fewest = population.sizes[1][:, :2].min(axis=1)
    index = counted(context, keys, KEYS, np.repeat(fewest, len(THRESHOLDS) * len(METRICS)))
    return context.describe(replace(figures, index=index)).table()


def _figures(rates: Figures, tpr: np.ndarray, fpr: np.ndarray, p: np.ndarray, odds: np.ndarray) -> Figures:
    """Model, treating all, and the gain, (G, T, 3) in a row, as combinations of rates: `tpr`, `fpr` (G, T), and `p` (G, 1), of the sample."""
    groups, count = tpr.shape
    of_rates, of_p = np.zeros((2, groups, count, groups, count, 3)), np.zeros((groups, groups, count, 3))
    offset = np.zeros((groups, count, 3))
    g, t = np.indices((groups, count))
    better = p - (1 - p) * odds > 0
    exchange = tpr + fpr * odds
    for k, share in ((0, np.zeros_like(better)), (2, better)):  # the gain is the model less what is better
        of_rates[0, g, t, g, t, k], of_rates[1, g, t, g, t, k] = p, -(1 - p) * odds
        of_p[g, g, t, k] = exchange - share * (1 + odds)
        offset[g, t, k] = share * odds - exchange * p
    of_p[g, g, t, 1], offset[..., 1] = 1 + odds, -odds
    matrix = np.concatenate([of_rates.reshape(2 * groups * count, -1), of_p.reshape(groups, -1)])
    return replace(rates, matrix=matrix, offset=offset.ravel())
