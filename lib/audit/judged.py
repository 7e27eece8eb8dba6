"""All methods judged at once: levels, gaps and effects by patient and by image, in the families that share an error rate.

Four families carry the report's claims: the baseline's gaps in TPR and FPR; and, for weightings, post-processings and
combinations each, what they do to the gaps that the baseline is shown to have and to balanced accuracy. What a method
does to other gaps, and to the rates of single groups, are families of their own. Everything else is described.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from joblib import Parallel, cpu_count, delayed

from lib.audit import metrics
from lib.audit.columns import METHOD, F, S, method_columns
from lib.audit.context import Context
from lib.audit.inference import Figures, Population, narrowings
from lib.names import (
    BASELINE,
    BASELINE_GAPS,
    BASELINE_POSTPROCESSING,
    ERRORS,
    IMAGE,
    OF_KIND,
    OUTCOMES,
    OVERALL,
    PATIENT,
    PRIMARY,
    SHOWN,
    Method,
    kind_of,
)

FAMILY = ("family", "unit", "hypotheses", "primary")
MANY = 100
"""Methods from which on another process judges by image meanwhile: it takes two seconds to start."""
COMPARED = ("balanced_accuracy", *ERRORS, "selection_rate", "ppv")
"""Rates whose differences between groups are told, beside the AUC."""
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


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of every method in a unit, as combinations of its levels: index and matrix, or positions."""

    compared: tuple[pl.DataFrame, np.ndarray]
    gaps: tuple[pl.DataFrame, np.ndarray]
    rates: np.ndarray

    @classmethod
    def of(cls, levels: Figures, population: Population) -> "_Asked":
        told = pl.col("metric").is_in(ERRORS)
        told |= (pl.col("attribute") == OVERALL) & (pl.col("metric") == "selection_rate")
        rates = np.flatnonzero(levels.index.select(told).to_series().to_numpy())
        gaps = _gaps_in(COMPARED, levels.index, population)
        return cls(combinations(levels.index, population), gaps, rates)

    def sides(self, method: Method, levels: Figures) -> _Sides:
        names = dict(zip(METHOD, method, strict=True))
        parts = levels.contrast(*self.compared), levels.take(self.rates)
        return _Sides(method, *(trimmed(part).with_index(**names) for part in parts))


@dataclass(eq=False)
class _Gathered:
    """Parts of the tables of a unit, and the figures that methods are compared with each other on."""

    parts: dict[str, list[pl.DataFrame]] = field(
        default_factory=lambda: {name: [] for name in ("metrics", "gaps", "effects", "families")}
    )
    compared: dict[Method, Figures] = field(default_factory=dict)

    def count(self, family: str, unit: str, table: pl.DataFrame) -> pl.DataFrame:
        """The table with its `family`, whose hypotheses are counted."""
        counted = [(family, unit, table["p"].count(), family in PRIMARY)]
        self.parts["families"].append(pl.DataFrame(counted, schema=FAMILY, orient="row"))
        return table.with_columns(family=pl.lit(family))


def judged(context: Context) -> Judged:
    """Every method of the context, judged once; the columns are told in `lib.audit.questions`."""
    return context.once("judged", None, lambda: _judged(context))


def _judged(context: Context) -> Judged:
    # figures, which are large, stay in this process: by image, tables alone are kept
    pool = Parallel(n_jobs=cpu_count() if len(context.decisions) >= MANY else 1, return_as="generator")
    by_image = pool([delayed(_of_unit)(context.predictions(), IMAGE)])
    found = [_of_unit(context, PATIENT), *by_image]
    parts = {name: [table for own in found for table in own.parts[name]] for name in found[0].parts}
    tables = {name: pl.concat(own or [pl.DataFrame()], how="diagonal_relaxed") for name, own in parts.items()}
    return Judged(tables, found[0].compared)


