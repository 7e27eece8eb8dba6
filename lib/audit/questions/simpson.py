"""Does a difference between groups keep its sign within the strata of another attribute? Simpson's paradox, by patient.

In the data (`prevalence`, both splits) and in the untouched baseline (`tpr`, `fpr`, `selection_rate`): the `aggregate`
difference `group - reference`, that within each stratum, and the `standardised` one, sum over strata z of w_z
(rate(group, z) - rate(reference, z)), w_z the share of the images of both groups in z that the metric is about: what
the difference would be if both groups had these strata alike. It is not estimable unless every stratum with images is.
`reversal`: the single intervals of the aggregate and of the standardised difference leave 0 out on opposite sides; null
where one of them is not estimable. Never from point estimates, and never from one stratum alone.
Source: Simpson 1951, doi 10.1111/j.2517-6161.1951.tb00088.x; direct standardisation.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, B, I, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Population
from lib.audit.questions._shared import splits
from lib.names import AGGREGATE, BASELINE, CROSSED, STANDARDISED

name = "simpson"
schema = (
    {key: S for key in ("split", "metric", "attribute", "contrast", "stratifier", "stratum")}
    | DESCRIBED
    | {"images": I, "reversal": B, "estimable": B}
)
OF_MODEL = ("tpr", "fpr", "selection_rate")


def compute(context: Context) -> Iterator[pl.DataFrame]:
    for split, people in splits(context):
        yield from _of(context, people, people.labels[None].astype(float), split, {"selection_rate": "prevalence"})
    model = {metric: metric for metric in OF_MODEL}
    yield from _of(context, context.population, context.decisions[BASELINE], "valid", model)


def _of(
    context: Context, people: Population, decisions: np.ndarray, split: str, named: dict[str, str]
) -> Iterator[pl.DataFrame]:
    if len(people.groups) < 2:
        return
    crossed = people.crossed()
    own = {"metrics": tuple(named), "smallest_cell": context.smallest_cell}
    levels = metrics.rates(crossed, decisions, **own)
    alone = metrics.rates(people, decisions, **own)
    for metric, word in named.items():
        sides = (figures.where(pl.col("metric") == metric) for figures in (alone, levels))
        yield _answered(context, people, *sides).with_columns(metric=pl.lit(word), split=pl.lit(split))


def _answered(context: Context, people: Population, alone: Figures, levels: Figures) -> pl.DataFrame:
    """Rows of one metric: aggregate, strata, standardised, by attribute, contrast and stratifier."""
    asked = list(_asked(people, alone, levels))
    keys = ("attribute", "contrast", "stratifier", "stratum", "images", "estimable")
    schemas = dict(zip(keys, (S, S, S, S, I, B), strict=True))
    told = []
    for figures, rows in (
        (alone, [r for r in asked if r[0][3] == AGGREGATE]),
        (levels, [r for r in asked if r[0][3] != AGGREGATE]),
    ):
        index = pl.DataFrame([row[0] for row in rows], schema=schemas, orient="row")
        matrix = np.stack([row[1] for row in rows], axis=1)
        told.append(context.describe(figures.contrast(index, matrix)).table())
    table = pl.concat(told, how="diagonal_relaxed")
    question = ["attribute", "contrast", "stratifier"]
    sides = table.with_columns(side=pl.when(pl.col("low") > 0).then(1).when(pl.col("high") < 0).then(-1).otherwise(0))
    ends = [
        sides.filter(stratum=stratum).select(*question, **{stratum: "side", f"{stratum}_known": "estimable"})
        for stratum in (AGGREGATE, STANDARDISED)
    ]
    both = ends[0].join(ends[1], on=question, how="left")
    opposed = pl.col(AGGREGATE) * pl.col(STANDARDISED) < 0
    known = pl.col(f"{AGGREGATE}_known") & pl.col(f"{STANDARDISED}_known")
    reversal = both.select(*question, reversal=pl.when(known).then(opposed))
    order = {row[0][:4]: k for k, row in enumerate(asked)}
    rank = pl.Series([order[key] for key in table.select(*question, "stratum").rows()], dtype=I)
    return table.with_columns(_rank=rank).sort("_rank").join(reversal, on=question, how="left", maintain_order="left")


def _asked(people: Population, alone: Figures, levels: Figures) -> Iterator[tuple[tuple, np.ndarray]]:
    """Key and contrast of every row; weights of strata by the images that the metric is about."""
    ends = {key: k for k, key in enumerate(alone.index.select("attribute", "group").rows())}
    cells = {key: k for k, key in enumerate(levels.index.select("attribute", "group").rows())}
    images, enough = levels.index["images"].to_numpy(), levels.index["estimable"].to_numpy()

    def at(attribute: str, group: str, other: str, stratum: str) -> int:
        straight = f"{attribute}{CROSSED}{other}", f"{group}, {stratum}"
        return cells[straight] if straight in cells else cells[f"{other}{CROSSED}{attribute}", f"{stratum}, {group}"]

    for own in people.attributes.values():
        for other in people.attributes.values():
            if other.name == own.name:
                continue
            for contrast, group in own.contrasts.items():
                question = own.name, contrast, other.name
                pair = [ends[own.name, name] for name in (group, own.reference)]
                total = int(alone.index["images"].to_numpy()[pair].sum())
                known = bool(alone.index["estimable"].to_numpy()[pair].all())
                yield (*question, AGGREGATE, total, known), _column(len(ends), {pair[0]: 1.0, pair[1]: -1.0})
                strata = {
                    stratum: [at(own.name, name, other.name, stratum) for name in (group, own.reference)]
                    for stratum in other.groups
                }
                sizes = {stratum: int(images[pair].sum()) for stratum, pair in strata.items()}
                standard: dict[int, float] = {}
                for stratum, (one, two) in strata.items():
                    row = (*question, stratum, sizes[stratum], bool(enough[[one, two]].all()))
                    yield row, _column(len(cells), {one: 1.0, two: -1.0})
                    weight = sizes[stratum] / max(1, sum(sizes.values()))
                    if weight:
                        standard |= {one: weight, two: -weight}
                filled = [stratum for stratum, size in sizes.items() if size]
                known = len(filled) > 1 and all(enough[strata[stratum]].all() for stratum in filled)
                yield (*question, STANDARDISED, total, known), _column(len(cells), standard)


def _column(size: int, entries: dict[int, float]) -> np.ndarray:
    column = np.zeros(size)
    column[list(entries)] = list(entries.values())
    return column
