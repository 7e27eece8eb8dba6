"""What methods of a kind do to the gaps by the page's attribute and to balanced accuracy, against the untouched baseline."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import (
    ERRORS,
    HARMFUL,
    NARROWED,
    OUTCOMES,
    OVERALL,
    PATIENT,
    SHOWN,
    SUGGESTED,
    Attribute,
    Method,
    must_know,
)
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.values import BALANCED, KEYS, UNTREATED, Estimate, estimate, figure, parts, row, rows, turned
from lib.report.registry import sentences
from lib.results import Results

FIGURES = OUTCOMES
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
        return self.what in HARMFUL


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
        return tuple(outcome for outcome in self.outcomes.values() if outcome.what)

    @property
    def grouped(self) -> list[tuple[str, str, list[str]]]:
        """What it is told to do, how surely, and to which figures."""
        grouped: dict[tuple[str, str], list[str]] = {}
        for outcome in self.told:
            grouped.setdefault((outcome.what, outcome.verdict), []).append(outcome.metric)
        return [(*key, metrics) for key, metrics in grouped.items()]

    @property
    def support(self) -> str | None:
        """The surest verdict among the gaps that it narrows."""
        verdicts = {outcome.verdict for outcome in self.told if outcome.helps}
        return SHOWN if SHOWN in verdicts else SUGGESTED if verdicts else None

    @property
    def harms(self) -> bool:
        return any(outcome.harms for outcome in self.told)

    @property
    def widest(self) -> float | None:
        """The larger of the gaps that are left."""
        left = [
            abs(outcome.left.value) for metric, outcome in self.outcomes.items() if metric in ERRORS and outcome.left
        ]
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

    @property
    def told(self) -> tuple[Effect, ...]:
        return tuple(effect for effect in self.methods if effect.told)

    @property
    def silent(self) -> tuple[Effect, ...]:
        """Methods of which nothing is told, in any figure."""
        return tuple(effect for effect in self.methods if not effect.told)

    @property
    def named(self) -> tuple[Effect, ...]:
        """Methods that the table names: those of which anything is told, all where at most one is silent."""
        return self.told if len(self.silent) > 1 else self.methods

    @property
    def common(self) -> Attribute | None:
        """The attribute that every method that must be told one must be told."""
        needs = [effect.needs for effect in self.methods if effect.needs]
        return needs[0] if needs and all(need == needs[0] for need in needs) else None

    @property
    def narrowing(self) -> tuple[Effect, ...]:
        return tuple(effect for effect in self.methods if effect.support)

    @property
    def best(self) -> Effect | None:
        return self.narrowing[0] if self.narrowing else None

    @property
    def harmful(self) -> tuple[Effect, ...]:
        """Methods that widen, turn round or open a gap, or lower balanced accuracy."""
        return tuple(effect for effect in self.methods if effect.harms)

    def contrast_to(self, first: int) -> tuple[Effect, ...]:
        """The one method that fails most beside the `first` so many: it harms, for preference, and leaves the widest gap."""
        others = self.methods[first:]
        worst = max(others, key=lambda effect: (effect.harms, not effect.support, effect.widest or 0.0), default=None)
        return (worst,) if worst else ()

    @property
    def goals(self) -> dict[str, float]:
        """The changes that would close the gaps, where the baseline is told to have one that is wider than a few points."""
        gaps = {metric: self.before[metric] for metric in ERRORS}
        wide = {metric: gap for metric, gap in gaps.items() if gap and gap.value > 0.05}
        return {metric: -gap.value for metric, gap in wide.items() if gap.seen or gap.verdict is None}

    def left(self, metric: str, methods: tuple[Effect, ...]) -> list[float]:
        """What is left of a gap (of balanced accuracy: the change) under the methods."""
        outcomes = [effect.outcomes.get(metric) for effect in methods]
        told = [outcome.change if metric == BALANCED else outcome.left for outcome in outcomes if outcome]
        return [change.value for change in told if change]


def effects(results: Results, kind: str) -> Effects | None:
    """The methods of a kind ("weighting", "post-processing", or "last layer": weightings of the last layer alone)."""
    return results.once(("effects", kind), lambda: _effects(results, kind))


def _effects(results: Results, kind: str) -> Effects | None:
    d = decide(results)
    contrast = _contrast(results, d)
    frame = _of(results, kind, d.attribute)
    if contrast is None or frame.is_empty():
        return None
    places = {metric: {"attribute": d.attribute.name, "contrast": contrast} for metric in ERRORS}
    places[BALANCED] = {"attribute": OVERALL, "contrast": "all"}
    frame = frame.filter(pl.col("contrast").is_in([contrast, "all"]), pl.col("metric").is_in(FIGURES))
    gaps = frame.filter(**places["tpr"])
    # last layers are compared with one that was re-trained, too
    again = dict(gaps.select("metric", "before").drop_nulls().rows()) if kind == LAST_LAYER else {}
    before = {
        metric: Estimate(again[metric])
        if metric in again
        else figure(results, "gaps", **UNTREATED, **places[metric], metric=metric, unit=PATIENT)
        for metric in ERRORS
    }
    signs = {metric: gap.value if gap else 1 for metric, gap in before.items()} | {BALANCED: 1}
    everyone = {"attribute": OVERALL, "group": "all", "metric": BALANCED, "unit": PATIENT}
    level = figure(results, "head_metrics" if again else "metrics", **UNTREATED, **everyone)
    told = []
    for method, lines in parts(frame, *KEYS).items():
        by = {(line["attribute"], line["contrast"], line["metric"]): line for line in lines}
        lines_of = {metric: by.get((*place.values(), metric)) for metric, place in places.items()}
        outcomes = {metric: _outcome(lines_of[metric], signs[metric]) for metric in FIGURES if lines_of[metric]}
        needs = results.attributes.get(must_know(*method[1:]))
        told.append(Effect(method, needs, outcomes, d.choice is not None and d.choice.method == method))
    trained = {WEIGHTING: "full", LAST_LAYER: "head"}.get(kind)
    floors = {m: row(results, "noise_floor", trained=trained, metric=m, **places[m]) for m in FIGURES}
    return Effects(
        kind=_called(results, kind),
        attribute=d.attribute,
        contrast=contrast,
        methods=tuple(sorted(told, key=_rank)),
        before={BALANCED: level} | {metric: turned(gap, signs[metric]) for metric, gap in before.items()},
        floor={metric: floor["floor"] if floor else None for metric, floor in floors.items()},
        detectable=gaps["detectable"].median(),
        single=kind == WEIGHTING and bool((frame["estimand"] == "networks").any()),
    )


def _contrast(results: Results, d: Decision) -> str | None:
    """The two groups that gaps are told by: those of the main finding, else those of the widest gap."""
    if d.main is not None and d.main.attribute == d.attribute:
        return d.main.contrast
    widest = widest_gap(results, d.attribute)
    return widest["contrast"] if widest else None


def widest_gap(results: Results, attribute: Attribute, **keys: str) -> dict[str, Any] | None:
    """The widest gap of the untouched baseline by an attribute, of those that have the `keys`; None where none is estimable."""
    gaps = rows(results, "gaps", values.error_gaps(attribute), values.KNOWN, **UNTREATED, **keys).to_dicts()
    return max(gaps, key=lambda gap: abs(gap["estimate"]), default=None)


def _called(results: Results, kind: str) -> str:
    """What was trained elsewhere may differ in more than its weights."""
    return "method" if kind == WEIGHTING and results.manifest.get("of_predictions") else kind


def _of(results: Results, kind: str, attribute: Attribute) -> pl.DataFrame:
    """Rows by patient of the methods; rules that act on other attributes are left out."""
    conditions = (
        (values.acts_on(attribute), values.RULED, ~values.WEIGHTED)
        if kind == RULE
        else (values.WEIGHTED, ~values.RULED)
    )
    return rows(results, "head_effects" if kind == LAST_LAYER else "effects", *conditions, unit=PATIENT)


def _outcome(line: dict[str, Any], sign: float) -> Outcome:
    seen = line["outcome_verdict"] in (SHOWN, SUGGESTED)
    what = line["outcome"] or (DIFFERS if seen and line["estimand"] == "networks" else None)
    left = None if line["left"] is None else Estimate(line["left"], line["left_low"], line["left_high"])
    return Outcome(line["metric"], turned(estimate(line), sign), turned(left, sign), what, line["outcome_verdict"])


def _rank(effect: Effect) -> tuple:
    """Those that narrow a gap come first, the surer before the others, then those that leave least."""
    order = {SHOWN: 0, SUGGESTED: 1, None: 2}
    return order[effect.support], effect.harms, not effect.told, 9.0 if effect.widest is None else effect.widest


@sentences("effects")
def told(results: Results, kind: str = WEIGHTING) -> dict[str, Any]:
    """The facts of the sentences: `e` is None where there is no such method."""
    return {"e": effects(results, kind), "kind": _called(results, kind)}


def gather(results: Results, kind: str = WEIGHTING) -> dict[str, Any] | None:
    """The facts of the table `effects` and the figure `changes`."""
    facts = told(results, kind)
    return facts if facts["e"] else None
