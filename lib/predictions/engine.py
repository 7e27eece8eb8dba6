"""The one place where an audit of predictions calls the audit and the post-processings."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from lib.audit import Context, Population, answer
from lib.names import BASELINE, NO_TARGET
from lib.postprocessing import REGISTRY, post_process
from lib.postprocessing.methods import Mixture, Sample, Thresholds
from lib.predictions.errors import PredictionError
from lib.predictions.question import Question
from lib.tables import RECORDED

REFITS = 200
"""Resamples of patients in which a rule that would be deployed is fitted again."""


def answered(question: Question) -> tuple[dict[str, pl.DataFrame], list[dict[str, Any]]]:
    """The tables, and the rules that would be deployed: fitted on everyone, each with what it asks for.

    Raises `PredictionError` for what the audit or a post-processing refuses.
    """
    request = question.request
    people = Population.from_frame(question.rows, attributes=list(question.attributes.values()))
    decisions = {(name, *BASELINE[1:]): values for name, values in question.decisions.items()}
    processed: dict[str, Any] = {}
    tables: dict[str, pl.DataFrame] = {}
    try:
        if request.postprocess:
            after = post_process(
                people,
                question.scores,
                [BASELINE[1], *(name for name in request.postprocess if name != BASELINE[1])],
                list(question.target),
                folds=request.folds,
                smallest_cell=request.smallest_cell,
                refits=REFITS,
            )
            processed = {name: getattr(after, name) for name in ("as_group", "deployed", "folds")}
            processed["naive"] = dict(after.naive) | decisions
            decisions = dict(after.decisions) | decisions
            tables["thresholds"] = after.thresholds.select(*RECORDED["thresholds"])
        context = Context(
            people,
            question.rows,
            question.scores,
            decisions,
            margin=request.margin,
            smallest_cell=request.smallest_cell,
            ranks=frozenset(question.scores) - question.hard,
            cohort=question.rows.with_columns(split=pl.lit("valid")),
            preferences=question.preferences,
            **processed,
        )
        return tables | answer(context), _rules(people, question)
    except ValueError as error:
        raise PredictionError(str(error)) from None


def _rules(people: Population, question: Question) -> list[dict[str, Any]]:
    """Each rule fitted on all patients, as a hospital would use it: thresholds, or thresholds with their chances, by group."""
    rules = []
    for weighting, networks in question.scores.items():
        for name in question.request.postprocess:
            method = REGISTRY[name]
            for target in question.target if method.fits_group else (NO_TARGET,):
                groups = people.groups[target] if target != NO_TARGET else np.full(people.n_images, -1)
                shown = question.attributes[target].groups if method.needs_group else ()
                for k, scores in enumerate(networks, start=1):
                    sample = Sample(scores, people.labels, people.patients, groups, "patient")
                    of_rule = {"weighting": weighting, "network": k, "postprocessing": name, "target": target}
                    rules.append(of_rule | _in_words(method.fit(sample, question.request.smallest_cell), shown))
    return rules


def _in_words(rule: Any, groups: tuple[str, ...]) -> dict[str, Any]:
    """A rule in words of JSON: sick from `threshold` on, null where nobody is called sick; by group where it asks for it."""
    if isinstance(rule, Thresholds):
        by_group: dict[str, Any] = {groups[code]: _cut(cut) for code, cut in rule.by_group.items()}
    elif isinstance(rule, Mixture):
        by_group = {groups[code]: _mix(mix) for code, mix in rule.by_group.items()}
    else:
        return {"rule": type(rule).__name__}
    return {"threshold": _cut(rule.pooled), "by_group": by_group}


def _mix(mix: Iterable[tuple[float, float]]) -> list[dict[str, float | None]]:
    """Thresholds with the chance of each; what is left to 1 calls nobody sick."""
    parts = [{"threshold": _cut(cut), "chance": float(chance)} for cut, chance in mix]
    left = 1 - sum(part["chance"] for part in parts)
    return parts + [{"threshold": None, "chance": left}] * (left > 1e-9)


def _cut(threshold: float) -> float | None:
    return None if threshold == np.inf else max(float(threshold), 0.0)
