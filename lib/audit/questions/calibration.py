"""Do scores mean what they say? Calibration by weighting and group, by patient.

All are means over networks of a figure of one network: `brier`, mean of (score - label)^2; `mean_error`, mean score -
share of sick: above 0 the scores overstate; `slope` and `intercept` of logit P(sick) = intercept + slope logit(score),
the intercept with the slope held at 1: slope 1 is right, below 1 the scores are too extreme, above too timid; `ece`,
expected calibration error over ten bins, debiased (Kumar, Liang & Ma 2019, arXiv 1909.10155): it cannot be below 0 and
has no interval. `mean_error` and `slope` are tested against `ideal`, 0 and 1: the direction is the side of `ideal` that
`estimate` lies on. One family over the groups and both measures of a weighting. Within a group each patient counts once.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.special import expit

from lib.audit.columns import STANDARD, B, F, I, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Population, pool
from lib.audit.questions._curves import once_each
from lib.recalibration import logistic, logits

name = "calibration"
schema = (
    {"weighting": S, "attribute": S, "group": S, "measure": S, "ideal": F}
    | STANDARD
    | {"network_sd": F, "images": I, "patients": I, "estimable": B}
)
needs = ("scores",)
MEASURES = ("brier", "mean_error", "slope", "intercept")
ORDER = ("brier", "mean_error", "ece", "slope", "intercept")
BINS = 10
"""Of the calibration error, as many images each; equal scores in one bin."""
IDEAL = {"mean_error": 0.0, "slope": 1.0}


def compute(context: Context) -> pl.DataFrame:
    scores = {w: rows for w, rows in context.scores.items() if context.has_scores(w)}
    figures = pool({w: _figures(context, w, rows) for w, rows in scores.items()})
    parts = [part for w, rows in scores.items() for part in _told(context, w, figures[w], rows)]
    told = pl.concat(parts, how="diagonal_relaxed")
    cells = context.population.cells
    order = [(w, cell.attribute, cell.group, measure) for w in scores for cell in cells for measure in ORDER]
    keys = ["weighting", "attribute", "group", "measure"]
    return pl.DataFrame(order, schema=keys, orient="row").join(told, on=keys, how="left", maintain_order="left")


def _told(context: Context, weighting: str, figures: Figures, scores: np.ndarray) -> Iterator[pl.DataFrame]:
    ideal = pl.col("measure").replace_strict(IDEAL, default=None, return_dtype=F)
    spread = figures.index.select("attribute", "group", "measure").with_columns(network_sd=figures.network_sd)
    tested = pl.col("measure").is_in(list(IDEAL))
    # against 0: the ideal is taken off before, and put back on the bounds
    own = context.infer(figures.where(tested)).table().with_columns(ideal=ideal)
    bounds = ("estimate", "low", "high", "low_simultaneous", "high_simultaneous")
    own = own.with_columns(pl.col(key) + pl.col("ideal") for key in bounds)
    rest = context.describe(figures.where(~tested)).table().drop("p", "verdict").with_columns(ideal=pl.lit(None, F))
    table = pl.concat([own, rest], how="diagonal_relaxed")
    yield table.join(spread, on=["attribute", "group", "measure"], how="left").with_columns(weighting=pl.lit(weighting))
    yield _errors(context.population, weighting, scores, context.smallest_cell)


def _weights(population: Population, images: np.ndarray) -> np.ndarray:
    """1 / images of the patient in the cell, for its images (n,) bool: each patient counts once; sums to 1."""
    weights = once_each(population.patients, images)[images]
    return weights / weights.sum()


def _figures(context: Context, weighting: str, scores: np.ndarray) -> Figures:
    """Measures of every cell; the tested ones less their ideal. (S, K) values and (S, P, K) influences."""
    people = context.population
    keys, values, influences = [], [], []
    for cell, enough in zip(people.cells, _enough(people, context.smallest_cell), strict=True):
        sizes = int(cell.images.sum()), people.count_patients(cell.images)
        keys += [(cell.attribute, cell.group, measure, *sizes, enough) for measure in MEASURES]
        value = np.full((len(scores), len(MEASURES)), np.nan)
        influence = np.zeros((len(scores), people.n_patients, len(MEASURES)), dtype=np.float32)
        if enough:
            weights = _weights(people, cell.images)
            for s, row in enumerate(scores):
                value[s], of_images = _one(row[cell.images], people.labels[cell.images], weights)
                table = np.zeros((people.n_images, len(MEASURES)))
                table[cell.images] = of_images
                influence[s] = people.sums_by_patient(table)
        values.append(value)
        influences.append(influence)
    kinds = {"attribute": S, "group": S, "measure": S, "images": I, "patients": I, "estimable": B}
    index = pl.DataFrame(keys, schema=kinds, orient="row")
    return Figures.of(index, weighting, np.concatenate(values, axis=1), np.concatenate(influences, axis=2))


def _one(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The measures (4,) of one network in one cell, and what each image adds to them, (n, 4): influences of M-estimates."""
    error = scores - labels
    brier, mean = weights @ error**2, weights @ error
    x = logits(scores)
    design = np.column_stack([x, np.ones_like(x)])
    beta = logistic(design, labels, weights)
    shift = logistic(design[:, 1:], labels, weights, offset=x)
    slope = _influence(design, labels, weights, expit(design @ beta))[:, 0]
    shifted = _influence(design[:, 1:], labels, weights, expit(x + shift))[:, 0]
    parts = [weights * (error**2 - brier), weights * (error - mean), slope, shifted]
    values = np.array([brier, mean, beta[0] - IDEAL["slope"], shift[0]])
    influence = np.column_stack(parts)
    values[np.isnan(influence).any(axis=0)] = np.nan
    return values, influence


