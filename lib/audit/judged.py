"""All methods judged at once: levels, gaps and effects by patient and by image, in the families that share an error rate.

Four families carry the report's claims: the baseline's gaps in TPR and FPR; and, for weightings, post-processings and
combinations each, what they do to the gaps that the baseline is shown to have and to balanced accuracy. What a method
does to other gaps, and to the rates of single groups, are families of their own. Everything else is described.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.columns import F, S
from lib.audit.context import Context
from lib.audit.inference import Figures, Inference, Population, narrowing
from lib.names import (
    BASELINE,
    BASELINE_GAPS,
    BASELINE_POSTPROCESSING,
    ERRORS,
    FAMILIES,
    IMAGE,
    OF_KIND,
    OVERALL,
    PATIENT,
    PRIMARY,
    SHOWN,
    Method,
    kind_of,
)

UNITS = (PATIENT, IMAGE)
COMPARED = ("balanced_accuracy", *ERRORS, "selection_rate", "ppv")
"""Rates whose differences between groups are told, beside the AUC."""
METHOD = ["weighting", "postprocessing", "target"]
WHAT = [*METHOD, "attribute", "metric", "contrast"]
FAMILY = {"family": S, "says": S, "unit": S, "hypotheses": pl.Int64, "primary": pl.Boolean}
_UNTESTED = {name: pl.lit(None, F) for name in ("low_simultaneous", "high_simultaneous", "p", "p_adjusted")}
_UNTESTED["verdict"] = pl.lit(None, S)


@dataclass(frozen=True, eq=False)
class Judged:
    """Tables of all methods, and the figures that methods are compared with each other on.

    `compared[method]`: balanced accuracy of everyone and the gaps in TPR and FPR, by patient, network by network.
    """

    tables: Mapping[str, pl.DataFrame]
    compared: Mapping[Method, Figures]


@dataclass(frozen=True, eq=False)
class _Sides:
    """One method in one unit: balanced accuracy of everyone with the gaps in TPR and FPR, and what each group meets."""

    method: Method
    compared: Figures
    rates: Figures

    @classmethod
    def of(cls, method: Method, levels: Figures, population: Population) -> "_Sides":
        levels = levels.with_index(**dict(zip(METHOD, method, strict=True)))
        told = pl.col("metric").is_in(ERRORS)
        told |= (pl.col("attribute") == OVERALL) & (pl.col("metric") == "selection_rate")
        return cls(method, trimmed(compared(levels, population)), trimmed(levels.where(told)))


@dataclass(eq=False)
class _Gathered:
    metrics: list[pl.DataFrame] = field(default_factory=list)
    gaps: list[pl.DataFrame] = field(default_factory=list)
    effects: list[pl.DataFrame] = field(default_factory=list)
    families: list[tuple] = field(default_factory=list)
    compared: dict[Method, Figures] = field(default_factory=dict)

    def judge(self, family: str, unit: str, found: Inference) -> pl.DataFrame:
        """The table of a family, which is counted."""
        self.families.append((family, FAMILIES[family], unit, int(found.size), family in PRIMARY))
        return found.table().with_columns(family=pl.lit(family))


def judged(context: Context) -> Judged:
    """Every method of the context, judged once; the columns are told in `lib.audit.questions`."""
    return context.once("judged", None, lambda: _judged(context))


def _judged(context: Context) -> Judged:
    found = _Gathered()
    for unit in UNITS:
        _of_unit(context, unit, found)
    tables = {name: pl.concat(getattr(found, name), how="diagonal_relaxed") for name in ("metrics", "gaps")}
    tables["effects"] = pl.concat(found.effects, how="diagonal_relaxed") if found.effects else pl.DataFrame()
    tables["families"] = pl.DataFrame(found.families, schema=FAMILY, orient="row")
    return Judged(tables, found.compared)


def _of_unit(context: Context, unit: str, found: _Gathered) -> None:
    base = _Sides.of(BASELINE, context.levels(BASELINE, unit), context.population)
    found.gaps.append(_baseline_gaps(context, unit, found))
    established = _established(base.compared, found.gaps[-1])
    pending: dict[str, list[_Sides]] = {}
    for method in _in_blocks(context):
        levels = context.levels(method, unit)
        own = base if method == BASELINE else _Sides.of(method, levels, context.population)
        found.metrics.append(_levels(context, method, levels, unit))
        if unit == PATIENT:
            found.compared[method] = own.compared
        if method != BASELINE:
            differences = metrics.gaps(levels.where(pl.col("metric").is_in(COMPARED)), context.population)
            found.gaps.append(_named(context.describe(differences, None).table().with_columns(**_UNTESTED), method))
            pending.setdefault(OF_KIND[kind_of(method)], []).append(own)
    for kind, methods in pending.items():
        found.effects += _effects(context, kind, unit, base, methods, established, found)


def _in_blocks(context: Context) -> Iterator[Method]:
    """Methods by post-processing, so that each block of rates is made once; the baseline's first."""
    rules = dict.fromkeys((BASELINE[1:], *(method[1:] for method in context.decisions)))
    yield from ((weighting, *rule) for rule in rules for weighting in context.scores)


