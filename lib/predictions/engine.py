"""The one place where an audit of predictions calls the audit and the post-processings."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lib.audit import Context, Population, answer
from lib.names import BASELINE, NO_TARGET
from lib.postprocessing import REGISTRY, post_process
from lib.postprocessing.deployed import deploy
from lib.postprocessing.methods import Mixture, Thresholds
from lib.predictions.prepared import prepared
from lib.predictions.question import Audited, Question, Request
from lib.tables import RECORDED
from lib.tabular import TableError as PredictionError

REFITS = 200
"""Resamples of patients in which a rule that would be deployed is fitted again."""


def audit_predictions(
    files: Sequence[str | Path] | str | Path, metadata: str | Path | None = None, **options: Any
) -> Audited:
    """Audit existing predictions; nothing is trained and no image is read.

    `files`: paths of tables or folders, or `NAME=a.csv,b.csv` for several networks of one method; `metadata` defaults to the
    first file, for the course's script repeats its columns. The `options` are those of the command, see `Request`:
    `baseline` is the method to compare with (default: the first); `valid`, a table of names or a cohort folder. Columns in
    other words: `score` (one, or several as methods), `image`, `patient` (`none`: each image has its own), `label`,
    `decision`, `split`; `like`, a published file (`nih`, `chexpert`, `mimic`); `codes`, as in `sex:0=M,1=F`, or a mapping;
    `attributes`, see `lib.tabular.parse_attribute` (default: sex, age group and view, where they are known). `threshold`
    decides in place of .5 and of the file's decisions. `postprocess` names post-processings, fitted on other patients than
    they are judged on (in `folds` parts, 5), by the attributes in `target` (default: all). Differences of rates under the
    `margin` (0.05) count as none; groups with fewer than `smallest_cell` (20) patients of a label are not estimable.

    >>> from lib.predictions import audit_predictions, summary
    >>> audit = audit_predictions("preds.csv", "metadata.csv", attributes=["sex", "race:Race"])  # doctest: +SKIP
    >>> print(summary(audit))  # doctest: +SKIP

    Raises `PredictionError`, one sentence.
    """
    question = prepared(Request(files, metadata, **options))
    people = Population.from_frame(question.rows, attributes=list(question.attributes.values()))
    try:
        return Audited(**vars(question), tables=_tables(people, question), deployed=_rules(people, question))
    except ValueError as error:  # what the audit or a post-processing refuses
        raise PredictionError(str(error)) from None


def _tables(people: Population, question: Question) -> dict[str, pl.DataFrame]:
    request = question.request
    decisions = {(name, *BASELINE[1:]): values for name, values in question.decisions.items()}
    processed: dict[str, Any] = {}
    tables: dict[str, pl.DataFrame] = {}
    if request.postprocess:
        after = post_process(
            people,
            question.scores,
            list(dict.fromkeys([BASELINE[1], *request.postprocess])),
            list(question.target),
            folds=request.folds,
            smallest_cell=request.smallest_cell,
            refits=REFITS,
        )
        processed = {name: getattr(after, name) for name in ("as_group", "deployed", "folds")}
        processed["naive"] = after.naive | decisions
        decisions = after.decisions | decisions
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
    return tables | answer(context)


def _rules(people: Population, question: Question) -> list[dict[str, Any]]:
    """Each rule fitted on all patients, as a hospital would use it: thresholds, or thresholds with their chances, by group."""
    request, rules = question.request, []
    for weighting, networks in question.scores.items():
        for k, scores in enumerate(networks, start=1):
            fitted = deploy(
                people, scores, request.postprocess, question.target, smallest_cell=request.smallest_cell, refits=1
            )
            for (name, target), deployed in fitted.items():
                by_group = target != NO_TARGET and REGISTRY[name].needs_group
                groups = question.attributes[target].groups if by_group else ()
                of_rule = {"weighting": weighting, "network": k, "postprocessing": name, "target": target}
                rules.append(of_rule | _in_words(deployed.rule, groups))
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
