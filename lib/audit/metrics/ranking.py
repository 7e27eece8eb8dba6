"""AUC of scores, overall and by group, by patient or by image, with the influence of every patient."""

import numpy as np

from lib.audit.inference.cells import Array, Cells
from lib.audit.inference.figures import Figures
from lib.audit.inference.population import Population
from lib.audit.inference.variance import effective
from lib.audit.metrics.rates import check_rows, index_of
from lib.audit.metrics.unit import Unit, image_weights

FLOOR = 0.1
"""Change of a placement that one patient more could bring, so that an AUC of 1, or an unchanged one, is not certain."""


def auc(
    population: Population,
    scores: Array,
    *,
    weighting: str = "uniform",
    unit: Unit = Unit.PATIENT,
    smallest_cell: int = 20,
) -> Figures:
    """AUC of scores (S, n) in the G cells of the population, G figures.

    Chance that a sick image scores above a healthy one of the same cell, ties counted half: 1 = every sick image is above every healthy
    one, .5 = no order. By patient, a sick patient and a healthy one are drawn first, then an image of each. The influence of a patient is
    what the mean placement of the own images adds: Hajek's projection, DeLong, DeLong & Clarke-Pearson 1988, doi 10.2307/2531595; for
    patients with several images Obuchowski 1997, doi 10.2307/2533958. NaN where a cell lacks a label.
    Raises ValueError for scores that are not (S, n) finite numbers.
    """
    scores = check_rows(population, scores, "scores")
    members = np.stack([cell.images for cell in population.cells], axis=1)
    sick = population.labels[:, None] == 1
    weights = [image_weights(population, members & side, unit) for side in (~sick, sick)]
    by_patient = [population.sums_by_patient(weight) for weight in weights]
    totals = [weight.sum(axis=0) for weight in weights]
    sizes = [(own > 0).sum(axis=0) for own in by_patient]
    known = (totals[0] > 0) & (totals[1] > 0)
    values, influence = [], []
    for row in scores:
        placed = _placements(row, weights, totals)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.sum(weights[1] * placed[1], axis=0) / totals[1]
            pushed = 0
            for side in (0, 1):
                off = population.sums_by_patient(weights[side] * np.nan_to_num(placed[side])) - value * by_patient[side]
                pushed = pushed + off / totals[side] * np.sqrt(sizes[side] / np.maximum(sizes[side] - 1, 1))
        values.append(value)
        influence.append(np.where(known, pushed, 0))
    size = np.minimum(*sizes).astype(float)
    degrees = np.maximum(np.minimum(*(effective(own) for own in by_patient)) - 1, 1)
    images = np.minimum(*((weight > 0).sum(axis=0) for weight in weights)).astype(float)
    cells = Cells(size, images, degrees, known, (0.0, 1.0), floor=FLOOR)
    index = index_of(population, ("auc",), unit, smallest_cell)
    return Figures.of(index, weighting, np.where(known, values, np.nan), np.stack(influence), cells)


def _placements(scores: Array, weights: list[Array], totals: list[Array]) -> list[Array]:
    """Share of the other side's weight that an image is rightly ordered with, (n, G): of the healthy, then of the sick."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    ends = np.searchsorted(ordered, ordered, side="right")
    found = []
    for side in (0, 1):
        running = np.zeros((len(scores) + 1, weights[0].shape[1]))
        np.cumsum(weights[1 - side][order], axis=0, out=running[1:])
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (running[starts] + running[ends]) / 2 / totals[1 - side]
        placed = np.empty_like(share)
        placed[order] = share if side else 1 - share
        found.append(placed)
    return found
