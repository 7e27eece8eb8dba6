"""Is it worth calling people back by this score, in each group? Net benefit, at thresholds of risk. By patient, on the baseline.

With prevalence p (the mean over patients of the share of their images that are sick), and a threshold t at which one
accepts (1 - t) / t false alarms for each sick person found:
  model       p TPR(t) - (1 - p) FPR(t) t / (1 - t), sick being called from a score of t up
  treat all   the same with TPR = FPR = 1; calling nobody has 0
  gain        model - the better of calling all and calling nobody (the better one in the sample)
In true positives per person: .05 is as good as finding 50 more sick of 1,000 without a false alarm. gain below 0 in a group:
that group would be better off without the model at this threshold. Decision curves: Vickers & Elkin 2006, doi 10.1177/0272989X06295361. Depends on the
prevalence of the cohort, and reads scores as risks. Means over networks; intervals over patients.
"""

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, B, F, I, S
from lib.audit.context import Context
from lib.audit.inference import jackknife
from lib.audit.questions._curves import Array, Shares, told
from lib.names import BASELINE_WEIGHTING

name = "net_benefit"
KEYS = {"attribute": S, "group": S, "threshold": F, "metric": S, "patients": I, "estimable": B}
schema = {"attribute": S, "group": S, "threshold": F, "metric": S} | DESCRIBED | {"patients": I, "estimable": B}
needs = ("scores",)
THRESHOLDS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
METRICS = ("model", "treat all", "gain")


def compute(context: Context) -> pl.DataFrame:
    population = context.population
    cells = np.stack([cell.images for cell in population.cells], axis=1)
    sides = np.concatenate([cells & (population.labels == label)[:, None] for label in (1, 0)], axis=1)
    columns = np.repeat(sides, len(THRESHOLDS), axis=1)
    called = [np.tile(row[:, None] >= THRESHOLDS, sides.shape[1]) * 1.0 for row in context.scores[BASELINE_WEIGHTING]]
    networks = [Shares.of(population, own, columns).totals for own in called]
    totals = np.concatenate(networks, axis=1)
    there = (population.sums_by_patient(sides) > 0) * 1.0
    sick = Shares.of(population, np.repeat(population.labels[:, None], cells.shape[1], axis=1), cells)

    def read(weights: Array) -> Array:
        """Net benefit of the model and of treating all, (S, G, T, 2)."""
        p = sick.at(weights)[:, None]
        odds = THRESHOLDS / (1 - THRESHOLDS)
        treated = p - (1 - p) * odds
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = (weights @ totals).reshape(len(networks), 2, -1, len(THRESHOLDS))
            rates /= (weights @ there).reshape(2, -1, 1)
        model = p * rates[:, 0] - (1 - p) * rates[:, 1] * odds
        return np.stack([model, np.broadcast_to(treated, model.shape)], axis=-1)

    with np.errstate(invalid="ignore"):
        better = read(np.ones(population.n_patients))[..., 1].mean(axis=0) > 0  # (G, T)

    def values(weights: Array) -> Array:
        both = read(weights)
        gain = both[..., 0] - np.where(better, both[..., 1], 0)
        return np.concatenate([both, gain[..., None]], axis=-1).reshape(len(networks), -1)

    fewest = population.sizes[1][:, :2].min(axis=1)
    rows = [
        (cell.attribute, cell.group, float(t), metric, int(fewest[g]), bool(fewest[g] >= max(1, context.smallest_cell)))
        for g, cell in enumerate(population.cells)
        for t in THRESHOLDS
        for metric in METRICS
    ]
    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    return told(context, jackknife(index, BASELINE_WEIGHTING, values, patients=population.n_patients), schema)
