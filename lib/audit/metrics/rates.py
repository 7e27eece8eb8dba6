"""Rates of decisions, overall and by group, by patient or by image, with the influence of every patient.

Decisions are expected ones, in 0 to 1: 1 = called sick, and a rule that tosses a coin gives its chance of calling sick.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.population import Population
from lib.audit.inference.replicates import ratio
from lib.audit.metrics.unit import Unit

TESTED = ("balanced_accuracy", "tpr", "fpr", "selection_rate")
"""Metrics of decisions whose gaps and changes are tested."""
DESCRIBED = ("accuracy", "fnr", "ppv", "missed")
"""Metrics that follow from those and from prevalence: shown with intervals, not tested once more."""
RATES = TESTED + DESCRIBED
ABOUT = {"tpr": (1,), "fnr": (1,), "fpr": (0,), "selection_rate": (2,), "accuracy": (2,), "missed": (2,), "ppv": (2,)}
"""Whom a metric is about: columns of `Population.sizes` (0 healthy, 1 sick, 2 all) that must be large enough; else both labels."""
SIMPLE = ("fpr", "tpr", "selection_rate", "accuracy", "missed", "ppv")
"""Metrics that are one ratio; the others are combinations."""
COMBINED = {"balanced_accuracy": ({"tpr": 0.5, "fpr": -0.5}, 0.5), "fnr": ({"tpr": -1.0}, 1.0)}


def rates(
    population: Population,
    decisions: Array,
    *,
    weighting: str = "uniform",
    unit: Unit = Unit.PATIENT,
    smallest_cell: int = 20,
    metrics: Sequence[str] = RATES,
) -> Figures:
    """Rates of decisions (S, n) in the G cells of the population: G x M figures, cell by cell.

    tpr = mean decision of the sick, fpr = of the healthy, selection_rate = of all, balanced_accuracy = (tpr + 1 - fpr) / 2, where 1 is
    perfect and .5 is what ignoring the image achieves; accuracy = share whose label is found, fnr = 1 - tpr; ppv = share of the sick
    among those called sick; missed = share who are sick and called healthy, so that 1,000 times it is how many of 1,000 patients, one image
    each, are sick and missed. `unit`: who counts once; by patient, within each group and label (`Unit`), and for ppv a
    patient as far as called sick. Index: attribute, group, metric, unit, images, patients, estimable (at least `smallest_cell` patients of
    each label that the metric is about). Raises ValueError for decisions that are not (S, n) numbers in 0 to 1.
    """
    decisions = check_rows(population, decisions, "decisions", bounded=True)
    unknown = [metric for metric in metrics if metric not in RATES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a rate; allowed are {', '.join(RATES)}.")
    needed = [m for m in SIMPLE if any(m == name or m in COMBINED.get(name, ({},))[0] for name in metrics)]
    found = _simple(population, needed, decisions, unit)
    base = _beside(found, index_of(population, tuple(needed), unit, smallest_cell), weighting)
    index = index_of(population, tuple(metrics), unit, smallest_cell)
    matrix, offset = _combined(needed, metrics, len(population.cells))
    figures = base.contrast(index, matrix)
    return Figures(index, figures.arms, figures.cells, figures.matrix, offset)


def check_rows(population: Population, rows: Array, what: str, *, bounded: bool = False) -> Array:
    """`rows` as float64 (S, n), or ValueError in one sentence when shape, NaN or range is wrong."""
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] == 0 or rows.shape[1] != population.n_images:
        raise ValueError(f"{what} have shape {rows.shape}; (networks, {population.n_images} images) is needed.")
    if not np.isfinite(rows).all():
        raise ValueError(f"{what} hold {int((~np.isfinite(rows)).sum())} values that are not finite numbers.")
    if bounded and (rows.min() < 0 or rows.max() > 1):
        raise ValueError(f"{what} range from {rows.min():g} to {rows.max():g}; allowed is 0 to 1.")
    return rows


@lru_cache(maxsize=8)
def index_of(population: Population, metrics: tuple[str, ...], unit: Unit, smallest_cell: int) -> pl.DataFrame:
    """The index of M metrics in G cells, G x M rows, cell by cell."""
    images, patients = population.sizes
    rows = []
    for g, cell in enumerate(population.cells):
        for metric in metrics:
            about = list(ABOUT.get(metric, (0, 1)))
            fewest = int(patients[g, about].min())
            counted = int(images[g, 2 if len(about) > 1 else about[0]])
            enough = fewest >= max(1, smallest_cell)
            rows.append((cell.attribute, cell.group, metric, str(unit), counted, fewest, enough))
    return pl.DataFrame(rows, schema=INDEX, orient="row")


INDEX = {
    **{name: pl.String for name in ("attribute", "group", "metric", "unit")},
    **{"images": pl.Int64, "patients": pl.Int64, "estimable": pl.Boolean},
}
Ratio = tuple[Array, Array, Array]
"""Numerators (S, P, G), denominators (S, P, G) or (1, P, G), and images (G,)."""


def _simple(population: Population, needed: Sequence[str], decisions: Array, unit: Unit) -> list[Ratio]:
    """The metrics that are one ratio of sums by patient, all from how many healthy and sick images of a patient are called sick."""
    images = population.counts_by_cell[None]  # (1, P, G, 2)
    called = population.sums_by_cell(decisions)  # (S, P, G, 2)
    every = images.sum(axis=-1)
    about = {"fpr": images[..., 0], "tpr": images[..., 1]}
    sums = {
        "fpr": called[..., 0],
        "tpr": called[..., 1],
        "selection_rate": called.sum(axis=-1),
        "accuracy": images[..., 0] - called[..., 0] + called[..., 1],
        "missed": images[..., 1] - called[..., 1],
        "ppv": called[..., 1],
    }
    found = []
    for metric in needed:
        counts = about.get(metric, every)
        numerators, denominators = _per(sums[metric], counts, unit), _per(counts, counts, unit)
        if metric == "ppv":
            denominators = _per(sums["selection_rate"], counts, unit)
        found.append((numerators, denominators, counts[0].sum(axis=0)))
    return found


def _per(sums: Array, counts: Array, unit: Unit) -> Array:
    """Sums as they are by image; by patient over the patient's images."""
    if unit == Unit.IMAGE:
        return sums
    return np.divide(sums, counts, out=np.zeros(np.broadcast_shapes(sums.shape, counts.shape)), where=counts > 0)


def _beside(found: Sequence[Ratio], index: pl.DataFrame, weighting: str) -> Figures:
    """All ratios as proportions, cell by cell."""
    many = max(len(own[1]) for own in found)  # some have denominators of each network
    parts = [(one, np.broadcast_to(two, (many, *two.shape[1:])), images) for one, two, images in found]
    numerators, denominators, images = (np.stack(own, axis=-1) for own in zip(*parts, strict=True))
    numerators, denominators = (own.reshape(*own.shape[:-2], -1) for own in (numerators, denominators))
    return ratio(index, weighting, numerators, denominators, images=images.ravel(), proportion=True, least=1)


def _combined(needed: Sequence[str], metrics: Sequence[str], cells: int) -> tuple[Array, Array]:
    """Matrix (G x N, G x M) and offset (G x M,) that make the metrics of the simple ones."""
    matrix, offset = np.zeros((len(needed), len(metrics))), np.zeros(len(metrics))
    for m, metric in enumerate(metrics):
        terms, offset[m] = COMBINED.get(metric, ({metric: 1.0}, 0.0))
        for name, coefficient in terms.items():
            matrix[needed.index(name), m] = coefficient
    return np.kron(np.eye(cells), matrix), np.tile(offset, cells)