def _influence(design: np.ndarray, labels: np.ndarray, weights: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """What each image adds to the coefficients of a logistic fit, (n, K); NaN where it has no maximum or no single one."""
    information = (design * (weights * chance * (1 - chance))[:, None]).T @ design
    if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
        return np.full(design.shape, np.nan)
    return np.linalg.solve(information, (design * (weights * (labels - chance))[:, None]).T).T


def _enough(people: Population, smallest_cell: int) -> list[bool]:
    """Whether each cell has enough healthy and enough sick patients."""
    return [bool((sizes[:2] >= max(1, smallest_cell)).all()) for sizes in people.sizes[1]]


def _errors(people: Population, weighting: str, scores: np.ndarray, smallest_cell: int) -> pl.DataFrame:
    """The debiased calibration error of every cell, a mean over networks; described without interval."""
    rows = []
    for cell, enough in zip(people.cells, _enough(people, smallest_cell), strict=True):
        value, sd = None, None
        if enough:
            weights = _weights(people, cell.images)
            patients = people.patients[cell.images]
            own = [_ece(row[cell.images], people.labels[cell.images], patients, weights) for row in scores]
            value = float(np.sqrt(max(0.0, np.mean(own))))
            sd = float(np.std(np.sqrt(np.maximum(own, 0)), ddof=1)) if len(own) > 1 else None
        sizes = int(cell.images.sum()), people.count_patients(cell.images)
        rows.append((weighting, cell.attribute, cell.group, "ece", value, sd, *sizes, enough))
    kinds = {"weighting": S, "attribute": S, "group": S, "measure": S, "estimate": F, "network_sd": F}
    return pl.DataFrame(rows, schema=kinds | {"images": I, "patients": I, "estimable": B}, orient="row")


def _ece(scores: np.ndarray, labels: np.ndarray, patients: np.ndarray, weights: np.ndarray) -> float:
    """Squared calibration error less what sampling patients adds to it; may be below 0."""
    edges = np.quantile(scores, np.linspace(0, 1, BINS + 1))
    bins, own = np.searchsorted(edges[1:-1], scores), np.unique(patients, return_inverse=True)[1]
    count, people = int(bins.max()) + 1, int(own.max()) + 1
    share = np.bincount(bins, weights, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.bincount(bins, weights * (scores - labels), count) / share
        pushed = weights * (scores - labels - gap[bins]) / share[bins]
        place = bins * people + own
        by_patient = np.bincount(place, pushed, count * people).reshape(count, people)
        present = (np.bincount(place, minlength=count * people).reshape(count, people) > 0).sum(axis=1)
        noise = np.where(present > 1, (by_patient**2).sum(axis=1) * present / (present - 1), 0)
    return float(np.nansum(share * (gap**2 - noise)))
