"""The untouched classifier group by group: levels, gaps, calibration, demands of fairness, crossings, what it makes of the groups."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lib.names import (
    AMPLIFICATION,
    BASELINE_WEIGHTING,
    CROSSED,
    DEMANDS,
    ERRORS,
    OVERALL,
    PATIENT,
    SHOWN,
    SUGGESTED,
    Attribute,
)
from lib.report.facts.decision import decide
from lib.report.facts.findings import UNTREATED
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.report.registry import sentences
from lib.results import Results

LEVELS = ("tpr", "fpr", "auc")


@dataclass(frozen=True)
class Line:
    """A line of figures: of a group, of a difference (`contrast`), or of everyone (`attribute` is None). None: not estimable."""

    attribute: Attribute | None
    group: str | None = None
    contrast: str | None = None
    cells: dict[str, Estimate | None] = field(default_factory=dict)
    visible: dict[str, float | None] = field(default_factory=dict)

    def seen(self) -> list[tuple[str, Estimate]]:
        """The cells that are shown or suggested."""
        return [(name, own) for name, own in self.cells.items() if own is not None and own.seen]


def gaps(results: Results) -> tuple[Line, ...]:
    """The differences between groups in TPR, FPR and AUC, with the gaps that could have been seen."""
    told = []
    for attribute in results.attributes.values():
        for contrast in attribute.contrasts:
            where = {"attribute": attribute.name, "contrast": contrast, "unit": PATIENT}
            found = {m: row(results, "gaps", **UNTREATED, **where, metric=m) for m in LEVELS}
            visible = {m: own["detectable"] if own else None for m, own in found.items()}
            told.append(Line(attribute, contrast=contrast, cells=_estimates(found), visible=visible))
    return tuple(told)


def levels(results: Results) -> tuple[Line, ...]:
    """TPR, FPR and AUC of everyone and of each group."""
    return _by_group(results, "metrics", LEVELS, "metric", **UNTREATED, unit=PATIENT)


def calibration(results: Results) -> tuple[Line, ...]:
    """Mean score less share of sick, and slope, of everyone and of each group."""
    return _by_group(results, "calibration", ("mean_error", "slope"), "measure", weighting=BASELINE_WEIGHTING)


def _by_group(results: Results, table: str, names: Sequence[str], column: str, **keys: str) -> tuple[Line, ...]:
    places = [(None, None), *((a, g) for a in results.attributes.values() for g in a.groups)]
    told = []
    for attribute, group in places:
        where = {"attribute": attribute.name if attribute else OVERALL, "group": group or "all"}
        found = {name: row(results, table, **keys, **where, **{column: name}) for name in names}
        told.append(Line(attribute, group, cells=_estimates(found)))
    return tuple(told)


def _estimates(found: dict[str, dict[str, Any] | None]) -> dict[str, Estimate | None]:
    return {name: estimate(own) for name, own in found.items()}


@dataclass(frozen=True)
class Demand:
    """A demand of fairness as one figure for each attribute: the widest difference between any two groups (or the lowest ratio)."""

    name: str
    values: dict[str, float | None]

    @property
    def ratio(self) -> bool:
        return self.name.endswith("ratio")


def demands(results: Results) -> tuple[Demand, ...]:
    """The demands of `lib.names.DEMANDS` under the untouched baseline."""
    found = rows(results, "parity", **UNTREATED)
    if found.is_empty():
        return ()
    by = {(r["measure"], r["attribute"]): r["estimate"] for r in found.to_dicts()}
    return tuple(Demand(name, {a: by.get((name, a)) for a in results.attributes}) for name in DEMANDS)


@dataclass(frozen=True)
class Crossing:
    """A crossing of two groups: TPR and FPR by themselves, and drawn towards what both groups say alone, with 95 % intervals.

    `patients` of the smaller label; `differs`: the rates that are shown or suggested to differ from everyone's, with the verdict.
    """

    attribute: str
    groups: tuple[tuple[Attribute, str], tuple[Attribute, str]]
    patients: int
    raw: dict[str, float | None]
    pooled: dict[str, Estimate]
    differs: dict[str, str]


def crossings(results: Results) -> tuple[Crossing, ...]:
    """Crossings with the page's attribute, or all where it is crossed with none."""
    found = rows(results, "pooled_crossings")
    if found.is_empty():
        return ()
    name = decide(results).attribute.name
    own = found.filter(pl.col("attribute").str.split(CROSSED).list.contains(name))
    told = []
    for (attribute, group), part in (own if own.height else found).group_by("attribute", "group", maintain_order=True):
        by = {r["metric"]: r for r in part.to_dicts()}
        one, two = (results.attributes[part_of] for part_of in attribute.split(CROSSED))
        sides = next(((a, b) for a in one.groups for b in two.groups if f"{a}, {b}" == group), None)
        if sides is None or set(by) != set(ERRORS):
            continue
        verdicts = {
            m: row(results, "intersections", **UNTREATED, attribute=attribute, group=group, metric=m) for m in ERRORS
        }
        told.append(
            Crossing(
                attribute,
                ((one, sides[0]), (two, sides[1])),
                min(r["patients"] for r in by.values()),
                {m: by[m]["raw"] for m in ERRORS},
                {m: Estimate(by[m]["estimate"], by[m]["low"], by[m]["high"]) for m in ERRORS},
                {m: v["verdict"] for m, v in verdicts.items() if v and v["verdict"] in (SHOWN, SUGGESTED)},
            )
        )
    return tuple(told)


