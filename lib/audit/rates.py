"""Rates of decisions, overall and per group, in the sample and in every resample of patients.

Decisions are expected ones, in 0 to 1: 1 = called sick, and a rule that tosses a coin gives its chance of calling sick.
"""

import numpy as np
from numpy.typing import NDArray

from lib.audit.population import Population
from lib.audit.resampling import AndLeftOut, Array, Counts, resampled_sums

TESTED = ("balanced_accuracy", "tpr", "fpr", "selection_rate")
"""Metrics of decisions whose gaps and changes are tested."""
DESCRIBED = ("accuracy", "fnr", "ppv", "missed")
"""Metrics that follow from those and from prevalence: shown with intervals, not tested once more."""
RATES = TESTED + DESCRIBED
"""All metrics of decisions, in the order of the last axis of every array of rates."""


def rates(population: Population, decisions: Array) -> Array:
    """Rates (S, G, 8) of decisions (S, n) in the G cells of the population, in the order of `RATES`.

    tpr = mean decision of the sick, fpr = of the healthy, selection_rate = of all, balanced_accuracy =
    (tpr + 1 - fpr) / 2, where 1 is perfect and .5 is what ignoring the image achieves; accuracy = share of images whose
    label is found, fnr = 1 - tpr, ppv = share of the sick among those called sick. `missed` is told of patients: the mean,
    over patients with an image in the cell, of the share of those images that are sick and called healthy, so that 1,000
    times it is how many of 1,000 patients, one image each, are sick and missed. NaN where nobody is in the cell, and for
    ppv where nobody is called sick. Raises ValueError for decisions that are not (S, n) numbers in 0 to 1.
    """
    once = np.ones((1, population.n_patients), dtype=np.uint16)
    return resampled_rates(population, decisions, once)[0]


def resampled_rates(population: Population, decisions: Array, counts: Counts | AndLeftOut) -> Array:
    """The same rates in each resample, (B, S, G, 8), for patient counts (B, P). NaN where a resample empties the cell."""
    decisions = check_rows(population, decisions, "decisions", bounded=True)
    members = np.stack([cell.images for cell in population.cells], axis=1)  # (n, G)
    sick = population.labels[:, None] == 1
    sides = np.concatenate([members & ~sick, members & sick], axis=1).astype(np.float64)  # (n, 2G)
    table = np.concatenate([sides, *(sides * row[:, None] for row in decisions)], axis=1)  # (n, (1 + S) 2G)
    by_patient = population.sums_by_patient(table)
    sums = resampled_sums(counts, np.concatenate([by_patient, _missed(by_patient, members.shape[1])], axis=1))
    sums, missed = np.split(sums, [by_patient.shape[1]], axis=1)
    missed = missed.reshape(len(counts), 1 + len(decisions), members.shape[1])
    sums = sums.reshape(len(counts), 1 + len(decisions), 2, members.shape[1])
    everyone, called = sums[:, :1].sum(axis=2), sums[:, 1:].sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = sums[:, 1:] / sums[:, :1]  # (B, S, 2, G)
        fpr, tpr = shares[:, :, 0], shares[:, :, 1]
        right = sums[:, :1, 0] - sums[:, 1:, 0] + sums[:, 1:, 1]
        tested = (tpr + 1 - fpr) / 2, tpr, fpr, called / everyone
        described = right / everyone, 1 - tpr, sums[:, 1:, 1] / called, missed[:, 1:] / missed[:, :1]
    return np.stack([*tested, *described], axis=-1)


def _missed(by_patient: Array, cells: int) -> Array:
    """Whether a patient is in each cell, then for each network the share of the patient's images missed, (P, (1 + S) G)."""
    parts = by_patient.reshape(len(by_patient), -1, 2, cells)
    images = parts[:, 0].sum(axis=1)
    with np.errstate(invalid="ignore"):
        share = np.nan_to_num((parts[:, :1, 1] - parts[:, 1:, 1]) / images[:, None])
    return np.concatenate([(images > 0)[:, None], share], axis=1).reshape(len(by_patient), -1)


def check_rows(population: Population, rows: Array, what: str, *, bounded: bool = False) -> Array:
    """`rows` as float64 (S, n), or ValueError in one sentence when shape, NaN or range is wrong."""
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] == 0 or rows.shape[1] != population.n_images:
        raise ValueError(f"{what} have shape {rows.shape}; (seeds, {population.n_images} images) is needed.")
    if not np.isfinite(rows).all():
        raise ValueError(f"{what} hold {int((~np.isfinite(rows)).sum())} values that are not finite numbers.")
    if bounded and (rows.min() < 0 or rows.max() > 1):
        raise ValueError(f"{what} range from {rows.min():g} to {rows.max():g}; allowed is 0 to 1.")
    return rows


def metric_base(metric: str) -> tuple[int, ...]:
    """Whom a metric is about: columns of `Population.sizes` (0 healthy, 1 sick, 2 all) that must be large enough."""
    single = {"tpr": 1, "fnr": 1, "fpr": 0, "selection_rate": 2, "accuracy": 2, "missed": 2}
    return (single[metric],) if metric in single else (0, 1)


def estimable(population: Population, metrics: tuple[str, ...], smallest_cell: int) -> NDArray[np.bool_]:
    """Whether each cell has at least `smallest_cell` patients of those a metric is about, (G, M); never with none."""
    patients = population.sizes[1]
    enough = patients >= max(1, smallest_cell)
    return np.stack([enough[:, list(metric_base(metric))].all(axis=1) for metric in metrics], axis=1)
