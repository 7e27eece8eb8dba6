"""Small simulated worlds: patients of several images, scores of several networks, and the context that questions get.

How sick a patient is goes with scores, with the number of images and with the first attribute, as in reality.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from lib.audit.context import Context
from lib.audit.inference import Population
from lib.names import BASELINE, DEFAULTS, Attribute

FINDINGS = ("Effusion", "Infiltration", "Nodule", "Mass")


@dataclass(frozen=True)
class World:
    """People, a row per image, and scores (S, n) by weighting."""

    people: pl.DataFrame
    scores: Mapping[str, np.ndarray]
    attributes: Mapping[str, Attribute]

    @property
    def population(self) -> Population:
        return Population.from_frame(self.people, attributes=self.attributes)


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
        code = person[patient] if own.of_patient else np.where(draw.random(n) < 0.2, draw.permutation(person[patient]), person[patient])
        columns[own.name] = np.array(own.groups)[code]
    sick = draw.random(n) < expit(0.7 * severity[patient] - 0.2)
    found = np.where(sick, draw.choice(FINDINGS, n), "No Finding")
    first = next(iter(attributes.values()))
    tilt = effect * (columns[first.name] == first.groups[0])
    people = pl.DataFrame(columns | {"label": sick.astype(int), "findings": found, "age": draw.uniform(18, 90, patients)[patient]})
    logits = 1.6 * (sick - 0.5) + 0.5 * severity[patient] + draw.normal(0, 0.5, n)
    scores = {}
    for weighting in weightings:
        own = tilt * (1.0 if weighting == "uniform" else 0.3) - effect / 2
        scores[weighting] = expit(logits + own + draw.normal(0, 0.15, (networks, 1)) + draw.normal(0, 0.4, (networks, n)))
    return World(people, scores, attributes)


def context(
    patients: int = 300,
    networks: int = 2,
    *,
    attributes: Mapping[str, Attribute] = DEFAULTS,
    effect: float = 1.0,
    weightings: tuple[str, ...] = ("uniform",),
    findings: bool = True,
    seed: int = 0,
    **given: object,
) -> Context:
    """The context of a world at the fixed threshold; `given` overrides or adds fields."""
    drawn = world(patients, networks, attributes=attributes, effect=effect, weightings=weightings, seed=seed)
    people = drawn.people if findings else drawn.people.drop("findings", "age", "image")
    decisions = {(w, *BASELINE[1:]): (own >= 0.5).astype(float) for w, own in drawn.scores.items()}
    return Context(drawn.population, people, drawn.scores, decisions, **given)

