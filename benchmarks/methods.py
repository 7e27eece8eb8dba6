"""What is simulated: settings, what methods make of a population, and the truth of every figure."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.simulation import People, plasmode, simulated
from lib.audit.metrics import Unit

JITTER = 0.25
"""Variance of what a post-processing that changes decisions but no rate adds to logits."""


@dataclass(frozen=True)
class Setting:
    """A population, with its gaps as they are (`gaps`), removed (`none`) or set (`gap 20`, by view); who counts; cohort size."""

    source: str
    world: str
    unit: Unit
    patients: int

    @property
    def key(self) -> tuple:
        source = "simulated" if self.source == "simulated" else "real scores"
        return source, self.world, str(self.unit), self.patients


def world_of(setting: Setting, method: str) -> People:
    """The population as the baseline sees it, or as methods do that close the gaps by view, halve or mirror them."""
    return _worlds(setting.source, setting.world, setting.unit)[method]


@cache
def _worlds(source: str, world: str, unit: Unit) -> dict[str, People]:
    people = simulated() if source == "simulated" else plasmode(Path(source))
    if world != "gaps":
        people = people.without_gaps(unit)
    if world.startswith("gap "):
        people = people.with_view_gap(int(world.split()[1]) / 100, unit)
    own = people.rates(unit)
    view = {key: rate for key, rate in own.items() if key[0] == "view"}
    middle = {m: (view["view", "AP", m] + view["view", "PA", m]) / 2 for m in ("tpr", "fpr")}

    def with_gap(share: float) -> People:
        return people.moved({k: middle[k[2]] + share * (rate - middle[k[2]]) for k, rate in view.items()}, unit)

    return {"baseline": people, "closed": with_gap(0), "half": with_gap(0.5), "mirrored": with_gap(-1)}


def true_levels(setting: Setting, method: str, asked: tuple[tuple[str, str, str, str], ...]) -> np.ndarray:
    """The truth (K,) of levels and gaps, asked as (kind, attribute, group or contrast, metric)."""
    found = _rates(setting, method)
    true = []
    for kind, attribute, what, metric in asked:
        if kind == "gap":
            one, two = what.split(" - ")
            true.append(found[attribute, one, metric] - found[attribute, two, metric])
        elif metric == "balanced_accuracy":
            true.append((found[attribute, what, "tpr"] + 1 - found[attribute, what, "fpr"]) / 2)
        else:
            true.append(found[attribute, what, metric])
    return np.array(true)


@cache
def _rates(setting: Setting, method: str) -> dict[tuple[str, str, str], float]:
    return world_of(setting, method).rates(setting.unit)


def jitter(people: People, rows: np.ndarray, generator: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """What a post-processing adds (S, n) that decides many images differently but leaves every image's chance as it was."""
    stretch = np.sqrt(people.noise**2 + JITTER) / people.noise - 1
    return stretch * people.logit[rows] + generator.normal(0, np.sqrt(JITTER), shape)
