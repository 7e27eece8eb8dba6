"""Cross-fitting: every decision comes from a rule fitted on other patients than the one it judges."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np
import polars as pl
from joblib import Parallel, cpu_count, delayed
from sklearn.model_selection import StratifiedGroupKFold

from lib.audit.columns import INTERVAL, METHOD, F, S
from lib.audit.inference import Population
from lib.audit.metrics import check_rows
from lib.names import BASELINE_WEIGHTING, NO_TARGET, Method
from lib.postprocessing.calibrated_odds import Replaced
from lib.postprocessing.deployed import Deployed, deploy
from lib.postprocessing.methods import REGISTRY, Codes, PostProcessing, Rule, Sample, Thresholds
from lib.postprocessing.rules import decided
from lib.postprocessing.sample import Weights
from lib.postprocessing.thresholds import Array

MANY = 20
"""Networks from which on other processes help: they take two seconds to start."""
THRESHOLDS: dict[str, Any] = METHOD | {"group": S, "threshold": F} | INTERVAL | {"fitted": F}
REPLACED: dict[str, Any] = METHOD | {"group": S, "share": F} | INTERVAL
REPLACED |= dict.fromkeys(("level", "own_cost", "dearest_cost", "trivial_cost", "called_sick"), F)
"""Of calibrated odds, means over folds and networks: the share of scores replaced (and the smallest and largest), what by, the costs of
the group, of the dearest, and of replacing all; in which share of the folds the replaced are all called sick (else healthy)."""


@dataclass(frozen=True, eq=False)
class PostProcessed:
    """Decisions by (weighting, post-processing, target attribute or `none`), each (S, n) in 0 to 1.

    `decisions` are cross-fitted and are the ones to audit; `naive` were fitted on the very images they judge, and serve
    to show how much that flatters. `thresholds` describes the rules that are thresholds; `folds` (S, n) is the fold of
    each image. `as_group` (G, S, n): the cross-fitted decisions on the baseline's weighting, were every image said to be
    of each group, for the post-processings that need one. `deployed`: rules fitted once, on everyone, for the
    baseline's first network, and refitted in resamples. `replaced`: what calibrated odds do to each group.
    """

    decisions: dict[Method, Array]
    naive: dict[Method, Array]
    thresholds: pl.DataFrame
    folds: Codes
    as_group: dict[Method, Array]
    deployed: dict[Method, Deployed] = field(default_factory=dict)
    replaced: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REPLACED))


def post_process(
    population: Population,
    scores: Mapping[str, Array],
    names: Sequence[str],
    attributes: Sequence[str],
    *,
    weights: Weights = "patient",
    folds: int = 5,
    smallest_cell: int = 20,
    seed: int = 0,
    refits: int = 0,
) -> PostProcessed:
    """Decisions of every post-processing in `names`, on every weighting, for every target in `attributes`.

    `scores[weighting]` (S, n): chance of sick, one row per network, images in the order of the population. Rules that
    look at no group have the target `none`. Patients are divided into `folds` anew for each network, so that the choice of
    folds is part of the spread between networks; all weightings share the folds of their s-th network.

    `refits`: in how many resamples of patients the rules of the baseline's weighting are refitted for `deployed`, 0 for none;
    see `deploy`.

    `weights`: what counts once within (group and) label when a rule is fitted, "patient" (as fairness is judged) or
    "image"; see `Sample`.

    Groups unknown, unseen or with fewer than `smallest_cell` patients of a label among the fitting ones use the pooled
    threshold. In the table `thresholds`: mean, smallest (`low`) and largest (`high`) over folds and networks, and
    `fitted`, the share of them in which the group had a threshold of its own. The intervals of the audit hold these
    thresholds as fitted. Raises ValueError, in one sentence, for names, shapes or values that cannot be used.
    """
    if not scores:
        raise ValueError("there are no scores to post-process; at least one weighting is needed.")
    methods = _methods(population, names, attributes)
    scores = {weighting: check_rows(population, rows, f"scores of {weighting!r}") for weighting, rows in scores.items()}
    parts = [patient_folds(population, folds, seed, s) for s in range(max(map(len, scores.values())))]
    todo = [(row, parts[s]) for values in scores.values() for s, row in enumerate(values)]
    pool = Parallel(n_jobs=cpu_count() if len(todo) >= MANY else 1, return_as="generator")
    every = pool(delayed(_crossfit)(population, row, methods, part, weights, smallest_cell) for row, part in todo)
    decisions, naive, as_group, cuts, replaced = {}, {}, {}, [], []
    for weighting, values in scores.items():
        fitted = [*islice(every, len(values))]
        for method, target in methods:
            key = (weighting, method.name, target)
            held_out, in_place, rules = zip(*(one[method.name, target] for one in fitted), strict=True)
            decisions[key], naive[key] = np.stack(held_out), np.stack(in_place)
            groups = population.attributes[target].groups if method.needs_group else ()
            for rule in chain(*rules):
                if isinstance(rule, Thresholds):
                    cuts += [(*key, *row) for row in _cuts(rule, groups)]
                if isinstance(rule, Replaced):
                    replaced += [(*key, groups[code], *one.told) for code, one in rule.replaced.items()]
            if method.needs_group and weighting == BASELINE_WEIGHTING:
                said = [np.full(population.n_images, code) for code in range(len(groups))]
                networks = list(zip(rules, values, parts, strict=False))
                as_group[key] = np.stack(
                    [[decided(own, row, codes, part) for own, row, part in networks] for codes in said]
                )
    deployed = {}
    if refits and BASELINE_WEIGHTING in scores:
        how = {"weights": weights, "smallest_cell": smallest_cell, "refits": refits, "seed": seed}
        rules = deploy(population, scores[BASELINE_WEIGHTING][0], names, attributes, **how)
        deployed = {(BASELINE_WEIGHTING, *key): rule for key, rule in rules.items()}
    thresholds, told = _means(cuts, THRESHOLDS), _means(replaced, REPLACED)
    return PostProcessed(decisions, naive, thresholds, np.stack(parts), as_group, deployed, told)


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
    population: Population,
    scores: Array,
    methods: list[tuple[PostProcessing, str]],
    part: Codes,
    weights: Weights,
    smallest_cell: int,
) -> dict[tuple[str, str], tuple[Array, Array, list[Rule]]]:
    """One network's decisions (n,) by (post-processing, target), held out and in place, and the rule of each fold."""
    fitted = {}
    for target in dict.fromkeys(target for _, target in methods):
        groups = population.groups.get(target, np.full(population.n_images, -1))
        columns = (scores, population.labels, population.patients, groups)
        # what a sample computes is shared by all methods that are fitted on it
        samples = [Sample(*(c[part != k] for c in columns), weights) for k in range(part.max() + 1)]
        everyone = Sample(*columns, weights)
        for method in (m for m, looks_at in methods if looks_at == target):
            rules = [method.fit(sample, smallest_cell) for sample in samples]
            in_place = method.fit(everyone, smallest_cell).decide(scores, groups)
            fitted[method.name, target] = decided(rules, scores, groups, part), in_place, rules
    return fitted


