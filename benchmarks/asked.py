"""Every question of the audit on cohorts whose truth is known: how often its intervals cover.

A finite population of patients, scored by a finite number of networks, stands for the world: a cohort is patients and networks
drawn from both, and the truth is the question's own answer on everyone, by all networks. Of a single network
the truth is that of this very one, and so is the agreement of two, and what several read together.
"""

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from scipy.special import expit

from benchmarks.simulation import Batch, People, draw, plasmode, simulated
from lib.audit import Context, answer
from lib.audit.inference import Figures, Population
from lib.audit.questions import QUESTIONS
from lib.names import BASELINE, BASELINE_WEIGHTING

QUICK = (
    *("metrics", "gaps", "intersections", "amplification", "calibration", "gap_by_findings"),
    *(
        "misses_by_finding",
        "label_errors",
        "net_benefit",
        "abstention",
        "seed_decisions",
        "pooled_crossings",
        "simpson",
    ),
)
"""Questions with intervals that a baseline alone answers, about .06 CPU seconds each."""
DEAR = ("equal_rates", "gap_parts", "label_mixture", "operating_points")
"""Those that fit something again for each group of patients or resample, five to ten times as dear."""
DATA = ("composition", "shares", "exposure")
"""Those that ask nothing of a network."""
ASKED = QUICK + DEAR + DATA
NETWORKS = (1, 2, 3, 5)
POOL = 64
"""Networks of the world; those of a cohort are drawn from them without replacement."""
PEOPLE = 2000
"""Patients of the simulated world."""
FINDINGS = ("Effusion", "Mass", "Nodule", "Atelectasis", "Infiltration")
NUMBERS = ("threshold", "share", "label")
"""Columns of numbers that say what a row is about."""
SAID = ("verdict", "estimand", "family")
"""Columns of words that do not."""
OWN = {"seed_decisions": 2, "label_mixture": 5}
"""Questions about the very networks at hand, where there are so many at most: their truth is that of these."""
HELD = {"seed_decisions": "split"}
"""Figures that have no counterpart in the world, whose networks are more."""


@dataclass(frozen=True)
class World:
    """A population with the logits (S, n) of all networks, what its images show, and how bright they are."""

    people: People
    logits: np.ndarray
    findings: np.ndarray
    grey: dict[str, np.ndarray]

    def context(self, networks: np.ndarray, rows: np.ndarray | None = None, population=None, seed: int = 0) -> Context:
        """What the audit is given of some images and networks; everyone without `rows`."""
        rows = np.arange(self.logits.shape[1]) if rows is None else rows
        population = self.people.population if population is None else population
        scores = expit(self.logits[np.ix_(networks, rows)])
        frame = {"patient": population.patients, "label": population.labels, "findings": self.findings[rows]}
        for name, codes in population.groups.items():
            groups = np.array([*population.attributes[name].groups, None], dtype=object)
            frame[name] = groups[codes].tolist()
        people = pl.DataFrame(frame).with_columns(split=pl.lit("valid"))
        decisions = {BASELINE: (scores >= 0.5).astype(float)}
        grey = {measure: levels[rows] for measure, levels in self.grey.items()}
        return Context(population, people, {BASELINE_WEIGHTING: scores}, decisions, seed=seed, grey=grey, cohort=people)


@cache
def world(source: str) -> World:
    """The simulated one, or that of a parquet of real scores."""
    people = simulated(PEOPLE) if source == "simulated" else plasmode(Path(source))
    generator = np.random.default_rng(7)
    count = people.population.n_images
    alone = Batch(people.population, np.arange(count), np.zeros(count, dtype=int), 1, generator)
    logits = people.logit + alone.noise(POOL)
    place = np.digitize(people.logit + generator.normal(size=count), np.quantile(people.logit, [0.2, 0.4, 0.6, 0.8]))
    findings = np.where(people.population.labels == 1, np.array(FINDINGS)[place], "No Finding")
    return World(people, logits, findings, {name: _grey(people.population, generator) for name in ("mean", "contrast")})


def _grey(population: Population, generator: np.random.Generator) -> np.ndarray:
    """Grey levels (n,), darker by .05 in the second group of each attribute; half of the rest is the patient's own."""
    own = generator.normal(0, 0.05, population.n_patients)[population.patients]
    shift = sum(0.05 * (codes == 1) for codes in population.groups.values())
    return 0.5 + own + generator.normal(0, 0.05, population.n_images) - shift


