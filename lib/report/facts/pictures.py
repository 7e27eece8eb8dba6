"""What pictures show: means over many patients, distributions of scores, misses by finding; no words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.names import BASELINE_WEIGHTING, MAX_MIN, Attribute
from lib.pictures.saliency import OUTSIDE_IF_EVEN
from lib.report.facts.decision import Decision, decide
from lib.report.facts.values import Estimate, estimate, rows
from lib.results import Results

Grey = NDArray[np.float64]
SICK, HEALTHY = 1, 0
MOST = 12
"""Findings that are shown."""


@dataclass(frozen=True)
class Errors:
    """Of a group's sick the share missed, of its healthy the share alarmed, by the untouched baseline."""

    group: str
    missed: float
    alarmed: float


def errors(decision: Decision) -> tuple[Errors, ...]:
    """The errors of the baseline in each group of the page's attribute, where both are estimable."""
    told = decision.options[0].shares if decision.options else ()
    return tuple(Errors(s.group, s.missed, s.alarmed) for s in told if s.missed is not None and s.alarmed is not None)


@dataclass(frozen=True, eq=False)
class Picture:
    """A mean over `patients` distinct patients of a group and label: grey levels (side, side), 0 black to 255 white.

    `heat` (side, side), from 0 with mean 1, is where networks look, and `outside` the share of it outside the lungs' box.
    """

    group: str
    label: int
    patients: int
    grey: Grey | None
    heat: Grey | None = None
    outside: Estimate | None = None


def radiographs(results: Results, attribute: Attribute) -> tuple[Picture, ...]:
    """The mean radiographs of the groups of an attribute, the healthy and the sick, that are published."""
    found = rows(results, "radiographs", attribute=attribute.name)
    if found.is_empty():
        return ()
    found = found.drop_nulls("pixels")
    return _ordered(
        attribute, [Picture(r["group"], r["label"], r["patients"], _square(r["pixels"])) for r in found.to_dicts()]
    )


def saliency(results: Results, attribute: Attribute) -> tuple[Picture, ...]:
    """Where networks look when they are right, over the mean radiograph of the same group and label where there is one."""
    found = rows(results, "saliency", attribute=attribute.name, correct=True)
    if found.is_empty():
        return ()
    under = {(own.group, own.label): own.grey for own in radiographs(results, attribute)}
    told = [
        Picture(
            r["group"],
            r["label"],
            r["patients"],
            under.get((r["group"], r["label"])),
            _square(r["density"]),
            Estimate(r["outside"], r["low"], r["high"]),
        )
        for r in found.drop_nulls("density").to_dicts()
    ]
    return _ordered(attribute, told)


def pair(pictures: Sequence[Picture], decision: Decision) -> tuple[str, str] | None:
    """The two groups that are set side by side: those of the main finding, else the first and the reference."""
    attribute, main = decision.attribute, decision.main
    two = (attribute.groups[0], attribute.groups[-1])
    if main is not None and main.attribute == attribute:
        two = tuple(group for group in attribute.groups if group in (main.worse, main.better))
    shown = {own.group for own in pictures}
    return two if len(two) == 2 and set(two) <= shown else None


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: from `start` to `end`, of `height` (share of the patients, over the width), and its `share`."""

    start: float
    end: float
    share: float

    @property
    def height(self) -> float:
        return self.share / (self.end - self.start)


@dataclass(frozen=True)
class Scores:
    """The scores of a group, the sick and the healthy apart, and the threshold that `rule` has for the group (None: none)."""

    group: str
    sick: tuple[Bar, ...]
    healthy: tuple[Bar, ...]
    threshold: float | None

    def curve(self) -> list[tuple[float, float, float]]:
        """(threshold, FPR, TPR), from the bars: within a bar scores are taken for evenly spread."""
        edges = sorted({0.0, 1.0} | {bar.start for bar in (*self.sick, *self.healthy)})
        return [(edge, _above(self.healthy, edge), _above(self.sick, edge)) for edge in edges]


def scores(results: Results, attribute: Attribute, weighting: str = BASELINE_WEIGHTING) -> tuple[Scores, ...]:
    """Score distributions of the mean over networks, by group, with the thresholds of the board's threshold rule."""
    found = rows(results, "histograms", attribute=attribute.name, weighting=weighting, seed=None)
    if found.is_empty():
        return ()
    rule = rows(results, "recommendation", option="threshold rule")
    cuts: dict[str, float] = {}
    if rule.height and rule["target"][0] == attribute.name:
        own = rows(
            results,
            "thresholds",
            weighting=weighting,
            postprocessing=rule["postprocessing"][0],
            target=attribute.name,
        )
        cuts = {} if own.is_empty() else dict(own.select("group", "threshold").rows())
    told = []
    for group in attribute.groups:
        sides = [
            tuple(Bar(*bar) for bar in found.filter(group=group, label=label).select("start", "end", "share").rows())
            for label in (SICK, HEALTHY)
        ]
        if all(sides):
            told.append(Scores(group, *sides, cuts.get(group)))
    return tuple(told)