def _of_unit(context: Context, unit: str) -> _Gathered:
    found = _Gathered()
    levels = context.levels(BASELINE, unit)
    asked = _Asked.of(levels, context.population)
    base = asked.sides(BASELINE, levels)
    found.parts["gaps"].append(_baseline_gaps(context, unit, found))
    established = _established(base.compared, found.parts["gaps"][-1])
    pending: dict[str, list[_Sides]] = {}
    for rule in dict.fromkeys((BASELINE[1:], *(method[1:] for method in context.decisions))):
        block = {(weighting, *rule): figures for weighting, figures in context.block(rule, unit).items()}
        found.parts["metrics"].append(_levels(context, block, unit))
        others = {method: figures for method, figures in block.items() if method != BASELINE}
        if others:
            differences = [_named(figures.contrast(*asked.gaps), method) for method, figures in others.items()]
            found.parts["gaps"].append(context.describe(differences, None).table().with_columns(**_UNTESTED))
        for method, figures in others.items():
            pending.setdefault(OF_KIND[kind_of(method)], []).append(asked.sides(method, figures))
        if unit == PATIENT:
            kept = {own.method: own.compared for methods in pending.values() for own in methods}
            found.compared.update({BASELINE: base.compared} | kept)
    for kind, methods in pending.items():
        found.parts["effects"] += _effects(context, kind, unit, base, methods, established, found)
    return found


def outcomes(population: Population, decisions: np.ndarray, *, smallest_cell: int, unit: str = PATIENT) -> Figures:
    """Balanced accuracy of everyone (contrast `all`), then the gaps in TPR and FPR by attribute, of decisions (S, n)."""
    own = {"unit": metrics.Unit(unit), "smallest_cell": smallest_cell, "metrics": OUTCOMES}
    levels = metrics.rates(population, decisions, **own)
    return levels.contrast(*combinations(levels.index, population))


def combinations(levels: pl.DataFrame, population: Population) -> tuple[pl.DataFrame, np.ndarray]:
    """Index and matrix of `outcomes`, of levels with such an index."""
    gaps, matrix = _gaps_in(ERRORS, levels, population)
    overall = (pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy")
    index = pl.concat([levels.filter(overall).rename({"group": "contrast"}).select(gaps.columns), gaps])
    return index, np.column_stack([levels.select(overall).to_series().to_numpy(), matrix])


def _gaps_in(told: Sequence[str], levels: pl.DataFrame, population: Population) -> tuple[pl.DataFrame, np.ndarray]:
    index, matrix = metrics.differences(levels, population)
    chosen = index["metric"].is_in(told)
    return index.filter(chosen).drop("group"), matrix[:, chosen.to_numpy()]


def trimmed(figures: Figures) -> Figures:
    """The same figures without the cells that none of them is made of: less to keep, and to compute with."""
    used = (figures.matrix != 0).any(axis=1)
    arms = tuple(arm.each(lambda own: own[..., used]) for arm in figures.arms)
    return replace(figures, arms=arms, cells=figures.cells.take(used), matrix=figures.matrix[used])


def _levels(context: Context, block: Mapping[Method, Figures], unit: str) -> pl.DataFrame:
    """Rates of the methods of a block, and the AUC beside the fixed threshold, which no later decision alters."""
    rates = [_named(figures, method) for method, figures in block.items()]
    aucs = [
        _named(context.ranked(method[0], unit), method)
        for method in block
        if method[1] == BASELINE_POSTPROCESSING and context.has_scores(method[0])
    ]
    tables = [context.describe(parts, None).table() for parts in (rates, aucs) if parts]
    order = pl.col("weighting").replace_strict({method[0]: k for k, method in enumerate(block)}, return_dtype=pl.Int64)
    return pl.concat(tables, how="diagonal_relaxed").sort(order, maintain_order=True)


def _named(figures: Figures, method: Method) -> Figures:
    return figures.with_index(**dict(zip(METHOD, method, strict=True)))


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
        tables.append(found.count(family, unit, judgement.table()).with_columns(patients_needed=needed))
    return pl.concat(tables, how="diagonal_relaxed").with_columns(**method_columns(BASELINE))


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
    families = {kind: established | overall, f"{kind}: other gaps": ~established & ~overall}
    families = {name: chosen for name, chosen in families.items() if chosen.any()}
    told = narrowings(
        base.compared,
        [own.compared for own in methods],
        established,
        list(families.values()),
        margin=context.margin,
        seed=context.seed,
    )
    tables = [found.count(family, unit, table) for family, table in zip(families, told, strict=True)]
    rates = context.infer([own.rates - base.rates for own in methods]).table().rename({"group": "contrast"})
    return [*tables, found.count(f"{kind}: rates of groups", unit, rates)]
