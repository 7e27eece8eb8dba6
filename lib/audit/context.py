"""What a question may look at: people, scores, decisions, inference with its settings, and tables answered before."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from lib.audit import metrics
from lib.audit.inference import Figures, Inference, Population, describe, infer, pool
from lib.names import BASELINE, BASELINE_WEIGHTING, PATIENT, Method

Array = np.ndarray
Rule = tuple[str, str]
"""A post-processing and its target: a method without its weighting."""


@dataclass(frozen=True, eq=False)
class Context:
    """The inputs of every question. Arrays keep the order of the population's n images; S networks a weighting.

    `people`, a row per image: `patient`, `label`, the attributes, and what else is known (`findings`, `age`, `image`).
    `scores[weighting]` (S, n): chance of sick; `ranks`: the weightings whose scores are scores and not decisions (None: all).
    `decisions[method]` (S, n) in 0 to 1: cross-fitted, the ones to audit; `naive`: fitted where judged; `as_group[method]`
    (G, S, n): were every image said to be of each group; `deployed`: what the deployed rule is judged by; `folds` (S, n). All come from
    `lib.postprocessing`, which this room does not import. `embeddings[weighting]` (S, n, d); `grey[measure]`, of each image of the cohort; `cohort`: both splits, with
    a column `split`; `tables`: those answered before.
    """

    population: Population
    people: pl.DataFrame
    scores: Mapping[str, Array]
    decisions: Mapping[Method, Array]
    margin: float = 0.05
    smallest_cell: int = 20
    seed: int = 0
    ranks: frozenset[str] | None = None
    naive: Mapping[Method, Array] = field(default_factory=dict)
    as_group: Mapping[Method, Array] = field(default_factory=dict)
    deployed: Mapping[Method, Any] = field(default_factory=dict)
    folds: Array | None = None
    embeddings: Mapping[str, Array] = field(default_factory=dict)
    grey: Mapping[str, Array] = field(default_factory=dict)
    cohort: pl.DataFrame | None = None
    preferences: Mapping[str, Any] = field(default_factory=dict)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    _kept: dict[Any, Any] = field(default_factory=dict, init=False)  # a changed copy begins anew

    def predictions(self) -> "Context":
        """The same without what is neither people, scores, decisions nor a setting: what another process needs."""
        kept = ("margin", "smallest_cell", "seed", "ranks")
        settings = {name: getattr(self, name) for name in kept}
        return Context(self.population, self.people, self.scores, self.decisions, **settings)

    def table(self, name: str) -> pl.DataFrame:
        """The answer to another question, which the asking one names in its `reads`."""
        return self.tables[name]

    def infer(self, family: Figures | Sequence[Figures]) -> Inference:
        """Single and simultaneous intervals, p-values and verdicts of one family of figures."""
        return infer(family, margin=self.margin, seed=self.seed)

    def describe(self, figures: Figures, null: float | None = 0.0) -> Inference:
        """Single intervals of figures that are no family; with `null` None, intervals alone."""
        return describe(figures, margin=self.margin, null=null)

    def block(self, rule: Rule, unit: str = PATIENT) -> dict[str, Figures]:
        """The rates of a post-processing under every weighting, with retraining noise pooled over weightings."""
        own = {"unit": metrics.Unit(unit), "smallest_cell": self.smallest_cell}

        def made() -> dict[str, Figures]:
            decided = {w: self.decisions[w, *rule] for w in self.scores}
            return pool({w: metrics.rates(self.population, rows, weighting=w, **own) for w, rows in decided.items()})

        return self.once(("rates", rule[0] == BASELINE[1], unit), rule, made)

    def levels(self, method: Method = BASELINE, unit: str = PATIENT) -> Figures:
        """The rates of a method in every cell: index `attribute`, `group`, `metric`, `unit`, `images`, `patients`, `estimable`."""
        return self.block(method[1:], unit)[method[0]]

    def gaps(self, method: Method = BASELINE, unit: str = PATIENT) -> Figures:
        """Their differences `group - reference`: index `attribute`, `contrast`, `metric` and the rest."""
        return metrics.gaps(self.levels(method, unit), self.population)

    def ranked(self, weighting: str = BASELINE_WEIGHTING, unit: str = PATIENT) -> Figures:
        """The AUC in every cell."""
        own = {"unit": metrics.Unit(unit), "smallest_cell": self.smallest_cell}

        def made() -> dict[str, Figures]:
            scores = {w: rows for w, rows in self.scores.items() if self.has_scores(w)}
            return pool({w: metrics.auc(self.population, rows, weighting=w, **own) for w, rows in scores.items()})

        return self.once(("auc", unit), "auc", made)[weighting]

    def once(self, slot: Any, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once for a key; a slot keeps the last key's."""
        if slot not in self._kept or self._kept[slot][0] != key:
            self._kept[slot] = (key, make())
        return self._kept[slot][1]

    def stream(self, *names: str) -> np.random.Generator:
        """A generator of its own for each name, so that no question alters the draws of another."""
        words = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") for name in names]
        return np.random.default_rng([self.seed, *words])

    def has_scores(self, weighting: str) -> bool:
        """Whether a weighting's scores are scores, and not decisions alone."""
        return self.ranks is None or weighting in self.ranks

    def has(self, need: str) -> bool:
        """Whether an input that a question needs is there."""
        if need in ("findings", "age", "image"):
            return need in self.people.columns and self.people[need].null_count() < self.people.height
        if need == "pairs":
            return bool(self.population.pairs)
        if need == "networks":
            return len(self.scores[BASELINE_WEIGHTING]) > 1
        if need == "methods":
            return len(self.decisions) > 1
        if need == "scores":
            return self.has_scores(BASELINE_WEIGHTING)
        given = getattr(self, need)
        return given is not None and len(given) > 0
