"""What a reader may move: the cut-off of each group, and which combination is looked at."""

from dataclasses import dataclass
from typing import Any

from lib.names import BASELINE_POSTPROCESSING, ERRORS, NO_TARGET, OVERALL, PATIENT, Attribute, Method
from lib.report.facts.decision import decide
from lib.report.facts.pictures import scores
from lib.report.facts.rules import Rule, thresholds
from lib.report.facts.values import BALANCED, KEYS, Estimate, alone, parts, row, rows
from lib.results import Results


def sliding(results: Results) -> dict[str, Any] | None:
    """`groups`: scores of the sick and the healthy of each group; `people`: (sick, healthy) patients, as many as they count for; `rules`: mean thresholds.

    `rules` has the one cut-off 0.5 first.
    """
    d = decide(results)
    groups = scores(results, d.attribute)
    if len(groups) < 2:
        return None
    people = {}
    for group in groups:
        place = {"split": "valid", "attribute": d.attribute.name, "group": group.group, "unit": PATIENT}
        members = row(results, "composition", **place)
        if members is None or members["estimate"] is None:
            return None
        patients, sick = members["patients"], members["estimate"]
        people[group.group] = (patients * sick, patients * (1 - sick))
    rules = {Rule(BASELINE_POSTPROCESSING, None): dict.fromkeys(people, 0.5)}
    cut = thresholds(results)
    for rule, cuts in (cut["rules"] if cut else {}).items():
        if all(group in cuts for group in people):
            rules[rule] = {group: cuts[group][0] for group in people}
    return {"d": d, "groups": groups, "people": people, "rules": rules}


@dataclass(frozen=True)
class Outcome:
    """What methods are compared on: balanced accuracy of everyone, or a gap (`contrast`) by an attribute."""

    metric: str
    attribute: Attribute | None
    contrast: str


@dataclass(frozen=True)
class Cell:
    """A method's outcome with its interval (None: not estimable), its change, and what that is called with which verdict."""

    level: Estimate | None = None
    change: Estimate | None = None
    outcome: str | None = None
    verdict: str | None = None


def combinations(results: Results) -> dict[str, Any] | None:
    """By attribute: its `rules`, its `outcomes`, and the `cells` of every weighting and rule by outcome; the `weightings` are the same for all."""
    methods = parts(rows(results, "metrics", unit=PATIENT, attribute=OVERALL, metric=BALANCED), *KEYS)
    if len(methods) < 2:
        return None
    tables = {}
    for attribute in results.attributes.values():
        aimed = dict.fromkeys(method[1:] for method in methods if method[2] in (NO_TARGET, attribute.name))
        outcomes = [Outcome(m, attribute, contrast) for contrast in attribute.contrasts for m in ERRORS]
        outcomes.append(Outcome(BALANCED, None, "all"))
        tables[attribute.name] = {
            "rules": [Rule(name, results.attributes.get(target)) for name, target in aimed],
            "cells": {outcome: _cells(results, outcome) for outcome in outcomes},
        }
    weightings = list(dict.fromkeys(method[0] for method in methods))
    return {"d": decide(results), "weightings": weightings, "tables": tables}


def _cells(results: Results, outcome: Outcome) -> dict[Method, Cell]:
    place = {"attribute": outcome.attribute.name if outcome.attribute else OVERALL, "metric": outcome.metric}
    column = {"contrast": outcome.contrast} if outcome.attribute else {"group": "all"}
    levels = parts(rows(results, "gaps" if outcome.attribute else "metrics", unit=PATIENT, **place, **column), *KEYS)
    changes = parts(rows(results, "effects", unit=PATIENT, contrast=outcome.contrast, **place), *KEYS)
    cells = {}
    for method, (level, *_) in levels.items():
        change = changes[method][0] if method in changes else None
        said = (change["outcome"], change["outcome_verdict"]) if change else (None, None)
        cells[method] = Cell(alone(level), alone(change), *said)
    return cells
