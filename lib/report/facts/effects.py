"""What methods of a kind do to the gaps by an attribute and to balanced accuracy, against the untouched baseline."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lib import names
from lib.names import BASELINE, ERRORS, HARMFUL, NARROWED, OVERALL, PATIENT, SHOWN, Attribute, Method
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.gaps import Other, left_of, levelled, others, widest_gap
from lib.report.facts.values import BALANCED, KEYS, UNTREATED, Estimate, estimate, figure, parts, row, rows, turned
from lib.report.registry import sentences
from lib.results import Results

FIGURES = names.OUTCOMES
WEIGHTING, RULE, LAST_LAYER = "weighting", "post-processing", "last layer"
OPTIONS = {WEIGHTING: "weighting", RULE: "threshold rule"}
"""What an Option of the kind is called."""
DIFFERS = "differs"
"""What one network under a method, compared with one without, is told to do."""
WIDE = 0.05
"""Gaps of more than a few points are worth closing."""
Outcome = dict[str, Any]
"""What a method does to balanced accuracy or to a gap; gaps are turned so that the baseline's is not below 0.

`change` has the interval and verdict of the paired difference, `left` what is then there. `what`: narrowed, widened, turned,
opened, improved, worsened, differs; None where nothing is told. `verdict` is how surely, `sure` that it is shown.
"""
Effect = dict[str, Any]
"""A `method`, its `outcomes` in each of `FIGURES`, and which of them are `told`: shown or suggested.

`grouped`: what it is told to do, how surely, and to which figures; `support`, the surest verdict among the gaps that it narrows, and which those are (`narrowed`);
`harms`: it widens, turns round or opens a gap, or lowers balanced accuracy; `widest`, the larger of the gaps that are left.
`needs` is the attribute that it must be told when it decides; `elsewhere`: the `Other` gaps that are told beside these, those that `_elsewhere` gives.
"""
Effects = dict[str, Any]
"""All `methods` of a `kind`, those that narrow a gap first; `contrast` names the gaps: `AP - PA`.

`told` and `silent` are those of which anything is told, or nothing; `elsewhere`: gaps by another attribute before, all of it where it is the `second`; `narrowing`, and the `best` of them; `harmful`. `common` is the attribute that every method that must be told one must be told.
`before` holds the untouched baseline's figures, `floor` the change that chance in training alone stays under in 19 of 20 cases,
`goals` the changes that would close the gaps, where the baseline is told to have a wide one, `detectable` the change of a gap that
would have been seen in four of five such cohorts (median over methods).
"""


def effects(results: Results, kind: str, attribute: Attribute | None = None) -> Effects | None:
    """The methods of a kind ("weighting", "post-processing", or "last layer": weightings of the last layer alone).

    By the page's attribute, or by another `attribute`, of which the two groups are told that lie furthest apart."""
    attribute = attribute or decide(results).attribute
    return results.once(("effects", kind, attribute), lambda: _effects(results, kind, attribute))


def _effects(results: Results, kind: str, attribute: Attribute) -> Effects | None:
    d = decide(results)
    main = attribute == d.attribute
    widest = None if main else widest_gap(results, attribute)
    contrast = d.contrast if main else widest and widest["contrast"]
    # rules that act on other attributes are left out
    of_rules = (values.acts_on(attribute), values.RULED, ~values.WEIGHTED)
    conditions = of_rules if kind == RULE else (values.WEIGHTED, ~values.RULED)
    frame = rows(results, "head_effects" if kind == LAST_LAYER else "effects", *conditions, unit=PATIENT)
    if contrast is None or frame.is_empty():
        return None
    places = {metric: {"attribute": attribute.name, "contrast": contrast} for metric in ERRORS}
    places[BALANCED] = {"attribute": OVERALL, "contrast": "all"}
    frame = frame.filter(pl.col("contrast").is_in([contrast, "all"]), pl.col("metric").is_in(FIGURES))
    gaps = frame.filter(**places["tpr"])
    # last layers are compared with one that was re-trained, too
    again = dict(gaps.select("metric", "before").drop_nulls().rows()) if kind == LAST_LAYER else {}
    place, overall = UNTREATED | {"unit": PATIENT}, {"attribute": OVERALL, "group": "all", "metric": BALANCED}
    before = {m: figure(results, "gaps", **place, **places[m], metric=m) for m in ERRORS}
    before |= {metric: Estimate(value) for metric, value in again.items()}
    signs = {metric: gap.value if gap else 1 for metric, gap in before.items()} | {BALANCED: 1}
    before = {metric: turned(gap, signs[metric]) for metric, gap in before.items()}
    level = figure(results, "head_metrics" if again else "metrics", **place, **overall)
    methods, second = [], _second(d)
    for method, lines in parts(frame, *KEYS).items():
        by = {(line["attribute"], line["contrast"], line["metric"]): line for line in lines}
        lines_of = {metric: by.get((*places[metric].values(), metric)) for metric in FIGURES}
        outcomes = {metric: _outcome(line, signs[metric]) for metric, line in lines_of.items() if line}
        own = {"recommended": d.choice is not None and d.choice.method == method}
        own |= {
            "needs": results.attributes.get(names.must_know(*method[1:])),
            "elsewhere": _elsewhere(results, d, method, second) if main else [],
        }
        methods.append(own | _effect(method, outcomes))
    methods = sorted(methods, key=_rank)
    told, silent = ([effect for effect in methods if bool(effect["told"]) is side] for side in (True, False))
    narrowing = [effect for effect in methods if effect["support"]]
    needs = {effect["needs"] for effect in methods if effect["needs"]}
    trained = {WEIGHTING: "full", LAST_LAYER: "head"}.get(kind)
    floors = {m: row(results, "noise_floor", trained=trained, metric=m, **places[m]) for m in FIGURES}
    told_gaps = {metric: gap for metric, gap in before.items() if gap and (gap.seen or gap.verdict is None)}
    return {
        "kind": _called(results, kind),
        "attribute": attribute,
        "contrast": contrast,
        "methods": methods,
        "told": told,
        "silent": silent,
        "elsewhere": _elsewhere(results, d, BASELINE, second) if main and kind != LAST_LAYER else [],
        "second": second,
        "narrowing": narrowing,
        "best": narrowing[0] if narrowing else None,
        "harmful": [effect for effect in methods if effect["harms"]],
        "common": needs.pop() if len(needs) == 1 else None,
        "before": {BALANCED: level} | before,
        "floor": {metric: floor["floor"] if floor else None for metric, floor in floors.items()},
        "goals": {metric: -gap.value for metric, gap in told_gaps.items() if gap.value > WIDE},
        "detectable": gaps["detectable"].median(),
        "single": kind == WEIGHTING and bool((frame["estimand"] == "networks").any()),
    }


