"""What is asked of a method beyond rates, gaps and changes: demands, intersections, amplification, strata."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from lib.audit.amplification import amplification, amplification_rows, prevalence
from lib.audit.estimates import Estimates, in_resamples, in_sample
from lib.audit.frames import Method, frame
from lib.audit.intersections import SHOWN, intersection_rows, intersections
from lib.audit.networks import Retraining, deviations
from lib.audit.parity import SCHEMA as PARITY_SCHEMA
from lib.audit.parity import parity_rows
from lib.audit.population import Population
from lib.audit.rates import resampled_images
from lib.audit.resampling import AndLeftOut, Array, Counts
from lib.audit.simpson import METRICS_OF_MODEL, Levels, simpson
from lib.cores import in_threads

CROSSED = tuple(dict.fromkeys((*SHOWN, *METRICS_OF_MODEL)))
"""Metrics of the crossings that a table tells."""


class Further:
    """Rows of the further tables, made method by method on the resamples that the audit uses throughout."""

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
        self._images = resampled_images(self._crossed, AndLeftOut(counts))
        sampled = in_threads(lambda rows: in_sample(self._crossed, rows, None), decisions.values())
        self._sampled = dict(zip(decisions, sampled, strict=True))
        once = np.ones((1, population.n_patients), dtype=counts.dtype)
        self._shares = prevalence(population, once)[0], prevalence(population, counts)

    def rows(self, method: Method, found: Estimates) -> dict[str, list[tuple]]:
        """Rows, by table, of a method whose estimates in the groups of single attributes are `found`."""
        parity = parity_rows(self._population, found, self._smallest_cell)
        amplified = amplification_rows(method, self._population, found, self._shares, self._smallest_cell)
        crossed = intersection_rows(method, self._crossed, self._estimate_crossed(method), self._smallest_cell)
        return {
            "parity": [(*method, *row) for row in parity],
            "amplification": list(amplified),
            "intersections": list(crossed),
        }

    def tables(self, rows: Mapping[str, list[tuple]], baseline: Method, found: Estimates) -> dict[str, pl.DataFrame]:
        """Tables `parity`, `intersections`, `amplification` from the rows of all methods; of the baseline, `simpson`."""
        crossed = self._estimate_crossed(baseline)
        levels = {metric: (_levels(found, metric), _levels(crossed, metric)) for metric in METRICS_OF_MODEL}
        return {
            "parity": frame(rows["parity"], PARITY_SCHEMA),
            "intersections": intersections(rows["intersections"]),
            "amplification": amplification(rows["amplification"]),
            "simpson": simpson("valid", self._population, self._crossed, levels, self._smallest_cell),
        }

    def _estimate_crossed(self, method: Method) -> Estimates:
        alike = [other for other in self._decisions if other[1:] == method[1:]]
        levels = {
            "counts": self._counts,
            "images": self._images,
            "spread": deviations([self._sampled[other].by_seed for other in alike]),
            "weighting": method[0],
            "retraining": self._retraining,
        }
        # the metrics of crossings are linear in decisions: the mean over networks is that of their mean decision
        mean = self._decisions[method].mean(axis=0, keepdims=True)
        return in_resamples(self._sampled[method], self._crossed, mean, None, **levels).of(CROSSED)


def _levels(found: Estimates, metric: str) -> Levels:
    column = found.metrics.index(metric)
    return Levels(found.values[:, column], found.replicates[..., column])