def compared(levels: Figures, population: Population) -> Figures:
    """Balanced accuracy of everyone (contrast `all`), then the gaps in TPR and FPR by attribute, of a method's levels."""
    place = {key: k for k, key in enumerate(levels.index.select("attribute", "group", "metric").rows())}
    keys = [(OVERALL, "balanced_accuracy", "all")]
    columns = [{place[OVERALL, "all", "balanced_accuracy"]: 1.0}]
    for attribute in population.attributes.values():
        for metric in ERRORS:
            for contrast, group in attribute.contrasts.items():
                keys.append((attribute.name, metric, contrast))
                pair = (place[attribute.name, name, metric] for name in (group, attribute.reference))
                columns.append(dict(zip(pair, (1.0, -1.0), strict=True)))
    matrix = np.zeros((levels.index.height, len(keys)))
    for k, column in enumerate(columns):
        matrix[list(column), k] = list(column.values())
    enough = levels.index["estimable"].to_numpy()
    index = pl.DataFrame(keys, schema={"attribute": S, "metric": S, "contrast": S}, orient="row").with_columns(
        estimable=pl.Series([bool(enough[list(column)].all()) for column in columns]),
        unit=pl.lit(levels.index["unit"][0]),
        **{name: pl.lit(levels.index[name][0]) for name in METHOD if name in levels.index.columns},
    )
    return levels.contrast(index, matrix)


def trimmed(figures: Figures) -> Figures:
    """The same figures without the cells that none of them is made of: less to keep, and to compute with."""
    used = (figures.matrix != 0).any(axis=1)
    arms = tuple(
        replace(
            arm,
            values=arm.values[:, used],
            influence=arm.influence[:, :, used],
            deviations=arm.deviations[:, used],
        )
        for arm in figures.arms
    )
    own = figures.cells
    cells = replace(own, size=own.size[used], images=own.images[used], degrees=own.degrees[used], known=own.known[used])
    return replace(figures, arms=arms, cells=cells, matrix=figures.matrix[used])


def _levels(context: Context, method: Method, levels: Figures, unit: str) -> pl.DataFrame:
    """Rates of one method, and the AUC beside the fixed threshold, which no later decision alters."""
    parts = [levels]
    if method[1] == BASELINE_POSTPROCESSING and context.has_scores(method[0]):
        parts.append(context.ranked(method[0], unit))
    tables = [
        context.describe(part, None)
        .table()
        .with_columns(network_sd=pl.Series(_between(part), dtype=F, nan_to_null=True))
        for part in parts
    ]
    return _named(pl.concat(tables, how="diagonal_relaxed"), method)


def _between(figures: Figures) -> np.ndarray:
    """Standard deviation between networks, (K,); NaN with a single one."""
    values = figures.by_network
    return values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1], np.nan)


def _named(table: pl.DataFrame, method: Method) -> pl.DataFrame:
    return table.with_columns(**{name: pl.lit(own) for name, own in zip(METHOD, method, strict=True)})


def _baseline_gaps(context: Context, unit: str, found: _Gathered) -> pl.DataFrame:
    """The baseline's gaps, judged in three families: errors, AUC, other rates."""
    own = context.gaps(BASELINE, unit)
    errors = pl.col("metric").is_in(ERRORS)
    parts = {
        BASELINE_GAPS: own.where(errors),
        f"{BASELINE_GAPS}: other rates": own.where(~errors & pl.col("metric").is_in(COMPARED)),
    }
    if context.has("scores"):
        parts[f"{BASELINE_GAPS}: AUC"] = metrics.gaps(context.ranked(unit=unit), context.population)
    tables = []
    for family, figures in parts.items():
        judgement = context.infer(figures)
        needed = pl.Series(judgement.patients_needed(context.margin), dtype=F)
        tables.append(found.judge(family, unit, judgement).with_columns(patients_needed=needed))
    return _named(pl.concat(tables, how="diagonal_relaxed"), BASELINE)


def _established(compared: Figures, gaps: pl.DataFrame) -> np.ndarray:
    """Which of the figures are gaps that the baseline is shown to have, (K,)."""
    keys = ["attribute", "metric", "contrast"]
    shown = set(gaps.filter(pl.col("verdict") == SHOWN, family=BASELINE_GAPS).select(keys).rows())
    return np.array([key in shown for key in compared.index.select(keys).rows()])


def _effects(
    context: Context,
    kind: str,
    unit: str,
    base: _Sides,
    methods: Sequence[_Sides],
    established: np.ndarray,
    found: _Gathered,
) -> list[pl.DataFrame]:
    """Effects of the methods of one kind, in three families."""
    overall = (base.compared.index["attribute"] == OVERALL).to_numpy()
    tables = []
    for family, chosen in ((kind, established | overall), (f"{kind}: other gaps", ~established & ~overall)):
        if chosen.any():
            places = np.flatnonzero(chosen)
            before = base.compared.take(places)
            table = narrowing(
                before,
                [own.compared.take(places) for own in methods],
                established[places],
                margin=context.margin,
                seed=context.seed,
            )
            found.families.append((family, FAMILIES[family], unit, _hypotheses(table), family in PRIMARY))
            tables.append(table.with_columns(family=pl.lit(family)))
    family = f"{kind}: rates of groups"
    rates = base.rates
    table = found.judge(family, unit, context.infer([own.rates - rates for own in methods]))
    tables.append(table.rename({"group": "contrast"}))
    return tables


def _hypotheses(table: pl.DataFrame) -> int:
    return int(table["p"].is_not_null().sum())
