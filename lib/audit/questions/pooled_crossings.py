"""Groups of two attributes at once, raw and drawn together: what can be said of a crossing that few patients are in. By patient.

`raw` is the crossing's own rate. `estimate` is drawn from it towards what both attributes say alone, the more, the fewer its
patients: a hierarchical model on the scale of angles arcsin(sqrt(rate)), where noise does not depend on the rate,
  angle of a crossing = constant + effect of one group + effect of the other + departure,   departure ~ normal(0, tau^2)
  estimate = prior + kept (own - prior),   kept = mean of tau^2 / (tau^2 + v)
with v the noise of a crossing (the variance between patients, pooled over crossings, by its number of patients), flat effects, and
tau over all crossings of a metric by its restricted likelihood times a half-normal of 0.2 (about 20 points): Gelman 2006, doi
10.1214/06-BA117A; Efron & Morris 1975, doi 10.1080/01621459.1975.10479864. Crossings as a sum and its departures: MAIHDA, Evans et al. 2018, doi
10.1016/j.socscimed.2017.11.011. `kept` 0: everything is the prior's; 1: raw. A crossing without anyone has the prior's estimate and
interval, so that none is "not estimable" alone; `low` and `high` hold the true rate in about 95 % of crossings on average, not each. Noise of networks
is counted once, pooled over crossings, with the degrees of freedom of their number. Baseline, tpr and fpr, rates in 0 to 1. `estimable`: whether the raw one is.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from scipy.stats import t as student

from lib.audit.columns import COUNTED, DESCRIBED, F, S
from lib.audit.context import Context
from lib.audit.inference import ALPHA, Cell, Population
from lib.audit.inference.variance import together
from lib.audit.questions._curves import Array, Shares, counted
from lib.names import BASELINE, CROSSED, OVERALL

name = "pooled_crossings"
KEYS = ("attribute", "group", "metric")
schema = dict.fromkeys(KEYS, S) | {"raw": F} | DESCRIBED | {"prior": F, "kept": F} | COUNTED


def compute(context: Context) -> Iterator[pl.DataFrame]:
    population = context.population
    cells = [cell for cell in population.crossed().cells if cell.attribute != OVERALL]
    for metric, label in (("tpr", 1), ("fpr", 0)) if cells else ():
        images = np.stack([cell.images & (population.labels == label) for cell in cells], axis=1)
        raw, noise, patients, degrees = levels(population, context.decisions[BASELINE], images)
        if not (patients > 0).any():
            continue
        estimate, spread, prior, kept = pooled(*_angles(raw, noise), design_of(population, cells))
        off = student.isf(ALPHA / 2, degrees) * spread
        angles = {"estimate": estimate, "low": estimate - off, "high": estimate + off, "prior": prior}
        rates = {name: np.sin(np.clip(angle, 0, np.pi / 2)) ** 2 for name, angle in angles.items()}
        keys = [(cell.attribute, cell.group, metric) for cell in cells]
        index = counted(context, keys, KEYS, patients, images.sum(axis=0))
        yield index.with_columns(raw=raw, kept=kept, **rates)


def _angles(raw: Array, noise: Array) -> tuple[Array, Array]:
    """arcsin(sqrt((n rate + 3/8) / (n + 3/4))) and its variance 1 / (4 n + 2), for n = 1 / (4 noise) tosses.

    Near 0 and 1, and with few patients, better than the plain angle: Anscombe 1948, doi 10.1093/biomet/35.3-4.246.
    """
    count = 1 / (4 * noise)
    return np.arcsin(np.sqrt((count * raw + 0.375) / (count + 0.75))), np.where(count > 0, 1 / (4 * count + 2), np.inf)


def levels(population: Population, decisions: Array, images: Array) -> tuple[Array, Array, Array, Array]:
    """Rate of each crossing, the variance of its angle (inf where nobody is), its patients, and degrees of freedom of that variance, each (K,)."""
    parts = [Shares.of(population, row, images) for row in decisions]
    there = parts[0].there > 0
    patients = there.sum(axis=0)
    ones = np.ones(len(there))
    by_network = np.stack([part.at(ones) for part in parts])
    raw, totals = by_network.mean(axis=0), np.mean([part.totals for part in parts], axis=0)
    spare = np.maximum(patients - 1, 0).sum()
    between = (np.where(there, totals - np.nan_to_num(raw), 0) ** 2).sum() / max(1, spare)
    if len(decisions) > 1:  # what networks add beside their noise on single patients, pooled
        apart = np.nanmean(by_network.var(axis=0, ddof=1))
        explained = np.mean([(np.where(there, p.totals - totals, 0) ** 2).sum() for p in parts]) / max(1, spare)
        explained *= np.mean(1 / patients[patients > 0])
        networks = max(0.0, apart - explained) / len(decisions)
    else:
        networks = 0.0
    rate = np.nansum(raw * patients) / patients.sum()
    # of the angle, by the delta method at everyone's rate; decisions that all agree are taken for single images'
    scale = 4 * rate * (1 - rate) if 0 < rate < 1 and between > 0 else np.nan
    # networks move all crossings together: however many crossings, they have their own degrees of freedom
    sampling = np.full(len(patients), between) / np.maximum(patients, 1)
    degrees = together((sampling, max(1.0, spare)), (np.full(len(patients), networks), max(1.0, len(decisions) - 1.0)))
    with np.errstate(divide="ignore"):
        noise = np.where(np.isnan(scale), 0.25 / patients, between / patients / scale + networks / scale)
    return raw, noise, patients, degrees


def design_of(population: Population, cells: Sequence[Cell]) -> Array:
    """Which effects each crossing is a sum of, (K, T): a constant of its table, and its two groups, but for references."""
    terms = [
        [
            (cell.attribute, "constant"),
            *(
                (cell.attribute, name, group)
                for name, group in zip(cell.attribute.split(CROSSED), cell.group.split(", "), strict=True)
                if group != population.attributes[name].reference
            ),
        ]
        for cell in cells
    ]
    every = dict.fromkeys(term for of_cell in terms for term in of_cell)
    return np.array([[float(term in of_cell) for term in every] for of_cell in terms])


SPREAD = 0.2
"""Scale of the half-normal that departures' standard deviation is taken from, in angles."""
TRIED = np.linspace(0, 3 * SPREAD, 61)


