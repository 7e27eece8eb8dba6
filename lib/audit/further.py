"""What is asked of every method beyond rates, gaps and changes: demands, intersections, amplification, strata."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lib.audit.amplification import amplification, amplification_rows, prevalence
from lib.audit.estimates import Estimates, in_resamples, in_sample
from lib.audit.frames import Method, frame
from lib.audit.intersections import intersection_rows, intersections
from lib.audit.networks import Retraining, deviations
from lib.audit.parity import SCHEMA as PARITY_SCHEMA
from lib.audit.parity import parity_rows
from lib.audit.population import Population
from lib.audit.rates import RATES
from lib.audit.resampling import Array, Counts
from lib.audit.simpson import METRICS_OF_MODEL, Levels, simpson


class Further:
    """Rows of the further tables, gathered method by method on the resamples that the audit uses throughout."""

    def __init__(
        self,
        population: Population,
        decisions: Mapping[Method, Array],
        counts: Counts,
        retraining: Retraining,
        smallest_cell: int,
    ):
        self._population, self._decisions, self._counts, self._retraining = population, decisions, counts, retraining
        self._smallest_cell = smallest_cell
        self._crossed = population.crossed()
        self._sampled = {method: in_sample(self._crossed, rows, None) for method, rows in decisions.items()}
        once = np.ones((1, population.n_patients), dtype=counts.dtype)
        self._shares = prevalence(population, once)[0], prevalence(population, counts)
        self._parity, self._crossings, self._amplified = [], [], []

    def add(self, method: Method, found: Estimates) -> None:
        """Take in a method whose estimates in the groups of single attributes are `found`."""
        self._parity += [(*method, *row) for row in parity_rows(self._population, found, self._smallest_cell)]
        self._amplified += amplification_rows(method, self._population, found, self._shares, self._smallest_cell)
        crossed = self._estimate_crossed(method)
        self._crossings += intersection_rows(method, self._crossed, crossed, self._smallest_cell)

    def tables(self, baseline: Method, found: Estimates) -> dict[str, pl.DataFrame]:
        """Tables `parity`, `intersections`, `amplification` and, of the baseline `found`, `simpson`."""
        crossed = self._estimate_crossed(baseline)
        levels = {metric: (_levels(found, metric), _levels(crossed, metric)) for metric in METRICS_OF_MODEL}
        return {
            "parity": frame(self._parity, PARITY_SCHEMA),
            "intersections": intersections(self._crossings),
            "amplification": amplification(self._amplified),
            "simpson": simpson("valid", self._population, self._crossed, levels, self._smallest_cell),
        }

    def _estimate_crossed(self, method: Method) -> Estimates:
        alike = [other for other in self._decisions if other[1:] == method[1:]]
        levels = {
            "counts": self._counts,
            "spread": deviations([self._sampled[other].by_seed for other in alike]),
            "weighting": method[0],
            "retraining": self._retraining,
        }
        # the metrics of crossings are linear in decisions: the mean over networks is that of their mean decision
        mean = self._decisions[method].mean(axis=0, keepdims=True)
        return in_resamples(self._sampled[method], self._crossed, mean, None, **levels)


def _levels(found: Estimates, metric: str) -> Levels:
    column = RATES.index(metric)
    return Levels(found.values[:, column], found.replicates[..., column])