@lru_cache(maxsize=256)
def truth(source: str, networks: tuple[int, ...], questions: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Answers on everyone by some networks."""
    with without_intervals():
        return told(answer(world(source).context(np.array(networks)), questions), questions)


def truths(source: str, networks: np.ndarray, questions: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """What cohorts with these networks are about: of one network that very one, else all of the world."""
    single = len(networks) == 1
    found = truth(source, tuple(networks) if single else tuple(range(POOL)), questions)
    own = tuple(name for name, most in OWN.items() if name in questions and 1 < len(networks) <= most)
    return found | (truth(source, tuple(networks), own) if own else {})


@contextmanager
def without_intervals() -> Iterator[None]:
    """Questions give estimates alone, once: no patient is left out, nothing is fitted again."""

    def once(index: pl.DataFrame, weighting: str, function: Any, *, patients: int, **_: Any) -> Figures:
        values = np.atleast_2d(function(np.ones(patients)))
        return Figures.of(index, weighting, values, np.zeros((len(values), patients, values.shape[1]), np.float32))

    with ExitStack() as held:
        for name in ASKED:
            module = importlib.import_module(QUESTIONS[name].compute.__module__)
            for used, instead in (
                ("jackknife", once),
                ("patient_weights", lambda patients, *_: np.ones((2, patients))),
            ):
                if hasattr(module, used):
                    held.enter_context(patch.object(module, used, instead))
        yield


def told(tables: dict[str, pl.DataFrame], questions: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Rows `unit, measure, kind, estimate, low, high` of questions, with what they are about, in columns of words."""
    found = {}
    for name, table in tables.items():
        if name not in questions or table.is_empty():
            continue
        about = [c for c, kind in table.schema.items() if (kind == pl.String and c not in SAID) or c in NUMBERS]
        measure = next((c for c in ("metric", "measure", "quantity", "reading") if c in about), None)
        parts = [pl.col(c) for c in (measure, "part", "among", "point") if c and c in about]
        contrast = pl.col("contrast").is_not_null() if "contrast" in about else pl.lit(False)
        kind = pl.when(contrast).then(pl.lit("difference")).otherwise(pl.lit("level"))
        found[name] = table.filter(pl.col("low").is_not_null() | pl.col("estimate").is_not_null()).select(
            *about,
            _unit=pl.col("unit") if "unit" in about else pl.lit("patient"),
            _measure=pl.concat_str(parts, separator=", ", ignore_nulls=True) if parts else pl.lit("share"),
            _kind=kind if "contrast" in about else pl.lit("figure"),
            estimate="estimate",
            low="low",
            high="high",
        )
    return found


def one_cohort(
    source: str, patients: int, questions: tuple[str, ...], seed: int
) -> Iterator[tuple[int, str, str, str, str, np.ndarray]]:
    """Networks, unit, question, kind, measure, and truth, low, high (3, R) of the rows, for a cohort and each number of networks."""
    own = world(source)
    generator = np.random.default_rng([seed, patients, 18])
    batch = draw(own.people, patients, 1, generator)
    for networks in NETWORKS[:1] if questions == DATA else NETWORKS:
        chosen = np.zeros(1, dtype=int) if networks == 1 else generator.choice(POOL, networks, replace=False)
        tables = told(answer(own.context(chosen, batch.rows, batch.population, seed), questions), questions)
        for question, table in tables.items():
            right = truths(source, chosen, questions).get(question)
            if right is None:
                continue
            keys = [c for c in table.columns if c not in ("estimate", "low", "high") and not c.startswith("_")]
            right = right.select(*keys, true="estimate")
            both = table.join(right, on=keys, how="inner", nulls_equal=True, validate="1:1")
            both = both.drop_nulls(["low", "high", "true"])
            for (unit, kind, measure), part in both.group_by("_unit", "_kind", "_measure", maintain_order=True):
                if not measure.startswith(HELD.get(question, " ")):
                    numbers = part.select("true", "low", "high").to_numpy().T
                    yield networks, unit, question, kind, measure, numbers
