"""The audit's resamples for questions asked beside it: the same patients and networks are drawn, so all figures are paired."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lib.audit.contrasts import Contrast, contrasts, read
from lib.audit.networks import deviations, network_draws, two_level
from lib.audit.population import Population
from lib.audit.rates import RATES, rates, resampled_rates
from lib.audit.resampling import Array, Counts, patient_counts
from lib.names import MAX_MIN, OVERALL

ASKED = ("balanced_accuracy", "tpr", "fpr")


@dataclass(eq=False)
class Resampler:
    """Patients of a population and networks of each weighting, resampled as `audit` does under the same seed.

    `networks[weighting]`: how many were trained.
    """

    population: Population
    networks: Mapping[str, int]
    replicates: int = 2000
    seed: int = 0
    smallest_cell: int = 20
    _by_attribute: dict[str, Population] = field(default_factory=dict)
    _asked: dict[str, list[Contrast]] = field(default_factory=dict)

    @cached_property
    def counts(self) -> Counts:
        return patient_counts(self.population.n_patients, self.replicates, self.seed)

    @cached_property
    def draws(self) -> dict[str, Array]:
        return network_draws(self.networks, self.replicates, self.seed)

    def by(self, attribute: str) -> Population:
        """The population with one attribute only: fewer cells, less work."""
        if attribute not in self._by_attribute:
            groups = {attribute: self.population.groups[attribute]}
            self._by_attribute[attribute] = replace(self.population, groups=groups)
        return self._by_attribute[attribute]

    def asked(self, attribute: str) -> list[Contrast]:
        """Balanced accuracy of everyone, and the gaps in TPR and FPR between groups of the attribute."""
        if attribute not in self._asked:
            self._asked[attribute] = [
                c
                for c in contrasts(self.by(attribute), RATES, self.smallest_cell)
                if (c.attribute, c.metric) == (OVERALL, "balanced_accuracy")
                or (c.name == MAX_MIN and c.metric in ASKED)
            ]
        return self._asked[attribute]

    def rates(self, attribute: str, decisions: Array) -> Array:
        """Rates of decisions (S, n) in the sample, (S, G, 4): everyone, then the groups."""
        return rates(self.by(attribute), decisions)

    def resampled(self, attribute: str, decisions: Array) -> Array:
        """The mean over networks of the same rates in each resample of patients, (B, 1, G, 4)."""
        return resampled_rates(self.by(attribute), decisions, self.counts).mean(axis=1, keepdims=True)

    def with_networks(self, weighting: str, resampled: Array, by_seed: list[Array]) -> Array:
        """Replicates (B, G, 4) over patients and networks: `by_seed` holds the rates of all weightings' networks."""
        return two_level(resampled, deviations(by_seed), self.draws[weighting])

    def figures(self, attribute: str, values: Array) -> Array:
        """What is asked, (..., K), of rates (..., G, 4)."""
        return read(self.asked(attribute), values)


def holding(value: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Bounds opened where needed to hold the estimate: noise pushes a gap near 0 up, and its replicates with it.

    Cut at -1 and 1, where differences of rates end and Student's t does not.
    """
    return np.clip(np.fmin(low, value), -1, 1), np.clip(np.fmax(high, value), -1, 1)
