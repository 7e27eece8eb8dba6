"""A method's metrics in the sample and in every resample: what every table of the audit is read from."""

from dataclasses import dataclass

import numpy as np

from lib.audit.networks import two_level
from lib.audit.population import Population
from lib.audit.ranking import auc, resampled_auc
from lib.audit.rates import RATES, rates, resampled_rates
from lib.audit.resampling import Array, Counts


@dataclass(frozen=True, eq=False)
class Sampled:
    """Metrics of one method's S networks over G cells, `by_seed` (S, G, M), in the sample as it is."""

    metrics: tuple[str, ...]
    by_seed: Array

    @property
    def values(self) -> Array:
        """The estimate, (G, M): mean over networks of each metric, as one trained network would do on average."""
        return self.by_seed.mean(axis=0)

    @property
    def seed_sd(self) -> Array:
        """Standard deviation between networks, (G, M); NaN with a single one."""
        return self.by_seed.std(axis=0, ddof=1) if len(self.by_seed) > 1 else np.full(self.values.shape, np.nan)


@dataclass(frozen=True, eq=False)
class Estimates(Sampled):
    """The same with `replicates` (B, G, M) of the mean over networks, over patients and networks at once."""

    replicates: Array


def in_sample(population: Population, decisions: Array, scores: Array | None) -> Sampled:
    """Rates of decisions (S, n) and, if the scores (S, n) they came from are given, their AUC."""
    if scores is None:
        return Sampled(RATES, rates(population, decisions))
    ranked = auc(population, scores)[..., None]
    return Sampled((*RATES, "auc"), np.concatenate([rates(population, decisions), ranked], axis=-1))


def in_resamples(
    sampled: Sampled,
    population: Population,
    decisions: Array,
    scores: Array | None,
    *,
    counts: Counts,
    spread: Array,
    draws: Array,
) -> Estimates:
    """The same metrics with replicates, for patient counts (B, P), network deviations (R, G, M) and draws (B, R)."""
    resampled = resampled_rates(population, decisions, counts)
    if scores is not None:
        ranked = resampled_auc(population, scores, counts)[..., None]
        resampled = np.concatenate([resampled, ranked], axis=-1)
    return Estimates(sampled.metrics, sampled.by_seed, two_level(resampled, spread, draws))