def _called(results: Results, kind: str) -> str:
    """What was trained elsewhere may differ in more than its weights."""
    return "method" if kind == WEIGHTING and results.manifest.get("of_predictions") else kind


def _outcome(line: dict[str, Any], sign: float) -> Outcome:
    verdict = line["outcome_verdict"]
    differs = verdict in values.SEEN and line["estimand"] == "networks"
    return {
        "change": turned(estimate(line), sign),
        "left": turned(left_of(line), sign),
        "what": line["outcome"] or (DIFFERS if differs else None),
        "verdict": verdict,
        "sure": verdict == SHOWN,
    }


def _effect(method: Method, outcomes: Mapping[str, Outcome]) -> Effect:
    told = {metric: outcome for metric, outcome in outcomes.items() if outcome["what"]}
    grouped: dict[tuple[str, str], list[str]] = {}
    for metric, outcome in told.items():
        grouped.setdefault((outcome["what"], outcome["verdict"]), []).append(metric)
    narrows = {metric: own["verdict"] for metric, own in told.items() if own["what"] == NARROWED}
    support = next((verdict for verdict in values.SEEN if verdict in narrows.values()), None)
    gaps = [outcomes[metric]["left"] for metric in ERRORS if metric in outcomes]
    return {
        "method": method,
        "outcomes": outcomes,
        "told": list(told.values()),
        "grouped": [(*key, metrics) for key, metrics in grouped.items()],
        "support": support,
        "narrowed": [metric for metric, verdict in narrows.items() if verdict == support],
        "harms": any(what in HARMFUL for what, _ in grouped),
        "widest": max((abs(gap.value) for gap in gaps if gap), default=None),
    }


def _rank(effect: Effect) -> tuple:
    """Those that narrow a gap come first, the surer before the others, then those that leave least."""
    order, widest = (*values.SEEN, None), effect["widest"]
    return order.index(effect["support"]), effect["harms"], not effect["told"], 9.0 if widest is None else widest


def _second(d: Decision) -> Attribute | None:
    """The first other attribute by which a gap is told."""
    return next((finding.attribute for finding in d.findings if finding.attribute != d.attribute), None)


def _elsewhere(results: Results, d: Decision, method: Method, second: Attribute | None) -> list[Other]:
    """By the second attribute, the widest gap in each kind of error; without such an attribute, the widest of all."""
    ranked = sorted(others(results, d.attribute, method), key=lambda own: own["gap"].size.value)
    widest = {own["gap"].metric: own for own in ranked if own["gap"].attribute == second}
    return [widest[metric] for metric in ERRORS if metric in widest] or ranked[-1:]


@sentences("effects")
def told(results: Results, kind: str = WEIGHTING) -> dict[str, Any]:
    """The facts of the sentences: `e` is None where there is no such method; `levels` (by error) are what `gaps.levelled` tells.

    They are of our choice, else of the best. `best`: the best as an Option, where it is one; `rival`: the Option of this kind.
    """
    e, d = effects(results, kind), decide(results)
    # our choice where it is of this kind, else the one that narrows most
    followed = next((effect for effect in e["methods"] if effect["recommended"]), e["best"]) if e else None
    lead = [f for f in d.findings if d.own and (f.attribute, f.contrast) == (d.own.attribute, d.own.contrast)]
    levels = [levelled(results, followed["method"], finding) for finding in lead] if followed else []
    told = [level for level in levels if level and level["told"]]
    best = next((option for option in d.options if e and e["best"] and option.method == e["best"]["method"]), None)
    rival = next((option for option in d.rivals if option.kind == OPTIONS.get(kind)), None)
    return {"e": e, "kind": _called(results, kind), "levels": told, "best": best, "rival": rival}


def gather(results: Results, kind: str = WEIGHTING, by: str = "") -> dict[str, Any] | None:
    """The facts of the table `effects`, of which `shown` are told (with `by="others"`, the other attributes), and of the figure `changes`."""
    facts, of_page = told(results, kind), decide(results).attribute
    others = [effects(results, kind, own) for own in results.attributes.values() if by and own != of_page]
    shown = [e for e in (others if by else [facts["e"]]) if e]
    return facts | {"shown": shown, "others": bool(by)} if facts["e"] and shown else None


def fails_most(methods: Sequence[Effect]) -> Effect | None:
    """The one that harms, for preference, and leaves the widest gap."""
    return max(methods, key=lambda e: (e["harms"], not e["support"], e["widest"] or 0.0), default=None)
