"""Simpson's paradox: does a difference between groups keep its sign within the strata of another attribute?

Simpson 1951, doi 10.1111/j.2517-6161.1951.tb00088.x; direct standardisation to common strata.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from lib.audit.frames import frame, optional
from lib.audit.population import Population
from lib.audit.rates import estimable, metric_base
from lib.audit.resampling import Array, percentile_interval
from lib.names import AGGREGATE, CROSSED, STANDARDISED, attribute_named

SCHEMA = {
    **{name: pl.String for name in ("split", "metric", "attribute", "contrast", "stratifier", "stratum")},
    **{name: pl.Float64 for name in ("value", "low", "high")},
    "images": pl.Int64,
    "reversal": pl.Boolean,
    "estimable": pl.Boolean,
}
METRICS_OF_DATA = ("prevalence",)
METRICS_OF_MODEL = ("tpr", "fpr", "selection_rate")


@dataclass(frozen=True, eq=False)
class Levels:
    """A metric in every cell of a population: `values` (G,) and `replicates` (B, G)."""

    values: Array
    replicates: Array


def simpson(
    split: str, people: Population, crossed: Population, levels: Mapping[str, tuple[Levels, Levels]], smallest_cell: int
) -> pl.DataFrame:
    """For each metric, attribute and stratifier: the aggregate difference, that of each stratum, the standardised one.

    `levels[metric]` are those of `people` and of `crossed` = `people.crossed()`, on the same resamples. A difference is
    `group - reference`. standardised = sum over strata z of w_z (rate(group, z) - rate(reference, z)), w_z the share of
    the images of both groups in z that the metric is about (the sick for tpr), as in the sample: what the difference
    would be if both groups had these strata alike. It is not estimable unless every stratum with images is.
    `reversal`: the intervals of the aggregate and of the standardised difference leave 0 out on opposite sides; null where
    one of them is not estimable. Never from point estimates, and never from one stratum alone.
    """
    rows = []
    for metric, (main, cross) in levels.items():
        about = {"prevalence": "selection_rate"}.get(metric, metric)
        enough = [estimable(side, (about,), smallest_cell)[:, 0] for side in (people, crossed)]
        images = [side.sizes[0][:, metric_base(about)[0]] for side in (people, crossed)]
        for question in _questions(people, crossed):
            rows += [(split, metric, *row) for row in _answer(question, main, cross, enough, images)]
    return frame(rows, SCHEMA)


@dataclass(frozen=True)
class _Question:
    attribute: str
    contrast: str
    stratifier: str
    ends: tuple[int, int]
    strata: dict[str, tuple[int, int]]


def _questions(people: Population, crossed: Population) -> Iterator[_Question]:
    place = {(cell.attribute, cell.group): g for g, cell in enumerate(people.cells)}
    cells = {(cell.attribute, cell.group): g for g, cell in enumerate(crossed.cells)}

    def both(attribute: str, group: str, other: str, stratum: str) -> int:
        straight = f"{attribute}{CROSSED}{other}", f"{group}, {stratum}"
        return cells[straight] if straight in cells else cells[f"{other}{CROSSED}{attribute}", f"{stratum}, {group}"]

    for attribute in people.groups:
        own = attribute_named(attribute)
        for stratifier in people.groups:
            for group in own.groups:
                if stratifier != attribute and group != own.reference:
                    pair = group, own.reference
                    ends = tuple(place[attribute, name] for name in pair)
                    strata = {
                        stratum: tuple(both(attribute, name, stratifier, stratum) for name in pair)
                        for stratum in attribute_named(stratifier).groups
                    }
                    yield _Question(attribute, " - ".join(pair), stratifier, ends, strata)


def _answer(question: _Question, main: Levels, cross: Levels, enough: list, images: list) -> Iterator[tuple]:
    """Rows (attribute, contrast, stratifier, stratum, value, low, high, images, reversal, estimable)."""
    sizes = {stratum: int(images[1][list(pair)].sum()) for stratum, pair in question.strata.items()}
    filled = [stratum for stratum, size in sizes.items() if size]
    weights = np.array([sizes[stratum] for stratum in filled]) / max(1, sum(sizes.values()))
    within = {stratum: _difference(cross, question.strata[stratum]) for stratum in question.strata}
    figures = {AGGREGATE: (*_difference(main, question.ends), bool(enough[0][list(question.ends)].all()))}
    for stratum, pair in question.strata.items():
        figures[stratum] = (*within[stratum], bool(enough[1][list(pair)].all()))
    known = len(filled) > 1 and all(figures[stratum][2] for stratum in filled)
    figures[STANDARDISED] = (
        sum(w * within[stratum][0] for w, stratum in zip(weights, filled, strict=True)),
        sum(w * within[stratum][1] for w, stratum in zip(weights, filled, strict=True))
        + np.zeros(len(main.replicates)),
        known,
    )
    told = {name: _bounded(*figure) for name, figure in figures.items()}
    reversal = _opposed(told[AGGREGATE], told[STANDARDISED])
    total = int(images[0][list(question.ends)].sum())
    for name, numbers in told.items():
        key = question.attribute, question.contrast, question.stratifier, name
        yield *key, *numbers, sizes.get(name, total), reversal, figures[name][2]


def _difference(levels: Levels, pair: tuple[int, int]) -> tuple[float, Array]:
    one, two = pair
    return levels.values[one] - levels.values[two], levels.replicates[:, one] - levels.replicates[:, two]


def _bounded(value: float, replicates: Array, known: bool) -> list[float | None]:
    return optional([value, *percentile_interval(replicates)]) if known else [None] * 3


def _opposed(one: list[float | None], two: list[float | None]) -> bool | None:
    if one[0] is None or two[0] is None:
        return None
    return bool((one[1] > 0 and two[2] < 0) or (one[2] < 0 and two[1] > 0))
