"""What each weighting does to what the network sees, and what the network takes from the group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import BASELINE_WEIGHTING, ERRORS, Attribute
from lib.report.facts.decision import Decision, decide
from lib.report.facts.effects import BALANCED, LAST_LAYER, WEIGHTING, Effect, Effects, effects
from lib.report.facts.pictures import HEALTHY, SICK
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.report.registry import sentences
from lib.results import Results

FEW = 0.5
"""Kish effective share under which a weighting rests on few images."""
BROKEN, KEPT = 0.3, 0.7
"""A tie is broken where less than this share of the unweighted one is left, and kept from the other share on."""
LOOSE = 0.02
"""Shares of sick that lie less apart than this are no tie."""


@dataclass(frozen=True)
class Seen:
    """What the network sees under a weighting: of two groups, their share of what is drawn and, of each, the share that is sick.

    `effective` is Kish's effective share of the images; `same_as` an earlier weighting that weighs every group and label alike.
    """

    weighting: str
    effective: float | None
    often: dict[str, float]
    sick: dict[str, float]
    same_as: str | None
    effect: Effect | None

    @property
    def tie(self) -> float:
        """How much more often the first group is sick than the second, in what is seen."""
        one, two = self.sick.values()
        return one - two

    @property
    def narrows(self) -> bool:
        return self.effect is not None and self.effect.support is not None

    @property
    def few(self) -> bool:
        return self.effective is not None and self.effective < FEW


@dataclass(frozen=True)
class Weights:
    """All weightings beside `start`, the unweighted training. `groups` are the two sides of the page's gaps."""

    attribute: Attribute
    groups: tuple[str, str]
    start: Seen
    others: tuple[Seen, ...]
    networks: int
    act_by: str | None
    single: bool

    @property
    def tied(self) -> bool:
        """Whether the label goes with the group in the training images at all."""
        return abs(self.start.tie) >= LOOSE

    @property
    def breaking(self) -> tuple[Seen, ...]:
        return tuple(own for own in self.others if abs(own.tie) <= BROKEN * abs(self.start.tie))

    @property
    def keeping(self) -> tuple[Seen, ...]:
        return tuple(own for own in self.others if abs(own.tie) >= KEPT * abs(self.start.tie))

    @property
    def counting(self) -> tuple[Seen, ...]:
        """Those that keep the tie though they change how often each group is seen."""
        first = self.groups[0]
        return tuple(own for own in self.keeping if abs(own.often[first] - self.start.often[first]) > 0.05)


def weights(results: Results) -> Weights | None:
    """From the mean weight and the number of training images of every group and label."""
    found = effects(results, WEIGHTING)
    table = rows(results, "weights")
    d = decide(results)
    if table.is_empty():
        return None
    groups = _groups(d, found)
    by = {own.method[0]: own for own in found.methods} if found else {}
    shares = dict(results.runs.group_by("weighting").agg(pl.col("effective_share").mean()).rows())
    cells = {
        name: _cells(table.filter(weighting=name)) for name in table["weighting"].unique(maintain_order=True).sort()
    }
    told = []
    for name, own in cells.items():
        seen = _seen(own, d.attribute.name, groups)
        if seen is not None:
            same = next((other.weighting for other in told if _alike(cells[other.weighting], own)), None)
            told.append(Seen(name, shares.get(name), *seen, same, by.get(name)))
    start = next((own for own in told if own.weighting == BASELINE_WEIGHTING), None)
    if start is None:
        return None
    return Weights(
        attribute=d.attribute,
        groups=groups,
        start=start,
        others=tuple(own for own in told if own is not start),
        networks=d.networks,
        act_by=results.manifest["settings"]["training"].get("weights_act_by"),
        single=bool(found and found.single),
    )


def _groups(d: Decision, found: Effects | None) -> tuple[str, str]:
    contrasts = d.attribute.contrasts
    return contrasts[found.contrast if found else next(iter(contrasts))], d.attribute.reference


Cell = tuple[str, str, int]


def _cells(own: pl.DataFrame) -> dict[Cell, tuple[int, float]]:
    """Images and mean weight of each attribute, group and label that has images."""
    kept = own.drop_nulls("weight")
    return {(r["attribute"], r["group"], r["label"]): (r["images"], r["weight"]) for r in kept.to_dicts()}


def _alike(one: Mapping[Cell, tuple[int, float]], two: Mapping[Cell, tuple[int, float]]) -> bool:
    return one.keys() == two.keys() and all(abs(one[key][1] - two[key][1]) < 0.005 for key in one)


def _seen(
    cells: Mapping[Cell, tuple[int, float]], attribute: str, groups: tuple[str, str]
) -> tuple[dict[str, float], dict[str, float]] | None:
    total = {key[1:]: images * weight for key, (images, weight) in cells.items() if key[0] == attribute}
    of = {g: {label: total.get((g, label), 0.0) for label in (SICK, HEALTHY)} for g in groups}
    everyone = sum(total.values())
    if not everyone or not all(sum(own.values()) for own in of.values()):
        return None
    return (
        {g: sum(own.values()) / everyone for g, own in of.items()},
        {g: own[SICK] / sum(own.values()) for g, own in of.items()},
    )


