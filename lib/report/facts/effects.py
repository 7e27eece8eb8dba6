"""What methods of a kind do to the gaps by the page's attribute and to balanced accuracy, against the untouched baseline."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import (
    BASELINE,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    ERRORS,
    NARROWED,
    NO_TARGET,
    OPENED,
    OVERALL,
    PATIENT,
    SHOWN,
    SUGGESTED,
    TURNED,
    WIDENED,
    WORSENED,
    Attribute,
    Method,
    must_know,
)
from lib.report.facts.decision import Decision, decide
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.report.registry import sentences
from lib.results import Results

KEYS = ("weighting", "postprocessing", "target")
BALANCED = "balanced_accuracy"
FIGURES = (BALANCED, *ERRORS)
WEIGHTING, RULE, LAST_LAYER = "weighting", "post-processing", "last layer"
DIFFERS = "differs"
"""What one network under a method, compared with one without, is told to do."""


@dataclass(frozen=True)
class Outcome:
    """What a method does to balanced accuracy or to a gap; gaps are turned so that the baseline's is not below 0.

    `change` has the interval and verdict of the paired difference, `left` what is then there. `what`: narrowed, widened, turned,
    opened, improved, worsened, differs; None where nothing is told. `verdict` is how surely.
    """

    metric: str
    change: Estimate | None
    left: Estimate | None
    what: str | None
    verdict: str | None

    @property
    def sure(self) -> bool:
        return self.verdict == SHOWN

    @property
    def helps(self) -> bool:
        return self.what == NARROWED

    @property
    def harms(self) -> bool:
        return self.what in (WIDENED, OPENED, TURNED, WORSENED)


@dataclass(frozen=True)
class Effect:
    """A method and what it does to each of `FIGURES`; `needs` is the attribute that it must be told when it decides."""

    method: Method
    needs: Attribute | None
    outcomes: dict[str, Outcome]
    recommended: bool

    @property
    def told(self) -> tuple[Outcome, ...]:
        """The outcomes of which anything is shown or suggested."""
        return tuple(own for own in self.outcomes.values() if own.what)

    @property
    def grouped(self) -> list[tuple[str, str, list[str]]]:
        """What it is told to do, how surely, and to which figures."""
        found: dict[tuple[str, str], list[str]] = {}
        for own in self.told:
            found.setdefault((own.what, own.verdict), []).append(own.metric)
        return [(*key, metrics) for key, metrics in found.items()]

    @property
    def support(self) -> str | None:
        """The surest verdict among the gaps that it narrows."""
        found = {own.verdict for own in self.told if own.helps}
        return SHOWN if SHOWN in found else SUGGESTED if found else None

    @property
    def harms(self) -> bool:
        return any(own.harms for own in self.told)

    @property
    def widest(self) -> float | None:
        """The larger of the gaps that are left."""
        left = [abs(own.left.value) for metric, own in self.outcomes.items() if metric in ERRORS and own.left]
        return max(left, default=None)


@dataclass(frozen=True)
class Effects:
    """All methods of a kind, those that narrow a gap first. `contrast` names the gaps: `AP - PA`.

    `before` holds the untouched baseline's figures, `floor` the change that chance in training alone stays under in 19 of 20
    cases, `detectable` the change of a gap that would have been seen in four of five such cohorts (median over methods).
    """

    kind: str
    attribute: Attribute
    contrast: str
    methods: tuple[Effect, ...]
    before: dict[str, Estimate | None]
    floor: dict[str, float | None]
    detectable: float | None
    single: bool
    networks: int
    patients: int

    @property
    def told(self) -> tuple[Effect, ...]:
        return tuple(own for own in self.methods if own.told)

    @property
    def silent(self) -> tuple[Effect, ...]:
        """Methods of which nothing is told, in any figure."""
        return tuple(own for own in self.methods if not own.told)

    @property
    def named(self) -> tuple[Effect, ...]:
        """Methods that the table names: those of which anything is told, all where at most one is silent."""
        return self.told if len(self.silent) > 1 else self.methods

    @property
    def common(self) -> Attribute | None:
        """The attribute that every method that must be told one must be told."""
        needs = [own.needs for own in self.methods if own.needs]
        return needs[0] if needs and all(own == needs[0] for own in needs) else None

    @property
    def narrowing(self) -> tuple[Effect, ...]:
        return tuple(own for own in self.methods if own.support)

    @property
    def best(self) -> Effect | None:
        return self.narrowing[0] if self.narrowing else None

    @property
    def harmful(self) -> tuple[Effect, ...]:
        """Methods that widen, turn round or open a gap, or lower balanced accuracy."""
        return tuple(own for own in self.methods if own.harms)

    @property
    def goals(self) -> dict[str, float]:
        """The changes that would close the gaps, where the baseline is told to have one that is wider than a few points."""
        told = {metric: self.before[metric] for metric in ERRORS}
        return {
            m: -own.value
            for m, own in told.items()
            if own and own.value > 0.05 and own.verdict in (None, SHOWN, SUGGESTED)
        }

    def left(self, metric: str, methods: tuple[Effect, ...]) -> list[float]:
        """What is left of a gap (of balanced accuracy: the change) under the methods."""
        found = [own.outcomes.get(metric) for own in methods]
        told = [own.change if metric == BALANCED else own.left for own in found if own]
        return [own.value for own in told if own]


def effects(results: Results, kind: str) -> Effects | None:
    """The methods of a kind ("weighting", "post-processing", or "last layer": weightings of the last layer alone)."""
    d = decide(results)
    contrast = _contrast(results, d)
    found = _of(results, kind, d.attribute)
    if contrast is None or found.is_empty():
        return None
    gaps = found.filter(attribute=d.attribute.name, contrast=contrast)
    # last layers are compared with one that was re-trained, too
    again = dict(gaps.select("metric", "before").drop_nulls().rows()) if kind == LAST_LAYER else {}
    before = {
        m: Estimate(again[m]) if m in again else estimate(row(results, "gaps", **_at(d.attribute, contrast, m)))
        for m in ERRORS
    }
    signs = {metric: -1 if own and own.value < 0 else 1 for metric, own in before.items()}
    overall = {"attribute": OVERALL, "group": "all", "metric": BALANCED, "unit": PATIENT}
    level = estimate(row(results, "head_metrics" if again else "metrics", **_untreated(), **overall))
    told = [_effect(results, d, own, contrast, signs) for _, own in found.group_by(KEYS, maintain_order=True)]
    return Effects(
        kind=_called(results, kind),
        attribute=d.attribute,
        contrast=contrast,
        methods=tuple(sorted(told, key=_rank)),
        before={BALANCED: level} | {m: _turned(own, signs[m]) for m, own in before.items()},
        floor={m: _floor(results, kind, m, d.attribute, contrast) for m in FIGURES},
        detectable=gaps["detectable"].median(),
        single=kind == WEIGHTING and bool((found["estimand"] == "networks").any()),
        networks=d.networks,
        patients=d.patients,
    )


def _contrast(results: Results, d: Decision) -> str | None:
    """The two groups that gaps are told by: those of the main finding, else those of the widest gap."""
    if d.main is not None and d.main.attribute == d.attribute:
        return d.main.contrast
    gaps = rows(results, "gaps", **_untreated(), attribute=d.attribute.name, unit=PATIENT)
    gaps = gaps.filter(pl.col("metric").is_in(ERRORS), pl.col("contrast").is_in(list(d.attribute.contrasts)))
    ranked = gaps.drop_nulls("estimate").sort(pl.col("estimate").abs(), descending=True)
    return ranked["contrast"][0] if ranked.height else None


def _untreated() -> dict[str, str]:
    return dict(zip(KEYS, BASELINE, strict=True))


def _called(results: Results, kind: str) -> str:
    """What was trained elsewhere may differ in more than its weights."""
    return "method" if kind == WEIGHTING and results.manifest.get("of_predictions") else kind


def _of(results: Results, kind: str, attribute: Attribute) -> pl.DataFrame:
    """Rows by patient of the methods; rules that act on other attributes are left out."""
    found = rows(results, "head_effects" if kind == LAST_LAYER else "effects", unit=PATIENT)
    if found.is_empty():
        return found
    if kind == RULE:
        return found.filter(
            pl.col("target").is_in([NO_TARGET, attribute.name]),
            pl.col("postprocessing") != BASELINE_POSTPROCESSING,
            weighting=BASELINE_WEIGHTING,
        )
    return found.filter(pl.col("weighting") != BASELINE_WEIGHTING, postprocessing=BASELINE_POSTPROCESSING)


def _at(attribute: Attribute, contrast: str, metric: str) -> dict[str, str]:
    return _untreated() | {"attribute": attribute.name, "contrast": contrast, "metric": metric, "unit": PATIENT}


def _turned(own: Estimate | None, sign: int) -> Estimate | None:
    return own if own is None or sign > 0 else -own


def _effect(results: Results, d: Decision, own: pl.DataFrame, contrast: str, signs: dict[str, int]) -> Effect:
    method = tuple(own.row(0, named=True)[key] for key in KEYS)
    found = {}
    for metric in FIGURES:
        where = (OVERALL, "all") if metric == BALANCED else (d.attribute.name, contrast)
        told = own.filter(attribute=where[0], contrast=where[1], metric=metric).to_dicts()
        if told:
            found[metric] = _outcome(told[0], signs.get(metric, 1))
    needs = must_know(*method[1:])
    return Effect(
        method,
        results.attributes.get(needs) if needs else None,
        found,
        d.choice is not None and d.choice.method == method,
    )


def _outcome(own: dict[str, Any], sign: int) -> Outcome:
    seen = own["outcome_verdict"] in (SHOWN, SUGGESTED)
    what = own["outcome"] or (DIFFERS if seen and own["estimand"] == "networks" else None)
    left = None if own["left"] is None else Estimate(own["left"], own["left_low"], own["left_high"])
    return Outcome(own["metric"], _turned(estimate(own), sign), _turned(left, sign), what, own["outcome_verdict"])


def _rank(own: Effect) -> tuple:
    """Those that narrow a gap come first, the surer before the others, then those that leave least."""
    order = {SHOWN: 0, SUGGESTED: 1, None: 2}
    return order[own.support], own.harms, not own.told, 9.0 if own.widest is None else own.widest


def _floor(results: Results, kind: str, metric: str, attribute: Attribute, contrast: str) -> float | None:
    if kind == RULE:
        return None
    where = (OVERALL, "all") if metric == BALANCED else (attribute.name, contrast)
    trained = "head" if kind == LAST_LAYER else "full"
    own = row(results, "noise_floor", trained=trained, attribute=where[0], contrast=where[1], metric=metric)
    return own["floor"] if own else None


def gather(results: Results, kind: str = WEIGHTING) -> dict[str, Any] | None:
    """The facts of the table `effects` and the figure `changes`."""
    found = effects(results, kind)
    return None if found is None else {"e": found, "kind": found.kind}


def told(results: Results, kind: str = WEIGHTING) -> dict[str, Any]:
    """The facts of the sentences: `e` is None where there is no such method."""
    return {"e": effects(results, kind), "kind": _called(results, kind)}


sentences("effects")(told)