def pooled(raw: Array, noise: Array, design: Array) -> tuple[Array, Array, Array, Array]:
    """K raw figures (NaN: nobody) with noise (K,), drawn towards a sum of effects (K, T): estimate, its spread, the prior, and
    the share of the departure that is kept, (K,) each."""
    there = np.isfinite(noise) & np.isfinite(raw)
    raw, noise = np.where(there, raw, 0), np.where(there, noise, np.inf)
    fits = [_at(tau, raw, noise, design, there) for tau in TRIED]
    chance = np.array([likelihood for likelihood, *_ in fits]) - TRIED**2 / (2 * SPREAD**2)
    chance = np.exp(chance - chance.max())
    chance /= chance.sum()
    means, variances, priors, kept = (np.stack([fit[k] for fit in fits]) for k in range(1, 5))
    estimate = chance @ means
    spread = np.sqrt(chance @ (variances + (means - estimate) ** 2))
    return estimate, spread, chance @ priors, chance @ kept


def _at(tau: float, raw: Array, noise: Array, design: Array, there: Array) -> tuple[float, Array, Array, Array, Array]:
    """Restricted log-likelihood of tau, and under it the mean and variance of each crossing, its prior and what is kept."""
    total = noise + tau**2
    weight = np.where(there, 1 / total, 0)
    information = design.T @ (design * weight[:, None])
    values = np.linalg.eigvalsh(information)
    covariance = np.linalg.pinv(information, hermitian=True)
    prior = design @ (covariance @ (design.T @ (weight * raw)))
    off = np.where(there, raw - prior, 0)
    likelihood = -0.5 * (np.log(total[there]).sum() + np.log(values[values > 1e-9]).sum() + (weight * off**2).sum())
    kept = tau**2 * weight
    departure = np.where(there, kept * np.where(there, noise, 0), tau**2)
    of_prior = np.einsum("kp,pq,kq->k", design, covariance, design)
    return likelihood, prior + kept * off, departure + (1 - kept) ** 2 * of_prior, prior, kept