@dataclass(frozen=True)
class Part:
    """A gap of the page's attribute, above 0, and what of it lies in where the cut-off falls and in how well groups are ranked."""

    attribute: Attribute
    contrast: str
    metric: str
    whole: Estimate
    cut: Estimate | None
    ranking: Estimate | None


def parts(results: Results) -> tuple[Part, ...]:
    """The parts of every gap that is estimable, turned so that the whole is not below 0."""
    found = []
    for attribute in results.attributes.values():
        for contrast in attribute.contrasts:
            for metric in ERRORS:
                where = {"attribute": attribute.name, "contrast": contrast, "metric": metric}
                whole, cut, ranking = (
                    estimate(row(results, "gap_parts", **where, part=part))
                    for part in ("whole", "operating point", "discrimination")
                )
                if whole is not None:
                    turned = [own if own is None or whole.value >= 0 else -own for own in (whole, cut, ranking)]
                    found.append(Part(attribute, contrast, metric, *turned))
    return tuple(found)


@dataclass(frozen=True)
class Probe:
    """How well a straight rule on what the network computes tells an attribute (or the label): an AUC."""

    attribute: Attribute | str
    auc: Estimate

    @property
    def reads(self) -> bool:
        return self.auc.low is not None and self.auc.low > 0.5


@dataclass(frozen=True)
class LastLayer:
    """The largest change of a gap in the weightings trained both ways: of the last layer alone, and of the whole network."""

    alone: float
    whole: float
    narrowing: tuple[Effect, ...]
    floor: float | None


def _last(results: Results, full: Effects | None) -> LastLayer | None:
    head = effects(results, LAST_LAYER)
    if head is None or full is None:
        return None
    both = {own.method for own in head.methods} & {own.method for own in full.methods}
    largest = []
    for found in (head, full):
        told = [o.change for own in found.methods if own.method in both for m, o in own.outcomes.items() if m in ERRORS]
        largest.append(max((abs(change.value) for change in told if change), default=None))
    if None in largest:
        return None
    floors = [head.floor[m] for m in ERRORS if head.floor[m] is not None]
    return LastLayer(*largest, head.narrowing, max(floors, default=None))


def mean_scores(results: Results, weighting: str, attribute: str, groups: tuple[str, str]) -> dict[int, float] | None:
    """By label, how much higher the first group's scores lie than the second's, on average (from the histograms)."""
    found = rows(results, "histograms", weighting=weighting, attribute=attribute, seed=None)
    if found.is_empty():
        return None
    middle = found.with_columns(middle=(pl.col("start") + pl.col("end")) / 2 * pl.col("share"))
    means = dict(
        ((group, label), total / share)
        for group, label, total, share in middle.group_by("group", "label")
        .agg(pl.col("middle").sum(), pl.col("share").sum())
        .rows()
    )
    if not all((group, label) in means for group in groups for label in (SICK, HEALTHY)):
        return None
    return {label: means[groups[0], label] - means[groups[1], label] for label in (SICK, HEALTHY)}


def gather(results: Results) -> dict[str, Any] | None:
    """The facts of the table `weightings`."""
    w = weights(results)
    return None if w is None or not w.others else {"w": w}


def why(results: Results) -> dict[str, Any] | None:
    """The facts of the table `why_gaps`."""
    found = parts(results)
    return {"parts": found} if found else None


@sentences("weightings")
def told(results: Results) -> dict[str, Any]:
    """The facts of the sentences on weightings."""
    d, w, full = decide(results), weights(results), effects(results, WEIGHTING)
    contrast = full.contrast if full else None
    best = full.best if full else None
    apart = {}
    if w is not None and best is not None:
        for name in (BASELINE_WEIGHTING, best.method[0]):
            apart[name] = mean_scores(results, name, d.attribute.name, w.groups)
    probes = [
        Probe(results.attributes.get(own["attribute"], own["attribute"]), auc)
        for own in rows(results, "probes", weighting=BASELINE_WEIGHTING, group="all").to_dicts()
        if (auc := estimate(own)) is not None
    ]
    return {
        "d": d,
        "w": w,
        "best": best,
        "apart": [apart[name] for name in apart] if apart and all(apart.values()) else None,
        "parts": [p for p in parts(results) if p.attribute == d.attribute and p.contrast == contrast],
        "label": next((own for own in probes if own.attribute == "label"), None),
        "probes": [own for own in probes if own.attribute != "label"],
        "last": _last(results, full),
        "floor": {m: full.floor[m] for m in (BALANCED, *ERRORS)} if full else {},
        "runs": rows(results, "runs").height,
    }
