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
from dataclasses import replace

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import DESCRIBED, B, I, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Population
from lib.audit.questions._shared import splits
from lib.names import AGGREGATE, BASELINE, CROSSED, STANDARDISED

name = "simpson"
KEYS = {"attribute": S, "contrast": S, "stratifier": S, "stratum": S, "images": I, "estimable": B}
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
    groups, attributes = people.groups | crossed.groups, people.attributes | crossed.attributes
    both = replace(people, groups=groups, attributes=attributes)
    levels = metrics.rates(both, decisions, metrics=tuple(named), smallest_cell=context.smallest_cell)
    for metric, word in named.items():
        table = _answered(context, people, levels.where(pl.col("metric") == metric))
        yield table.with_columns(metric=pl.lit(word), split=pl.lit(split))


def _answered(context: Context, people: Population, levels: Figures) -> pl.DataFrame:
    """Rows of one metric: aggregate, strata, standardised, by attribute, contrast and stratifier."""
    rows, combined = zip(*_asked(people, levels.index), strict=True)
    matrix = np.zeros((len(levels), len(rows)))
    for k, column in enumerate(combined):
        matrix[list(column), k] = list(column.values())
    index = pl.DataFrame(rows, schema=KEYS, orient="row")
    table = context.describe(levels.contrast(index, matrix)).table()
    side = pl.when(pl.col("low") > 0).then(1).when(pl.col("high") < 0).then(-1).otherwise(0)
    (one, known), (two, also_known) = (
        [own.filter(pl.col("stratum") == end).first().over("attribute", "contrast", "stratifier") for own in told]
        for end, told in ((end, (side, pl.col("estimable"))) for end in (AGGREGATE, STANDARDISED))
    )
    return table.with_columns(reversal=pl.when(known & also_known).then(one * two < 0))


def _asked(people: Population, levels: pl.DataFrame) -> Iterator[tuple[tuple, dict[int, float]]]:
    """Key and combination of cells of every row; weights of strata by the images that the metric is about."""
    cells = {key: k for k, key in enumerate(levels.select("attribute", "group").rows())}
    images, enough = levels["images"].to_numpy(), levels["estimable"].to_numpy()

    def at(attribute: str, group: str, other: str, stratum: str) -> int:
        straight = f"{attribute}{CROSSED}{other}", f"{group}, {stratum}"
        return cells[straight] if straight in cells else cells[f"{other}{CROSSED}{attribute}", f"{stratum}, {group}"]

    for own in people.attributes.values():
        for other in (other for other in people.attributes.values() if other.name != own.name):
            for contrast, group in own.contrasts.items():
                question, pair = (own.name, contrast, other.name), [cells[own.name, k] for k in (group, own.reference)]
                total = int(images[pair].sum())
                yield (*question, AGGREGATE, total, bool(enough[pair].all())), {pair[0]: 1.0, pair[1]: -1.0}
                strata = {
                    stratum: [at(own.name, name, other.name, stratum) for name in (group, own.reference)]
                    for stratum in other.groups
                }
                sizes = {stratum: int(images[pair].sum()) for stratum, pair in strata.items()}
                for stratum, (one, two) in strata.items():
                    row = (*question, stratum, sizes[stratum], bool(enough[[one, two]].all()))
                    yield row, {one: 1.0, two: -1.0}
                filled = [stratum for stratum, size in sizes.items() if size]
                standard: dict[int, float] = {}
                for one, two in (strata[stratum] for stratum in filled):
                    weight = images[[one, two]].sum() / sum(sizes.values())
                    standard |= {one: weight, two: -weight}
                known = len(filled) > 1 and all(enough[strata[stratum]].all() for stratum in filled)
                yield (*question, STANDARDISED, total, known), standard