@dataclass(frozen=True)
class Misses:
    """A finding: in each group the share of its sick that is missed, and the differences between groups with their verdicts."""

    finding: str
    groups: dict[str, Estimate]
    differences: tuple[Estimate, ...]

    @property
    def worst(self) -> float:
        """The highest of the shares."""
        return max(own.value for own in self.groups.values())


def misses(results: Results, attribute: Attribute) -> tuple[Misses, ...]:
    """Findings by the number of their patients, those that are estimable in two groups at least."""
    found = rows(results, "misses_by_finding", attribute=attribute.name)
    if found.is_empty():
        return ()
    found = found.filter("estimable")
    sizes = found.group_by("finding").agg(pl.col("patients").sum()).sort("patients", "finding", descending=True)
    told = []
    for finding in sizes["finding"]:
        own = found.filter(finding=finding)
        levels = {r["group"]: estimate(r) for r in own.filter(pl.col("contrast").is_null()).to_dicts()}
        apart = own.filter(pl.col("contrast").is_not_null(), pl.col("contrast") != MAX_MIN).to_dicts()
        kept = {group: levels[group] for group in attribute.groups if levels.get(group)}
        if len(kept) >= 2:
            told.append(Misses(finding, kept, tuple(e for r in apart if (e := estimate(r)))))
    return tuple(told)


def of_figure(name: str, results: Results) -> dict[str, Any] | None:
    """What the templates of a picture are told, `d` and the picture's own facts; None where there is nothing to show."""
    d = decide(results)
    if name == "people":
        groups = errors(d)
        return {"d": d, "groups": groups} if groups else None
    if name == "scores":
        groups = scores(results, d.attribute)
        return {"d": d, "groups": groups} if groups else None
    if name == "misses":
        found = misses(results, d.attribute)
        return {"d": d, "found": found[:MOST]} if found else None
    pictures = {"radiographs": radiographs, "saliency": saliency}[name](results, d.attribute)
    two = pair(pictures, d)
    if two is None:
        return None
    shown = tuple(sorted((p for p in pictures if p.group in two), key=lambda p: (two.index(p.group), p.label)))
    return {"d": d, "two": two, "shown": shown, "even": OUTSIDE_IF_EVEN}


def _above(bars: Sequence[Bar], edge: float) -> float:
    return sum(bar.share * min(1.0, max(0.0, (bar.end - edge) / (bar.end - bar.start))) for bar in bars)


def _square(values: Sequence[float]) -> Grey:
    side = round(len(values) ** 0.5)
    return np.asarray(values, dtype=float).reshape(side, side)


def _ordered(attribute: Attribute, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    return tuple(sorted(pictures, key=lambda own: (attribute.groups.index(own.group), own.label)))