@dataclass(frozen=True)
class Amplified:
    """By an attribute: how much more often the first group is sick (`data`) and called sick (`model`), and how much more the decisions
    depend on the group than the labels do (`total`)."""

    attribute: Attribute
    contrast: str
    data: Estimate
    model: Estimate
    excess: Estimate
    total: Estimate | None


def amplified(results: Results) -> tuple[Amplified, ...]:
    """The differences of the page's attribute, and of others where amplification is told."""
    told = []
    for attribute in results.attributes.values():
        own = {"attribute": attribute.name, **UNTREATED}
        total = estimate(row(results, "amplification", **own, contrast=AMPLIFICATION, quantity="amplification"))
        for contrast in attribute.contrasts:
            found = [
                estimate(row(results, "amplification", **own, contrast=contrast, quantity=q))
                for q in ("data", "model", "excess")
            ]
            if all(found):
                told.append(Amplified(attribute, contrast, *found, total))
    return tuple(told)


def of_gaps(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `baseline_gaps`."""
    lines = gaps(results)
    known = any(own for line in lines for own in line.cells.values())
    return {"d": decide(results), "lines": lines} if known else None


def of_groups(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `baseline_groups`."""
    lines = levels(results)
    return {"d": decide(results), "lines": lines} if any(lines[0].cells.values()) else None


def of_calibration(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `calibration`: `off` are the lines that are told to be off, the sure ones first."""
    lines = calibration(results)
    if not any(own for line in lines for own in line.cells.values()):
        return None
    # a slope is tested against 1: its verdict is about the distance from there
    off = [line for line in lines if line.seen()]
    sure = [line for line in off if any(own.shown for _, own in line.seen())]
    return {"d": decide(results), "lines": lines, "off": off, "sure": sure}


def of_parity(results: Results) -> dict[str, Any] | None:
    """The facts of the table `parity`."""
    found = demands(results)
    return {"demands": found, "attributes": tuple(results.attributes.values())} if found else None


def of_crossings(results: Results) -> dict[str, Any] | None:
    """The facts of the table `pooled_crossings`."""
    found = crossings(results)
    least = results.manifest["settings"]["audit"].get("smallest_cell")
    return {"d": decide(results), "found": found, "smallest": least} if found else None


def of_networks(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `seed_spread`: balanced accuracy and AUC of every network by weighting, the best first.

    `within` is the widest span of balanced accuracy within a weighting, `between` that of the weightings' means.
    `images` says how the means of weightings, which are by image here, lie to those by patient: higher, lower, apart (some higher, some
    lower), or None where they are not known or alike.
    """
    runs = rows(results, "runs")
    if runs.is_empty():
        return None
    by = runs.group_by("weighting").agg(
        pl.col("balanced_accuracy").drop_nulls().alias("balanced_accuracy"), pl.col("auc").drop_nulls().alias("auc")
    )
    ranked = by.sort(pl.col("balanced_accuracy").list.mean(), descending=True, nulls_last=True)
    found = {r["weighting"]: {m: r[m] for m in ("balanced_accuracy", "auc")} for r in ranked.to_dicts()}
    values = [own["balanced_accuracy"] for own in found.values() if own["balanced_accuracy"]]
    if not values:
        return None
    means = [sum(own) / len(own) for own in values]
    return {
        "networks": found,
        "single": max(len(own) for own in values) < 2,
        "within": max(max(own) - min(own) for own in values),
        "between": max(means) - min(means) if len(means) > 1 else None,
        "images": _by_image(results, {name: own["balanced_accuracy"] for name, own in found.items()}),
    }


def _by_image(results: Results, networks: dict[str, list[float]]) -> str | None:
    rates = {"attribute": OVERALL, "group": "all", "metric": "balanced_accuracy", "unit": PATIENT}
    apart = []
    for name, values in networks.items():
        own = row(results, "metrics", **(UNTREATED | {"weighting": name}), **rates, estimable=True)
        if own and values:
            apart.append(round(100 * (sum(values) / len(values) - own["estimate"]), 1))
    if not any(apart):
        return None
    return "higher" if min(apart) > 0 else "lower" if max(apart) < 0 else "apart"


@sentences("baseline")
def told(results: Results) -> dict[str, Any]:
    """The facts of the sentences on the untouched classifier."""
    return {"d": decide(results), "amplified": amplified(results), "ece": _ece(results), "gaps": gaps(results)}


def _ece(results: Results) -> float | None:
    own = row(
        results,
        "calibration",
        weighting=BASELINE_WEIGHTING,
        attribute=OVERALL,
        group="all",
        measure="ece",
        estimable=True,
    )
    return own["estimate"] if own else None
