"""What is read from a method's metrics: the level in a cell, a difference of two groups, the spread over groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from lib.audit.population import Population
from lib.audit.rates import DESCRIBED, RATES, estimable, rates
from lib.audit.resampling import Array
from lib.names import MAX_MIN, attribute_named


@dataclass(frozen=True)
class Contrast:
    """One figure read from metrics (..., G, M): `kind` is level, difference (first cell - second) or spread."""

    attribute: str
    metric: str
    name: str
    kind: str
    cells: tuple[int, ...]
    column: int
    estimable: bool

    @property
    def ends(self) -> tuple[int, int]:
        """Two cells whose difference it is, (cell, -1) for a level; of a spread, any two."""
        if self.kind == "level":
            return self.cells[0], -1
        return (self.cells[0], self.cells[-1]) if self.cells else (0, 0)

    def of(self, values: Array) -> Array:
        """The figure, (...), in metrics (..., G, M); NaN where it is not estimable or a resample lacks the cell."""
        if not self.estimable:
            return np.full(values.shape[:-2], np.nan)
        read = [values[..., cell, self.column] for cell in self.cells]
        if self.kind == "spread":
            return reduce(np.maximum, read) - reduce(np.minimum, read)
        return read[0] - read[1] if self.kind == "difference" else read[0]


def contrasts(population: Population, metrics: tuple[str, ...], smallest_cell: int) -> list[Contrast]:
    """Every level, then for each attribute its differences `group - reference` and its spread, for each tested metric.

    The spread (`max - min`) is over the estimable groups and needs two of them; it is at least 0 by construction, so
    noise pushes it up: read it with the differences.
    """
    enough = estimable(population, metrics, smallest_cell)
    tested = {m: metric for m, metric in enumerate(metrics) if metric not in DESCRIBED}
    found = list(_levels(population, tested, enough))
    for attribute in population.groups:
        found += _between(attribute, population, tested, enough)
    return found


def read(chosen: Sequence[Contrast], values: Array) -> Array:
    """The figures (..., K) of K contrasts in metrics (..., G, M)."""
    found = linear(values, ends(chosen))
    for k, contrast in enumerate(chosen):
        if contrast.kind == "spread" or not contrast.estimable:
            found[..., k] = contrast.of(values)
    return found


Ends = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def ends(chosen: Sequence[Contrast], at: Array | None = None) -> Ends:
    """Upper cell, lower cell (-1: none) and column of each contrast, (K,) each.

    A spread's ends are the cells of its largest and smallest value in metrics `at` (G, M), or any two without it.
    """
    pairs = np.array([contrast.ends for contrast in chosen], dtype=np.int64).reshape(-1, 2)
    if at is not None:
        at = np.nan_to_num(at)
        for k, contrast in enumerate(chosen):
            if contrast.kind == "spread" and contrast.cells:
                own = at[list(contrast.cells), contrast.column]
                pairs[k] = contrast.cells[own.argmax()], contrast.cells[own.argmin()]
    return pairs[:, 0], pairs[:, 1], np.array([contrast.column for contrast in chosen], dtype=np.int64)


def linear(values: Array, at: Ends) -> Array:
    """Upper cell less lower cell, (..., K), in metrics (..., G, M)."""
    upper, lower, column = at
    *lead, cells, metrics = values.shape
    flat = values.reshape(*lead, cells * metrics)
    place, paired = upper * metrics + column, lower >= 0
    if not paired.any() and np.array_equal(place, np.arange(cells * metrics)):
        return flat  # every level, as they lie
    found = flat.take(place, axis=-1)
    found[..., paired] -= flat.take((lower * metrics + column)[paired], axis=-1)
    return found


@cache
def every_level(shape: tuple[int, int]) -> list[Contrast]:
    """A level for each cell and metric, in the order of metrics (G, M), estimable or not."""
    return [Contrast("", "", "", "level", (g,), m, True) for g in range(shape[0]) for m in range(shape[1])]


def point_values(
    population: Population, decisions: Array, *, smallest_cell: int = 20
) -> dict[tuple[str, str, str], float | None]:
    """Every tested rate, difference and spread of decisions (S, n), without intervals, by (attribute, metric, contrast).

    Levels have the contrast `all` (attribute `overall`) or the group's name; None marks what is not estimable.
    """
    values = rates(population, decisions).mean(axis=0)
    chosen = contrasts(population, RATES, smallest_cell)
    return {(c.attribute, c.metric, c.name): float(c.of(values)) if c.estimable else None for c in chosen}


def _levels(population: Population, metrics: Mapping[int, str], enough: NDArray[np.bool_]) -> Iterator[Contrast]:
    for g, cell in enumerate(population.cells):
        for m, metric in metrics.items():
            yield Contrast(cell.attribute, metric, cell.group, "level", (g,), m, bool(enough[g, m]))


def _between(
    attribute: str, population: Population, metrics: Mapping[int, str], enough: NDArray[np.bool_]
) -> Iterator[Contrast]:
    at = {cell.group: g for g, cell in enumerate(population.cells) if cell.attribute == attribute}
    reference = attribute_named(attribute).reference
    for m, metric in metrics.items():
        for group, g in at.items():
            if group != reference:
                pair = (g, at[reference])
                both = bool(enough[list(pair), m].all())
                yield Contrast(attribute, metric, f"{group} - {reference}", "difference", pair, m, both)
        members = tuple(g for g in at.values() if enough[g, m])
        yield Contrast(attribute, metric, MAX_MIN, "spread", members, m, len(members) > 1)
