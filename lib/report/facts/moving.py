"""What a reader may move: the cut-off of each group, and which combination is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    ERRORS,
    NO_TARGET,
    OVERALL,
    PATIENT,
    Attribute,
    Method,
)
from lib.report.facts.decision import decide
from lib.report.facts.options import KEYS
from lib.report.facts.pictures import scores
from lib.report.facts.rules import BALANCED, Rule, thresholds
from lib.report.facts.values import row, rows
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
    for own in groups:
        found = row(results, "composition", split="valid", attribute=d.attribute.name, group=own.group, unit=PATIENT)
        if found is None or found["estimate"] is None:
            return None
        people[own.group] = (found["patients"] * found["estimate"], found["patients"] * (1 - found["estimate"]))
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
    """A method's outcome with its interval, its change, and what that is called with which verdict."""

    value: float | None
    low: float | None
    high: float | None
    change: float | None
    change_low: float | None
    change_high: float | None
    outcome: str | None
    verdict: str | None


def combinations(results: Results) -> dict[str, Any] | None:
    """By attribute: its `rules`, its `outcomes`, and the `cells` of every weighting and rule by outcome; the `weightings` are the same for all."""
    levels = rows(results, "metrics", unit=PATIENT, attribute=OVERALL, metric=BALANCED)
    if levels.is_empty() or levels.select(KEYS).n_unique() < 2:
        return None
    tables = {}
    for attribute in results.attributes.values():
        aimed = levels.filter(pl.col("target").is_in([NO_TARGET, attribute.name]))
        rules = [Rule(*own) for own in aimed.select(KEYS[1:]).unique(maintain_order=True).iter_rows()]
        outcomes = [Outcome(m, attribute, contrast) for contrast in attribute.contrasts for m in ERRORS]
        outcomes.append(Outcome(BALANCED, None, "all"))
        tables[attribute.name] = {
            "rules": [Rule(rule.name, results.attributes.get(rule.target)) for rule in rules],
            "cells": {outcome: _cells(results, outcome) for outcome in outcomes},
        }
    return {
        "d": decide(results),
        "weightings": levels["weighting"].unique(maintain_order=True).to_list(),
        "tables": tables,
    }


def _cells(results: Results, outcome: Outcome) -> dict[Method, Cell]:
    place = {"attribute": outcome.attribute.name if outcome.attribute else OVERALL, "metric": outcome.metric}
    if outcome.attribute:
        levels = rows(results, "gaps", unit=PATIENT, contrast=outcome.contrast, **place)
    else:
        levels = rows(results, "metrics", unit=PATIENT, group="all", **place)
    changes = rows(results, "effects", unit=PATIENT, contrast=outcome.contrast, **place)
    moved = _by_method(changes, ("estimate", "low", "high", "outcome", "outcome_verdict"))
    none = (None,) * 5
    return {m: Cell(*own, *moved.get(m, none)) for m, own in _by_method(levels, ("estimate", "low", "high")).items()}


def _by_method(frame: pl.DataFrame, columns: Iterable[str]) -> dict[Method, tuple[Any, ...]]:
    return {own[:3]: own[3:] for own in frame.select(*KEYS, *columns).iter_rows()} if frame.height else {}
