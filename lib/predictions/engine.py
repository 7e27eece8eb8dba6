"""The one place where an audit of predictions calls the audit and the post-processings."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lib import names
from lib.audit import BASELINE, Population, audit, describe
from lib.names import BASELINE_WEIGHTING, NO_TARGET, NOT_ESTIMABLE, Attribute
from lib.postprocessing import REGISTRY, post_process
from lib.postprocessing.methods import Mixture, Sample, Thresholds

Array = np.ndarray


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
    replicates: int
    smallest_cell: int

    @property
    def key(self) -> str:
        """Equal for equal images, truths, scores and decisions."""
        digest = hashlib.blake2b(self.rows.select("image", "label", "patient").write_csv().encode(), digest_size=16)
        for name, scores in self.scores.items():
            digest.update(name.encode() + scores.tobytes() + self.decisions[name].tobytes())
        return digest.hexdigest()


def answered(question: Question) -> tuple[dict[str, pl.DataFrame], list[dict[str, Any]]]:
    """The tables, and the rules that would be deployed: fitted on everyone, each with what it asks for."""
    with _known(question.attributes):
        people = Population.from_frame(question.rows, attributes=list(question.attributes))
        decisions = {(name, *BASELINE[1:]): own for name, own in question.decisions.items()}
        tables: dict[str, pl.DataFrame] = {}
        deployed: list[dict[str, Any]] = []
        if question.postprocess:
            wanted = [BASELINE[1], *(name for name in question.postprocess if name != BASELINE[1])]
            processed = post_process(
                people,
                question.scores,
                wanted,
                list(question.target),
                folds=question.folds,
                smallest_cell=question.smallest_cell,
            )
            decisions = dict(processed.decisions) | decisions
            tables["thresholds"] = processed.thresholds
            deployed = _deployed(people, question)
        tables |= audit(
            people,
            question.scores,
            decisions,
            replicates=question.replicates,
            smallest_cell=question.smallest_cell,
        )
        tables = _without_ranking(tables, question.hard)
        split = question.rows.with_columns(split=pl.lit("valid"))
        age = {} if "age" in split.columns else {"age": pl.lit(None, pl.Int64)}
        return tables | describe(split.with_columns(**age), replicates=question.replicates), deployed


@contextmanager
def _known(attributes: Mapping[str, Attribute]) -> Iterator[None]:
    """The audit knows these attributes meanwhile, and no others."""
    before = dict(names.ATTRIBUTES)
    names.ATTRIBUTES.clear()
    names.ATTRIBUTES.update(attributes)
    try:
        yield
    finally:
        names.ATTRIBUTES.clear()
        names.ATTRIBUTES.update(before)


def _deployed(people: Population, question: Question) -> list[dict[str, Any]]:
    """Each rule fitted on all patients, as a hospital would use it: thresholds, or thresholds with their chances, by group."""
    rules = []
    for weighting, networks in question.scores.items():
        for name in question.postprocess:
            method = REGISTRY[name]
            for target in question.target if method.fits_group else (NO_TARGET,):
                groups = people.groups[target] if target != NO_TARGET else np.full(people.n_images, -1)
                shown = question.attributes[target].groups if method.needs_group else ()
                for k, scores in enumerate(networks, start=1):
                    rule = method.fit(Sample(scores, people.labels, people.patients, groups), question.smallest_cell)
                    rules.append(
                        {"weighting": weighting, "network": k, "postprocessing": name, "target": target}
                        | _told(rule, shown)
                    )
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


def _without_ranking(tables: Mapping[str, pl.DataFrame], hard: frozenset[str]) -> dict[str, pl.DataFrame]:
    """Tables in which the AUC and the calibration of methods without scores are not estimable."""
    if not hard:
        return dict(tables)
    numbers = ("value", "change", "low", "high", "seed_sd", "p", "p_holm")
    done = dict(tables)
    for name in ("metrics", "gaps", "changes", "interval_levels", "parity"):
        frame = done[name]
        which = pl.col("metric") == "auc" if "metric" in frame.columns else pl.col("measure") == "worst_auc"
        if "weighting" in frame.columns:
            everyone = name == "changes" and BASELINE_WEIGHTING in hard
            which &= pl.lit(True) if everyone else pl.col("weighting").is_in(sorted(hard))
        elif BASELINE_WEIGHTING not in hard:
            continue
        out = {column: None for column in numbers if column in frame.columns}
        out |= {"estimable": False} if "estimable" in frame.columns else {}
        out |= {"verdict": NOT_ESTIMABLE} if "verdict" in frame.columns else {}
        done[name] = frame.with_columns(
            pl.when(which).then(pl.lit(value, frame.schema[column])).otherwise(pl.col(column)).alias(column)
            for column, value in out.items()
        )
    for name in ("calibration", "calibration_curve"):
        done[name] = done[name].filter(~pl.col("weighting").is_in(sorted(hard)))
    return done
