"""Small simulated worlds: patients of several images, scores of several networks, and the context that questions get.

How sick a patient is goes with scores, with the number of images and with the first attribute, as in reality.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.special import expit

from lib.audit.context import Context
from lib.audit.inference import Population
from lib.names import BASELINE, DEFAULTS, Attribute
from lib.postprocessing import post_process

FINDINGS = ("Effusion", "Infiltration", "Nodule", "Mass")


@dataclass(frozen=True)
class World:
    """People, a row per image, and scores (S, n) by weighting."""

    people: pl.DataFrame
    scores: Mapping[str, np.ndarray]


def attribute(name: str, groups: int = 2, of_patient: bool = True) -> Attribute:
    """An attribute that is neither sex, age nor view."""
    names = tuple(f"{name}{k}" for k in range(groups))
    return Attribute(name, name, names, names[-1], of_patient)


def world(
    patients: int = 300,
    networks: int = 2,
    *,
    attributes: Mapping[str, Attribute] = DEFAULTS,
    effect: float = 1.0,
    weightings: tuple[str, ...] = ("uniform",),
    seed: int = 0,
) -> World:
    """A world whose decisions depend on the first attribute by `effect` logits; with 0, on none."""
    draw = np.random.default_rng(seed)
    severity = draw.normal(size=patients)
    images = 1 + draw.poisson(np.exp(0.4 * severity))
    patient = np.repeat(np.arange(patients), images)
    n = len(patient)
    columns = {"image": [f"{k:06d}.png" for k in range(n)], "patient": patient}
    for k, own in enumerate(attributes.values()):
        chance = np.full((patients, len(own.groups)), 1.0)
        chance[:, 0] *= np.exp(0.6 * severity) if k == 0 else 1
        chance /= chance.sum(axis=1, keepdims=True)
        person = (draw.random(patients)[:, None] > chance.cumsum(axis=1)).sum(axis=1)
        code = (
            person[patient]
            if own.of_patient
            else np.where(draw.random(n) < 0.2, draw.permutation(person[patient]), person[patient])
        )
        columns[own.name] = np.array(own.groups)[code]
    sick = draw.random(n) < expit(0.7 * severity[patient] - 0.2)
    found = np.where(sick, draw.choice(FINDINGS, n), "No Finding")
    first = next(iter(attributes.values()))
    tilt = effect * (columns[first.name] == first.groups[0])
    people = pl.DataFrame(
        columns | {"label": sick.astype(int), "findings": found, "age": draw.uniform(18, 90, patients)[patient]}
    )
    logits = 1.6 * (sick - 0.5) + 0.5 * severity[patient] + draw.normal(0, 0.5, n)
    scores = {}
    for weighting in weightings:
        own = tilt * (1.0 if weighting == "uniform" else 0.3) - effect / 2
        scores[weighting] = expit(
            logits + own + draw.normal(0, 0.15, (networks, 1)) + draw.normal(0, 0.4, (networks, n))
        )
    return World(people, scores)


def context(
    patients: int = 300,
    networks: int = 2,
    *,
    attributes: Mapping[str, Attribute] = DEFAULTS,
    effect: float = 1.0,
    weightings: tuple[str, ...] = ("uniform",),
    findings: bool = True,
    without: tuple[str, str] | None = None,
    healthy: tuple[str, str] | None = None,
    scored: Callable[[np.ndarray], np.ndarray] | None = None,
    seed: int = 0,
    **given: object,
) -> Context:
    """The context of a world at the fixed threshold; `given` overrides or adds fields.

    `without` (attribute, group) leaves a group out, `healthy` makes nobody of it sick, `scored(labels)` gives the scores.
    """
    drawn = world(patients, networks, attributes=attributes, effect=effect, weightings=weightings, seed=seed)
    people, scores = drawn.people, drawn.scores
    for change in (without, healthy):
        if change is not None:
            kept = (people[change[0]] != change[1]) | (False if change is without else people["label"] == 0)
            people = people.filter(kept)
            scores = {w: own[:, kept.to_numpy()] for w, own in scores.items()}
    if scored is not None:
        scores = {w: scored(people["label"].to_numpy()) for w in scores}
    population = Population.from_frame(people, attributes=list(attributes.values()))
    people = people if findings else people.drop("findings", "age", "image")
    decisions = {(w, *BASELINE[1:]): (own >= 0.5).astype(float) for w, own in scores.items()}
    return Context(population, people, scores, decisions, **given)


RULES = ("fixed_0.5", "best_threshold", "equal_tpr", "equalized_odds")


def processed(*arguments: object, rules: Sequence[str] = RULES, **options: object) -> Context:
    """The context of a world with post-processings, features, grey levels and preferences: every input a question may need."""
    plain = context(*arguments, **options)
    names = list(plain.population.attributes)
    done = post_process(plain.population, plain.scores, rules, names, refits=10)
    draw = np.random.default_rng(1)
    networks, images = plain.scores["uniform"].shape
    features = draw.normal(size=(networks, images, 4))
    features[..., 0] += plain.population.labels
    cohort = pl.concat([plain.people.with_columns(split=pl.lit(split)) for split in ("train", "valid")])
    return replace(
        plain,
        decisions=done.decisions,
        naive=done.naive,
        as_group=done.as_group,
        deployed=done.deployed,
        folds=done.folds,
        embeddings={"uniform": features},
        grey={"mean": draw.random(cohort.height)},
        cohort=cohort,
        preferences={"attribute": names[-1], "largest_loss": 0.05, "may_use_demographics": True},
    )
