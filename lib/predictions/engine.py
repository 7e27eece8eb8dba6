"""The one place where an audit of predictions calls the audit and the post-processings."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lib.audit import Context, Population, answer
from lib.names import BASELINE, NO_TARGET, Attribute
from lib.postprocessing import REGISTRY, post_process
from lib.postprocessing.methods import Mixture, Sample, Thresholds
from lib.tables import RECORDED

Array = np.ndarray
REFITS = 200
"""Resamples of patients in which a rule that would be deployed is fitted again."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be audited: `rows` with `patient`, `label` and a column per attribute; `scores` and `decisions` (S, n) by
    method; `hard`, the methods that have decisions only; post-processings and the attributes that they are fitted for."""

    rows: pl.DataFrame
    attributes: Mapping[str, Attribute]
    scores: Mapping[str, Array]
    decisions: Mapping[str, Array]
    hard: frozenset[str]
    postprocess: tuple[str, ...]
    target: tuple[str, ...]
    folds: int
    margin: float
    smallest_cell: int
    preferences: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Equal for equal images, truths, scores and decisions."""
        digest = hashlib.blake2b(self.rows.select("image", "label", "patient").write_csv().encode(), digest_size=16)
        for name, scores in self.scores.items():
            digest.update(name.encode() + scores.tobytes() + self.decisions[name].tobytes())
        return digest.hexdigest()


def answered(question: Question) -> tuple[dict[str, pl.DataFrame], list[dict[str, Any]]]:
    """The tables, and the rules that would be deployed: fitted on everyone, each with what it asks for."""
    people = Population.from_frame(question.rows, attributes=list(question.attributes.values()))
    decisions = {(name, *BASELINE[1:]): own for name, own in question.decisions.items()}
    given: dict[str, Any] = {}
    rules: list[dict[str, Any]] = []
    tables: dict[str, pl.DataFrame] = {}
    if question.postprocess:
        processed = post_process(
            people,
            question.scores,
            [BASELINE[1], *(name for name in question.postprocess if name != BASELINE[1])],
            list(question.target),
            folds=question.folds,
            smallest_cell=question.smallest_cell,
            refits=REFITS,
        )
        decisions = dict(processed.decisions) | decisions
        given = {name: getattr(processed, name) for name in ("as_group", "deployed", "folds")}
        given["naive"] = dict(processed.naive) | {key: decisions[key] for key in decisions if key[1:] == BASELINE[1:]}
        tables["thresholds"] = processed.thresholds.select(*RECORDED["thresholds"])
        rules = _rules(people, question)
    context = Context(
        people,
        question.rows,
        question.scores,
        decisions,
        margin=question.margin,
        smallest_cell=question.smallest_cell,
        ranks=frozenset(question.scores) - question.hard,
        cohort=question.rows.with_columns(split=pl.lit("valid")),
        preferences=question.preferences,
        **given,
    )
    return tables | answer(context), rules


def _rules(people: Population, question: Question) -> list[dict[str, Any]]:
    """Each rule fitted on all patients, as a hospital would use it: thresholds, or thresholds with their chances, by group."""
    rules = []
    for weighting, networks in question.scores.items():
        for name in question.postprocess:
            method = REGISTRY[name]
            for target in question.target if method.fits_group else (NO_TARGET,):
                groups = people.groups[target] if target != NO_TARGET else np.full(people.n_images, -1)
                shown = question.attributes[target].groups if method.needs_group else ()
                for k, scores in enumerate(networks, start=1):
                    sample = Sample(scores, people.labels, people.patients, groups, "patient")
                    told = _told(method.fit(sample, question.smallest_cell), shown)
                    own = {"weighting": weighting, "network": k, "postprocessing": name, "target": target}
                    rules.append(own | told)
    return rules


def _told(rule: Any, groups: tuple[str, ...]) -> dict[str, Any]:
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
