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

from lib.audit.columns import DESCRIBED, B, F, I, S, with_figures
from lib.audit.context import Context
from lib.audit.inference import Figures, ratio
from lib.audit.questions._curves import Shares, told
from lib.names import BASELINE_WEIGHTING

name = "net_benefit"
KEYS = {"attribute": S, "group": S, "threshold": F, "metric": S, "patients": I, "estimable": B}
schema = with_figures(KEYS, DESCRIBED)
needs = ("scores",)
THRESHOLDS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
METRICS = ("model", "treat all", "gain")


def compute(context: Context) -> list[pl.DataFrame]:
    population = context.population
    cells = np.stack([cell.images for cell in population.cells], axis=1)
    count, odds = cells.shape[1], THRESHOLDS / (1 - THRESHOLDS)
    sides = np.concatenate([cells & (population.labels == label)[:, None] for label in (1, 0)], axis=1)
    columns = np.repeat(sides, len(THRESHOLDS), axis=1)  # TPR, then FPR, (n, 2 G T)
    called = [np.tile(row[:, None] >= THRESHOLDS, sides.shape[1]) * 1.0 for row in context.scores[BASELINE_WEIGHTING]]
    networks = [Shares.of(population, own, columns) for own in called]
    sick = Shares.of(population, np.repeat(population.labels[:, None], count, axis=1), cells)
    totals = np.stack([np.concatenate([own.totals, sick.totals], axis=1) for own in networks])
    there = np.concatenate([networks[0].there, sick.there], axis=1)
    plain = pl.DataFrame({"cell": [str(k) for k in range(totals.shape[2])]})
    images = np.concatenate([columns.sum(axis=0), cells.sum(axis=0)])
    rates = ratio(plain, BASELINE_WEIGHTING, totals, there, images=images, proportion=True, least=1)
    tpr, fpr, p = np.split(np.nan_to_num(rates.estimate), [count * len(odds), 2 * count * len(odds)])
    figures = _figures(rates, tpr.reshape(count, -1), fpr.reshape(count, -1), p[:, None], odds)
    fewest = population.sizes[1][:, :2].min(axis=1)
    rows = [
        (cell.attribute, cell.group, float(t), metric, int(fewest[g]), bool(fewest[g] >= max(1, context.smallest_cell)))
        for g, cell in enumerate(population.cells)
        for t in THRESHOLDS
        for metric in METRICS
    ]
    return told(context, replace(figures, index=pl.DataFrame(rows, schema=KEYS, orient="row")))


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
