"""Cross-fitting: every decision comes from a rule fitted on other patients than the one it judges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedGroupKFold

from lib.audit.population import Population
from lib.names import ATTRIBUTES, NO_TARGET
from lib.postprocessing.methods import REGISTRY, Codes, PostProcessing, Sample, Thresholds
from lib.postprocessing.thresholds import Array

Method = tuple[str, str, str]
SCHEMA = {name: pl.String for name in ("weighting", "postprocessing", "target", "group")} | {
    name: pl.Float64 for name in ("threshold", "low", "high", "fitted")
}


@dataclass(frozen=True, eq=False)
class PostProcessed:
    """Decisions by (weighting, post-processing, target attribute or `none`), each (S, n) in 0 to 1.

    `decisions` are cross-fitted and are the ones to audit; `naive` were fitted on the very images they judge, and serve
    to show how much that flatters. `thresholds` describes the fitted rules; `folds` (S, n) is the fold of each image.
    """

    decisions: dict[Method, Array]
    naive: dict[Method, Array]
    thresholds: pl.DataFrame
    folds: Codes


def post_process(
    population: Population,
    scores: Mapping[str, Array],
    names: Sequence[str],
    attributes: Sequence[str],
    *,
    folds: int = 5,
    smallest_cell: int = 20,
    seed: int = 0,
) -> PostProcessed:
    """Decisions of every post-processing in `names`, on every weighting, for every target in `attributes`.

    `scores[weighting]` (S, n): chance of sick, one row per network, images in the order of the population. Rules that
    need no group have the target `none`. Patients are divided into `folds` anew for each network, so that the choice of
    folds is part of the spread between networks; all weightings share the folds of their s-th network.

    Groups unknown, unseen or with fewer than `smallest_cell` patients of a label among the fitting ones use the pooled
    threshold. In the table `thresholds`: mean, smallest (`low`) and largest (`high`) over folds and networks, and
    `fitted`, the share of them in which the group had a threshold of its own. The intervals of the audit hold these
    thresholds as fitted. Raises ValueError, in one sentence, for names, shapes or values that cannot be used.
    """
    if not scores:
        raise ValueError("there are no scores to post-process; at least one weighting is needed.")
    methods = _methods(population, names, attributes)
    scores = {weighting: _checked(population, weighting, rows) for weighting, rows in scores.items()}
    parts = [patient_folds(population, folds, seed, s) for s in range(max(map(len, scores.values())))]
    decisions, naive, rows = {}, {}, []
    for weighting, values in scores.items():
        for method, target in methods:
            key = (weighting, method.name, target)
            fitted = [
                _crossfit(population, own, method, target, parts[s], smallest_cell) for s, own in enumerate(values)
            ]
            decisions[key] = np.stack([decided for decided, _, _ in fitted])
            naive[key] = np.stack([decided for _, decided, _ in fitted])
            rules = [rule for _, _, held_out in fitted for rule in held_out]
            rows += [(*key, *row) for row in _threshold_rows(rules, target)]
    return PostProcessed(decisions, naive, pl.DataFrame(rows, schema=SCHEMA, orient="row"), np.stack(parts))


def patient_folds(population: Population, folds: int, seed: int, network: int) -> Codes:
    """Fold of each image, (n,): a patient's images share one, and each has about the same share of sick images.

    With fewer sick or healthy patients than folds, there are fewer folds, at least 2. Raises ValueError when that fails.
    """
    patients = [len(np.unique(population.patients[population.labels == label])) for label in (0, 1)]
    state = int(np.random.SeedSequence([seed, network]).generate_state(1)[0])
    for count in range(min(folds, *patients), 1, -1):
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=state)
        part = np.empty(population.n_images, dtype=np.int64)
        for k, (_, held_out) in enumerate(splitter.split(part, population.labels, population.patients)):
            part[held_out] = k
        if all(len(np.unique(population.labels[part != k])) == 2 for k in range(count)):
            return part
    raise ValueError(
        f"{patients[1]} sick and {patients[0]} healthy patients cannot be divided into folds; "
        "at least 2 of each, and 2 folds, are needed."
    )


def _crossfit(
    population: Population, scores: Array, method: PostProcessing, target: str, part: Codes, smallest_cell: int
) -> tuple[Array, Array, list[Thresholds]]:
    groups = population.groups[target] if method.needs_group else np.full(population.n_images, -1)
    everyone = np.ones(population.n_images, dtype=bool)

    def fit(chosen: np.ndarray) -> Thresholds:
        columns = (scores, population.labels, population.patients, groups)
        return method.fit(Sample(*(column[chosen] for column in columns)), smallest_cell)

    decided = np.empty(population.n_images)
    rules = []
    for k in range(part.max() + 1):
        held_out = part == k
        rules.append(fit(~held_out))
        decided[held_out] = rules[-1].decide(scores[held_out], groups[held_out])
    return decided, fit(everyone).decide(scores, groups), rules


def _threshold_rows(rules: list[Thresholds], target: str) -> list[tuple[str, float, float, float, float]]:
    if target == NO_TARGET:
        values = np.array([rule.pooled for rule in rules])
        return [("all", float(values.mean()), float(values.min()), float(values.max()), 1.0)]
    rows = []
    for code, group in enumerate(ATTRIBUTES[target].groups):
        values = np.array([rule.of(code) for rule in rules])
        fitted = float(np.mean([code in rule.by_group for rule in rules]))
        rows.append((group, float(values.mean()), float(values.min()), float(values.max()), fitted))
    return rows


def _methods(
    population: Population, names: Sequence[str], attributes: Sequence[str]
) -> list[tuple[PostProcessing, str]]:
    if unknown := [name for name in names if name not in REGISTRY]:
        raise ValueError(f"{unknown[0]!r} is not a post-processing; allowed are {', '.join(REGISTRY)}.")
    if unknown := [name for name in attributes if name not in population.groups]:
        raise ValueError(f"{unknown[0]!r} is not an attribute here; allowed are {', '.join(population.groups)}.")
    chosen = [REGISTRY[name] for name in names]
    return [(m, target) for m in chosen for target in (attributes if m.needs_group else [NO_TARGET])]


def _checked(population: Population, weighting: str, rows: Array) -> Array:
    rows = np.asarray(rows, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] == 0 or rows.shape[1] != population.n_images:
        raise ValueError(
            f"scores of {weighting!r} have shape {rows.shape}; (networks, {population.n_images} images) is needed."
        )
    if not np.isfinite(rows).all():
        raise ValueError(f"scores of {weighting!r} hold {int((~np.isfinite(rows)).sum())} values that are not numbers.")
    return rows
