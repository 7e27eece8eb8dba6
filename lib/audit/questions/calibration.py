"""Do scores mean what they say? Calibration by weighting and group, by patient.

All are means over networks of a figure of one network: `brier`, mean of (score - label)^2; `mean_error`, mean score -
share of sick: above 0 the scores overstate; `slope` and `intercept` of logit P(sick) = intercept + slope logit(score),
the intercept with the slope held at 1: slope 1 is right, below 1 the scores are too extreme, above too timid; `ece`,
expected calibration error over ten bins, debiased (Kumar, Liang & Ma 2019, arXiv 1909.10155): it cannot be below 0 and
has no interval. `mean_error` and `slope` are tested against `ideal`, 0 and 1: the direction is the side of `ideal` that
`estimate` lies on. One family over the groups and both measures of a weighting. Within a group each patient counts once.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy.special import expit

from lib.audit.columns import COUNTED, STANDARD, F, S
from lib.audit.context import Context
from lib.audit.inference import Cell, Figures, pool
from lib.audit.questions._curves import counted, once_each
from lib.recalibration import logistic, logits

name = "calibration"
KEYS = ("attribute", "group", "measure")
schema = {"weighting": S} | dict.fromkeys(KEYS, S) | {"ideal": F} | STANDARD | COUNTED
needs = ("scores",)
MEASURES = ("brier", "mean_error", "slope", "intercept")
ORDER = ("brier", "mean_error", "ece", "slope", "intercept")
BINS = 10
"""Of the calibration error, as many images each; equal scores in one bin."""
IDEAL = {"mean_error": 0.0, "slope": 1.0}


def compute(context: Context) -> Iterator[pl.DataFrame]:
    scores = {w: rows for w, rows in context.scores.items() if context.has_scores(w)}
    figures = pool({w: _figures(context, w, rows) for w, rows in scores.items()})
    order = [(cell.attribute, cell.group, measure) for cell in context.population.cells for measure in ORDER]
    order = pl.DataFrame(order, schema=KEYS, orient="row")
    ideal = pl.col("measure").replace_strict(IDEAL, default=None, return_dtype=F)
    tested = pl.col("measure").is_in(list(IDEAL))
    for weighting, own in figures.items():
        # against 0: the ideal is taken off before, and put back on the bounds
        judged = context.infer(own.where(tested)).table().with_columns(ideal=ideal)
        judged = judged.with_columns(pl.col("estimate", "^(low|high).*$") + pl.col("ideal"))
        rest = context.describe(own.where(~tested)).table().drop("p", "verdict")
        told = pl.concat([judged, rest, _errors(context, scores[weighting])], how="diagonal_relaxed")
        yield order.join(told, on=KEYS, how="left", maintain_order="left").with_columns(weighting=pl.lit(weighting))


def _cells(context: Context, measures: Sequence[str]) -> tuple[pl.DataFrame, dict[int, tuple[Cell, np.ndarray]]]:
    """Index of the measures of every cell, and those with enough healthy and enough sick patients, by place, with a weight
    for each of their images: each patient counts once; they sum to 1."""
    people = context.population
    enough = people.sizes[1][:, :2].min(axis=1) >= max(1, context.smallest_cell)
    keys = [(cell.attribute, cell.group, measure) for cell in people.cells for measure in measures]
    images, patients = (np.repeat(own[:, 2], len(measures)) for own in people.sizes)
    index = counted(context, keys, KEYS, patients, images).with_columns(estimable=np.repeat(enough, len(measures)))
    weights = {g: once_each(people.patients, people.cells[g].images) for g in np.flatnonzero(enough)}
    return index, {g: (people.cells[g], own[people.cells[g].images] / own.sum()) for g, own in weights.items()}


def _figures(context: Context, weighting: str, scores: np.ndarray) -> Figures:
    """Measures of every cell; the tested ones less their ideal. (S, K) values and (S, P, K) influences."""
    people = context.population
    index, cells = _cells(context, MEASURES)
    values = np.full((len(scores), len(people.cells), len(MEASURES)), np.nan)
    influence = np.zeros((len(scores), people.n_patients, *values.shape[1:]), dtype=np.float32)
    for g, (cell, weights) in cells.items():
        for s, row in enumerate(scores):
            table = np.zeros((people.n_images, len(MEASURES)))
            values[s, g], table[cell.images] = _one(row[cell.images], people.labels[cell.images], weights)
            influence[s, :, g] = people.sums_by_patient(table)
    return Figures.of(index, weighting, values.reshape(len(scores), -1), influence.reshape(*influence.shape[:2], -1))


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


def _errors(context: Context, scores: np.ndarray) -> pl.DataFrame:
    """The debiased calibration error of every cell, a mean over networks; described without interval."""
    people = context.population
    index, cells = _cells(context, ["ece"])
    values = np.full(len(people.cells), np.nan)
    for g, (cell, weights) in cells.items():
        columns = people.labels[cell.images], people.patients[cell.images], weights
        values[g] = np.sqrt(max(0.0, np.mean([_ece(row[cell.images], *columns) for row in scores])))
    return index.with_columns(estimate=values)


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
