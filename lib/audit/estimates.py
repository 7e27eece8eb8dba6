"""A method's metrics in the sample and in every resample: what every table of the audit is read from."""

from dataclasses import dataclass, replace

import numpy as np

from lib.audit.components import replicates
from lib.audit.contrasts import every_level
from lib.audit.networks import Retraining, two_level
from lib.audit.population import Population
from lib.audit.ranking import auc, resampled_auc
from lib.audit.rates import RATES, rates, resampled_rates
from lib.audit.resampling import AndLeftOut, Array, Counts
from lib.cores import computed_once


@dataclass(frozen=True, eq=False)
class Sampled:
    """Metrics of one method's S networks over G cells, `by_seed` (S, G, M), in the sample as it is."""

    metrics: tuple[str, ...]
    by_seed: Array

    @computed_once
    def values(self) -> Array:
        """The estimate, (G, M): mean over networks of each metric, as one trained network would do on average."""
        return self.by_seed.mean(axis=0)

    @property
    def seed_sd(self) -> Array:
        """Standard deviation between networks, (G, M); NaN with a single one."""
        return self.by_seed.std(axis=0, ddof=1) if len(self.by_seed) > 1 else np.full(self.values.shape, np.nan)


@dataclass(frozen=True, eq=False)
class Estimates(Sampled):
    """The same with what its noise is estimated from.

    `resampled` (B, S, G, M): each network in each resample of patients; `left_out` (P, G, M): mean over networks without
    each patient; `spread` (R, G, M): deviations of all networks from the mean of their `weighting`; `retraining`.
    """

    resampled: Array
    left_out: Array
    spread: Array
    weighting: str
    retraining: Retraining

    @computed_once
    def mean(self) -> Array:
        """The mean over networks in each resample of patients, (B, G, M)."""
        return _over_networks(self.resampled)

    @computed_once
    def apart(self) -> Array:
        """How far each network is from that mean, (B, S, G, M); (B, 0, G, M) where there is but one."""
        networks = self.resampled.shape[1]
        return self.resampled - self.mean[:, None] if networks > 1 else self.resampled[:, :0]

    @computed_once
    def raw(self) -> Array:
        """Replicates of the mean over networks, (B, G, M): patients resampled, networks drawn anew; too wide by a part."""
        return two_level(self.mean[:, None], self.spread, self.retraining.draws[self.weighting])

    @property
    def together(self) -> Array:
        """Replicates of every level, (B, G, M), drawn together with those of all methods, for figures that compare many.

        Student's t for the networks; the noise of single networks on single patients counts twice: on the wide side.
        """
        student = self.retraining.widened(np.array([self.retraining.degrees]))
        return two_level(self.mean[:, None], self.spread, self.retraining.draws[self.weighting] * student)

    @computed_once
    def replicates(self) -> Array:
        """Replicates of every level, (B, G, M), from which its interval is read; see `lib.audit.components`."""
        return replicates(every_level(self.values.shape), self).reshape(self.raw.shape)

    def of(self, metrics: tuple[str, ...]) -> "Estimates":
        """The same of these metrics only."""
        at = [self.metrics.index(metric) for metric in metrics]
        parts = {name: getattr(self, name)[..., at] for name in ("by_seed", "resampled", "left_out", "spread")}
        return replace(self, metrics=metrics, **parts)


def _over_networks(values: Array) -> Array:
    """Mean over the S networks of (B, S, ...): S is small, and adding arrays is faster than summing over a short axis."""
    return sum(values[:, s] for s in range(values.shape[1])) / values.shape[1]


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
    images: Array | None = None,
    spread: Array,
    weighting: str,
    retraining: Retraining,
) -> Estimates:
    """The same metrics in resamples, for patient counts (B, P) and network deviations (R, G, M).

    `images` are those of `resampled_images` for `AndLeftOut(counts)`, where they are known already.
    """
    both = AndLeftOut(counts)
    found = resampled_rates(population, decisions, both, images)
    if scores is not None:
        found = np.concatenate([found, resampled_auc(population, scores, both)[..., None]], axis=-1)
    left_out = _over_networks(found[len(counts) :])
    return Estimates(sampled.metrics, sampled.by_seed, found[: len(counts)], left_out, spread, weighting, retraining)
