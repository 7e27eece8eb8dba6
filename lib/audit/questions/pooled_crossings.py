"""Groups of two attributes at once, raw and drawn together: what can be said of a crossing that few patients are in. By patient.

`raw` is the crossing's own rate. `estimate` is drawn from it towards what both attributes say alone, the more, the fewer its patients, on
the scale of angles arcsin(sqrt(rate)), where noise does not depend on the rate (Efron & Morris 1975, doi 10.1080/01621459.1975.10479864):
  prior     = constant + effect of one + effect of the other, least squares weighted by 1 / (v + t2)
  estimate  = prior + kept (raw - prior);   kept = 1 - (d - 2) / d  v / (v + t2)
with v the noise of a crossing (the variance between patients, pooled over crossings, by its number of patients), t2 the variance of true departures from the prior, over all crossings of a metric (Paule & Mandel 1982, doi 10.6028/jres.087.022), d
their degrees of freedom. Empirical Bayes: Morris 1983, doi 10.1080/01621459.1983.10477920; crossings as a sum and its
departures: MAIHDA, Evans et al. 2018, doi 10.1016/j.socscimed.2017.11.011. `kept` 0: everything is the prior's; 1: raw.
A crossing without anyone has the prior's estimate and interval, so that none is "not estimable" alone; `low` and `high` hold the
true rate in 95 % of crossings on average, not each. They count networks' noise once, pooled over crossings. Baseline, tpr and fpr, rates in 0 to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.stats import norm

from lib.audit.columns import DESCRIBED, B, F, I, S, frame, optional
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


def compute(context: Context) -> pl.DataFrame:
    if len(context.population.groups) < 2:
        return pl.DataFrame(schema=schema)
    return frame(list(_rows(context)), schema)


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
            np.arcsin(np.sqrt(raw)),
            noise,
            [design_of(population, c.attribute, c.group) for c in cells],
            [c.attribute for c in cells],
        )
        told = [np.sin(np.clip(a, 0, np.pi / 2)) ** 2 for a in (found.estimate, found.low, found.high, found.prior)]
        columns = [raw, *told, found.kept]
        for k, cell in enumerate(cells):
            counts = int(images[:, k].sum()), int(patients[k]), bool(patients[k] >= max(1, context.smallest_cell))
            yield cell.attribute, cell.group, metric, *optional([column[k] for column in columns]), *counts


def levels(population: Population, decisions: Array, images: Array) -> tuple[Array, Array, Array]:
    """Rate of each crossing, the variance of its angle (inf where nobody is), and its patients, each (K,)."""
    parts = [Shares.of(population, np.broadcast_to(row[:, None], images.shape), images) for row in decisions]
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


def pooled(raw: Array, noise: Array, effects: list[dict], tables: list[str]) -> Pooled:
    """Empirical Bayes of K raw rates (NaN: nobody) with noise (K,), around a sum of effects of each of the `tables` (K)."""
    terms = list(
        dict.fromkeys((table, key) for table, own in zip(tables, effects, strict=True) for key in ("constant", *own))
    )
    design = np.array(
        [
            [float(t == table and (key == "constant" or key in own)) for t, key in terms]
            for table, own in zip(tables, effects, strict=True)
        ]
    )
    there = np.isfinite(noise) & np.isfinite(raw)
    degrees = int(there.sum() - np.linalg.matrix_rank(design[there]))
    floor = max(1e-6, float(noise[there].max()) * 1e-3)
    noise = np.where(there, np.maximum(noise, floor), np.inf)

    def fit(between: float) -> tuple[Array, Array, float]:
        weight = np.where(there, 1 / (np.where(there, noise, 1) + between), 0)
        covariance = np.linalg.pinv(design.T @ (design * weight[:, None]))
        prior = design @ (covariance @ (design.T @ (weight * np.where(there, raw, 0))))
        off = np.where(there, raw, prior) - prior
        return prior, np.einsum("kp,pq,kq->k", design, covariance, design), float((weight * off**2).sum())

    between = 0.0
    if degrees > 0 and fit(0.0)[2] > degrees:
        between = brentq(lambda t2: fit(t2)[2] - degrees, 0, 1)
    prior, of_prior, _ = fit(between)
    shrink = (np.where(there, noise, 1) / (np.where(there, noise, 1) + between)) * max(degrees - 2, 0) / max(degrees, 1)
    kept = np.where(there, 1 - shrink, 0)
    off = np.where(there, raw, prior) - prior
    estimate = prior + kept * off
    # Morris (1983): own noise, that of the prior, and that of how much to shrink
    of_shrink = 2 / max(degrees - 2, 1) * shrink**2 * off**2
    own = np.where(there, kept * np.where(there, noise, 0), max(between, floor))
    se = np.sqrt(own + (1 - kept) ** 2 * of_prior + np.where(there, of_shrink, 0))
    reach = norm.ppf(0.975) * se
    return Pooled(estimate, estimate - reach, estimate + reach, prior, kept)
