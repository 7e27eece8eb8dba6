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
is counted once, pooled over crossings. Baseline, tpr and fpr, rates in 0 to 1. `estimable`: whether the raw one is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from lib.audit.columns import DESCRIBED, B, F, I, S
from lib.audit.context import Context
from lib.audit.inference import Population
from lib.audit.questions._curves import Array, Shares
from lib.names import BASELINE, CROSSED, OVERALL

name = "pooled_crossings"
schema = (
    {"attribute": S, "group": S, "metric": S, "raw": F}
    | DESCRIBED
    | {"prior": F, "kept": F, "images": I, "patients": I, "estimable": B}
)


def compute(context: Context) -> list[pl.DataFrame]:
    if len(context.population.groups) < 2:
        return []
    return [pl.DataFrame(list(_rows(context)), schema=schema, orient="row")]


def _rows(context: Context) -> Iterator[tuple]:
    population = context.population
    crossed = population.crossed()
    cells = [cell for cell in crossed.cells if cell.attribute != OVERALL]
    for metric, label in (("tpr", 1), ("fpr", 0)):
        images = np.stack([cell.images & (population.labels == label) for cell in cells], axis=1)
        raw, noise, patients = levels(population, context.decisions[BASELINE], images)
        if not (patients > 0).any():
            continue
        found = pooled(
            *_angles(raw, noise),
            [design_of(population, c.attribute, c.group) for c in cells],
            [c.attribute for c in cells],
        )
        told = [np.sin(np.clip(a, 0, np.pi / 2)) ** 2 for a in (found.estimate, found.low, found.high, found.prior)]
        columns = [raw, *told, found.kept]
        for k, cell in enumerate(cells):
            counts = int(images[:, k].sum()), int(patients[k]), bool(patients[k] >= max(1, context.smallest_cell))
            yield cell.attribute, cell.group, metric, *(float(column[k]) for column in columns), *counts


def _angles(raw: Array, noise: Array) -> tuple[Array, Array]:
    """arcsin(sqrt((n rate + 3/8) / (n + 3/4))) and its variance 1 / (4 n + 2), for n = 1 / (4 noise) tosses.

    Near 0 and 1, and with few patients, better than the plain angle: Anscombe 1948, doi 10.1093/biomet/35.3-4.246.
    """
    count = 1 / (4 * noise)
    return np.arcsin(np.sqrt((count * raw + 0.375) / (count + 0.75))), np.where(count > 0, 1 / (4 * count + 2), np.inf)


def levels(population: Population, decisions: Array, images: Array) -> tuple[Array, Array, Array]:
    """Rate of each crossing, the variance of its angle (inf where nobody is), and its patients, each (K,)."""
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
        own = np.mean([(np.where(there, p.totals - totals, 0) ** 2).sum() for p in parts]) / max(1, spare)
        own *= np.mean(1 / patients[patients > 0])
        networks = max(0.0, apart - own) / len(decisions)
    else:
        networks = 0.0
    rate = np.nansum(raw * patients) / patients.sum()
    # of the angle, by the delta method at everyone's rate; decisions that all agree are taken for single images'
    scale = 4 * rate * (1 - rate) if 0 < rate < 1 and between > 0 else np.nan
    with np.errstate(divide="ignore"):
        return raw, np.where(np.isnan(scale), 0.25 / patients, between / patients / scale + networks / scale), patients


def design_of(population: Population, crossing: str, group: str) -> dict[tuple[str, str], float]:
    """Which effects a crossing has: one for each of its two groups, other than the references."""
    names, groups = crossing.split(CROSSED), group.split(", ")
    return {(a, g): 1.0 for a, g in zip(names, groups, strict=True) if g != population.attributes[a].reference}


@dataclass(frozen=True, eq=False)
class Pooled:
    """Estimates of K crossings, their 95 % bounds, the prior's, and the share of the departure that is kept."""

    estimate: Array
    low: Array
    high: Array
    prior: Array
    kept: Array


SPREAD = 0.2
"""Scale of the half-normal that departures' standard deviation is taken from, in angles."""
TRIED = np.linspace(0, 3 * SPREAD, 61)


def pooled(raw: Array, noise: Array, effects: list[dict], tables: list[str]) -> Pooled:
    """K raw figures (NaN: nobody) with noise (K,), drawn towards a sum of the effects of each of the `tables` (K,)."""
    named = list(zip(tables, effects, strict=True))
    terms = list(dict.fromkeys((table, key) for table, own in named for key in ("constant", *own)))
    design = np.array(
        [[float(t == table and (key == "constant" or key in own)) for t, key in terms] for table, own in named]
    )
    there = np.isfinite(noise) & np.isfinite(raw)
    raw, noise = np.where(there, raw, 0), np.where(there, noise, np.inf)
    found = [_at(tau, raw, noise, design, there) for tau in TRIED]
    chance = np.array([likelihood for likelihood, *_ in found]) - TRIED**2 / (2 * SPREAD**2)
    chance = np.exp(chance - chance.max())
    chance /= chance.sum()
    means, variances, priors, kept = (np.stack([own[k] for own in found]) for k in range(1, 5))
    estimate = chance @ means
    spread = np.sqrt(chance @ (variances + (means - estimate) ** 2))
    return Pooled(estimate, estimate - REACH * spread, estimate + REACH * spread, chance @ priors, chance @ kept)


REACH = 1.96
"""Standard deviations to either side, of 95 %."""


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
    own = np.where(there, kept * np.where(there, noise, 0), tau**2)
    of_prior = np.einsum("kp,pq,kq->k", design, covariance, design)
    return likelihood, prior + kept * off, own + (1 - kept) ** 2 * of_prior, prior, kept
