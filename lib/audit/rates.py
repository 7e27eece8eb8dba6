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


def resampled_rates(
    population: Population, decisions: Array, counts: Counts | AndLeftOut, images: Array | None = None
) -> Array:
    """The same rates in each resample, (B, S, G, 8), for patient counts (B, P). NaN where a resample empties the cell.

    `images` are those of `resampled_images`, which many decisions may share.
    """
    decisions = check_rows(population, decisions, "decisions", bounded=True)
    images = resampled_images(population, counts) if images is None else images
    sides = _sides(population)
    called = _by_patient(
        population, np.concatenate([sides * row[:, None] for row in decisions], axis=1)
    )  # (P, S, 2, G)
    own = _by_patient(population, sides)  # (P, 1, 2, G)
    with np.errstate(invalid="ignore"):
        missed = np.nan_to_num((own[:, :, 1] - called[:, :, 1]) / own.sum(axis=2))
    table = np.concatenate([called, missed[:, :, None]], axis=2)
    sums = resampled_sums(counts, table.reshape(len(table), -1)).reshape(-1, *table.shape[1:])  # (B, S, 3, G)
    with np.errstate(invalid="ignore", divide="ignore"):
        fpr, tpr, missed = np.moveaxis(sums / images, 2, 0)
        everyone, selected = images[:, :, 0] + images[:, :, 1], sums[:, :, 0] + sums[:, :, 1]
        right = images[:, :, 0] - sums[:, :, 0] + sums[:, :, 1]
        tested = (tpr + 1 - fpr) / 2, tpr, fpr, selected / everyone
        described = right / everyone, 1 - tpr, sums[:, :, 1] / selected, missed
    return np.stack([*tested, *described], axis=-1)


def resampled_images(population: Population, counts: Counts | AndLeftOut) -> Array:
    """Healthy and sick images, and patients, of each cell in each resample, (B, 1, 3, G): what rates are shares of."""
    own = _by_patient(population, _sides(population))[:, 0]
    table = np.stack([*np.moveaxis(own, 1, 0), own.sum(axis=1) > 0], axis=1)
    return resampled_sums(counts, table.reshape(len(table), -1)).reshape(-1, 1, *table.shape[1:])


def _sides(population: Population) -> Array:
    """Whether an image is in each cell and healthy, then whether it is there and sick, (n, 2G)."""
    members = np.stack([cell.images for cell in population.cells], axis=1)
    sick = population.labels[:, None] == 1
    return np.concatenate([members & ~sick, members & sick], axis=1).astype(np.float64)


def _by_patient(population: Population, table: Array) -> Array:
    """Sums over the images of each patient, (P, S, 2, G), of a table (n, S x 2G)."""
    return population.sums_by_patient(table).reshape(population.n_patients, -1, 2, len(population.cells))


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