def _cuts(rule: Thresholds, groups: Sequence[str]) -> Iterator[tuple[str, float, bool]]:
    """Group, threshold and whether it is the group's own; 0 calls everyone sick, 1 no one."""
    if not groups:
        yield "all", float(np.clip(rule.pooled, 0, 1)), True
    for code, group in enumerate(groups):
        yield group, float(np.clip(rule.of(code), 0, 1)), code in rule.by_group


def _means(rows: list[tuple], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Means by method and group of rows of rules, the smallest and the largest of the first number as `low` and `high`."""
    keys, (first, *others) = list(schema)[:4], [name for name in list(schema)[4:] if name not in ("low", "high")]
    long = pl.DataFrame(rows, schema={key: schema[key] for key in (*keys, first, *others)}, orient="row")
    ends = {"low": pl.col(first).min(), "high": pl.col(first).max()}
    found = long.group_by(keys, maintain_order=True).agg(pl.col(first, *others).mean(), **ends)
    return found.select(*schema)


def _methods(
    population: Population, names: Sequence[str], attributes: Sequence[str]
) -> list[tuple[PostProcessing, str]]:
    if unknown := [name for name in names if name not in REGISTRY]:
        raise ValueError(f"{unknown[0]!r} is not a post-processing; allowed are {', '.join(REGISTRY)}.")
    if unknown := [name for name in attributes if name not in population.groups]:
        raise ValueError(f"{unknown[0]!r} is not an attribute here; allowed are {', '.join(population.groups)}.")
    chosen = [REGISTRY[name] for name in names]
    return [(m, target) for m in chosen for target in (attributes if m.fits_group else [NO_TARGET])]
