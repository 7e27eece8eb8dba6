"""Populations of patients whose true rates are known, from which cohorts are drawn: simulated ones, and real out-of-fold scores.

A population is finite: images of patients with a logit each, to which every network adds its own noise. The truth is the value in
that population, a normal integral over networks. In the simulated one, made like NIH ChestX-ray14, how sick a patient is goes
with scores, with the number of images and with the view. Constants are aggregates of the public metadata (112,120 images of 30,805
patients; Wang et al. 2017, doi 10.1109/CVPR.2017.369) or of one classifier's scores on a public sample of them.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import logit as logit_of
from scipy.special import ndtr, ndtri

from lib.audit.inference import Population
from lib.audit.metrics import Unit, image_weights

IMAGES_PER_PATIENT = ((0, 1), (0.5, 1), (0.75, 3), (0.9, 8), (0.95, 14), (0.99, 35), (1, 184))
"""Quantiles of the number of images of a patient, from the public metadata."""
MALE, AGE_MEAN, AGE_SD = 0.565, 46.6, 16.6
AP, AP_STAYS = 0.40, 1.04
"""Share of images in AP; a + b of the Beta from which a patient's own share is drawn: 75.5 % follow one of their view."""
SICK = {("AP", "<40"): 0.50, ("AP", "40-60"): 0.53, ("AP", ">60"): 0.56} | {
    ("PA", "<40"): 0.37,
    ("PA", "40-60"): 0.43,
    ("PA", ">60"): 0.50,
}
"""Share of sick images by view and age group: the public metadata's 53.0 % in AP and 41.6 % in PA, rising with age."""
SICK_STAYS = 0.95
"""Standard deviation, in probits, of how sick a patient is beside the image: 66 % of images follow one of their label."""
LOGIT = {("AP", 1): 0.57, ("AP", 0): -0.75, ("PA", 1): 0.30, ("PA", 0): -0.94}
"""Mean logit by view and label, of one classifier's scores on a public sample."""
OLDER = {"<40": 0.15, "40-60": 0.0, ">60": -0.15}
"""Added to the sick and taken from the healthy: separation is worse at higher age."""
PERSON, IMAGE = 0.54, 0.52
"""Variances of a logit: 43 % of 1.25 within a label is the patient's own; of the rest, most is the image's own ..."""
NETWORK_PERSON, NETWORK_IMAGE = 0.07, 0.12
"""... and these are a network's own view of a patient and of an image: two networks' logits correlate at .85."""
SHIFT, GROUP_SHIFT = 0.20, 0.10
"""Standard deviations of what a retraining adds to all logits, and to those of each sex, age group and view."""
LINKED = 0.7
"""Correlation of how sick a patient is with scores, number of images and share of AP: what a simulation without it cannot see."""
GROUPS = {"sex": ("F", "M"), "age_group": ("<40", "40-60", ">60"), "view": ("AP", "PA")}


@dataclass(frozen=True, eq=False)
class People:
    """A finite population: its images, and the mean `logit` (n,) over networks of each. `shift` (n,) is what a method adds."""

    population: Population
    logit: np.ndarray

    @property
    def noise(self) -> float:
        """Standard deviation of what a network adds to a logit."""
        groups = len(self.population.groups)
        return float(np.sqrt(SHIFT**2 + groups * GROUP_SHIFT**2 + NETWORK_PERSON + NETWORK_IMAGE))

    @property
    def chance(self) -> np.ndarray:
        """Chance (n,) over networks that an image is called sick."""
        return ndtr(self.logit / self.noise)

    def moved(self, targets: dict[tuple[str, str, str], float], unit: Unit, steps: int = 100) -> "People":
        """The same people with rates as asked, (attribute, group, metric) -> rate, by moving logits within groups and labels."""
        cells = {key: own for key, own in cells_of(self.population, unit).items() if key in targets}
        found = self
        for step in range(steps):
            for key, (images, weights) in cells.items():
                logit = found.logit.copy()
                rate = weights @ ndtr(logit[images] / self.noise)
                move = (ndtri(targets[key]) - ndtri(rate)) * self.noise
                logit[images] += (1.5 if step < steps / 2 else 1) * move
                found = replace(found, logit=logit)
        return found

    def rates(self, unit: Unit) -> dict[tuple[str, str, str], float]:
        """The true rates by (attribute, group, metric)."""
        chance = self.chance
        cells = cells_of(self.population, unit)
        return {key: float(weights @ chance[images]) for key, (images, weights) in cells.items()}

    def without_gaps(self, unit: Unit) -> "People":
        """The same people with no gap between any groups.

        By patient the groups of the view have a common rate of their own, for patients with images of both count in both: in turn,
        each attribute's groups are moved to where they are on average.
        """
        found = self
        for _ in range(60):
            for attribute in self.population.groups:
                own = {k: rate for k, rate in found.rates(unit).items() if k[0] == attribute}
                middle = {m: np.mean([r for k, r in own.items() if k[2] == m]) for m in ("tpr", "fpr")}
                found = found.moved({key: middle[key[2]] for key in own}, unit, steps=2)
        return found

    def with_view_gap(self, gap: float, unit: Unit) -> "People":
        """Rates of AP and PA so far apart, the other groups as they were."""
        own = self.rates(unit)
        targets = dict(own) | {
            ("view", v, m): own["overall", "all", m] + sign * gap / 2
            for m in ("tpr", "fpr")
            for v, sign in (("AP", 1), ("PA", -1))
        }
        return self.moved({k: min(max(v, 0.01), 0.99) for k, v in targets.items() if k[0] == "view"}, unit)


@cache
def cells_of(population: Population, unit: Unit) -> dict[tuple[str, str, str], tuple[np.ndarray, np.ndarray]]:
    """By (attribute, group, metric): positions of the images that the rate is about, and their weights, which add up to 1."""
    found = {}
    for cell in population.cells:
        for label, metric in ((1, "tpr"), (0, "fpr")):
            images = np.flatnonzero(cell.images & (population.labels == label))
            mask = np.zeros((population.n_images, 1), dtype=bool)
            mask[images] = True
            weights = image_weights(population, mask, unit)[images, 0]
            found[cell.attribute, cell.group, metric] = images, weights / weights.sum()
    return found


@dataclass(frozen=True, eq=False)
class Batch:
    """Several `cohorts` of as many patients each, drawn from people, one after the other: patients, `rows` (n,) of their images there, and
    the cohort `of_image` (n,).
    """

    population: Population
    rows: np.ndarray
    of_image: np.ndarray
    cohorts: int
    generator: np.random.Generator

    def single(self, deviation: float) -> np.ndarray:
        """What one network adds, (1, n), if all of its noise is the images' own: its rates in the population are the mean ones.

        Of a single network nothing is said about others, so that its own rates are the truth.
        """
        return self.generator.normal(0, deviation, (1, self.population.n_images))

    def noise(self, networks: int) -> np.ndarray:
        """What S networks of each cohort add to the logits, (S, n)."""
        draw, people = self.generator, self.population
        found = []
        for _ in range(networks):
            own = _normal(draw, NETWORK_PERSON, people.n_patients)[people.patients]
            own += _normal(draw, NETWORK_IMAGE, people.n_images) + draw.normal(0, SHIFT, self.cohorts)[self.of_image]
            for name, codes in people.groups.items():
                shifts = draw.normal(0, GROUP_SHIFT, (self.cohorts, len(people.attributes[name].groups)))
                own += shifts[self.of_image, np.maximum(codes, 0)]
            found.append(own)
        return np.stack(found)


def draw(people: People, patients: int, cohorts: int, generator: np.random.Generator) -> Batch:
    """So many cohorts of patients with all their images, drawn with replacement; one who is drawn twice is two."""
    whole = people.population
    order = np.argsort(whole.patients, kind="stable")
    starts = np.searchsorted(whole.patients[order], np.arange(whole.n_patients + 1))
    chosen = generator.integers(0, whole.n_patients, patients * cohorts)
    sizes = (starts[1:] - starts[:-1])[chosen]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = order[np.repeat(starts[chosen], sizes) + within]
    groups = {name: codes[rows] for name, codes in whole.groups.items()}
    patient = np.repeat(np.arange(len(chosen)), sizes)
    own = Population(patient, whole.labels[rows], groups, whole.attributes)
    return Batch(own, rows, patient // patients, cohorts, generator)


def simulated(patients: int = 6000, seed: int = 20) -> People:
    """Simulated patients in which sickness goes with scores, images and view."""
    draw = np.random.default_rng(seed)
    sickness = draw.normal(size=patients)

    def linked(link: float = LINKED) -> np.ndarray:
        return link * sickness + np.sqrt(1 - link**2) * draw.normal(size=patients)

    quantiles, counts = zip(*IMAGES_PER_PATIENT, strict=True)
    sizes = np.exp(np.interp(ndtr(linked()), quantiles, np.log(counts))).astype(int)
    patient = np.repeat(np.arange(patients), sizes)
    order = np.argsort(np.argsort(linked()))
    in_ap = np.sort(draw.beta(AP * AP_STAYS, (1 - AP) * AP_STAYS, patients))[order][patient]
    age = np.clip(draw.normal(AGE_MEAN, AGE_SD, patients), 1, 94)
    codes = {
        "sex": (draw.random(patients) < MALE).astype(int)[patient],
        "age_group": np.searchsorted([40, 60.5], age, side="right")[patient],
        "view": (draw.random(len(patient)) >= in_ap).astype(int),
    }
    chance = np.array([[ndtri(SICK[v, a]) for a in GROUPS["age_group"]] for v in GROUPS["view"]])
    wide = np.sqrt(1 + SICK_STAYS**2)
    own = SICK_STAYS * sickness[patient] + draw.normal(size=len(patient))
    labels = (own + chance[codes["view"], codes["age_group"]] * wide > 0.4).astype(int)
    by_view = np.array([[LOGIT[v, y] for y in (0, 1)] for v in GROUPS["view"]])[codes["view"], labels]
    older = np.array([OLDER[a] for a in GROUPS["age_group"]])[codes["age_group"]] * (2 * labels - 1)
    person = np.sqrt(PERSON) * linked()[patient]
    seen = by_view + older + person + _normal(draw, IMAGE, len(patient))
    return People(Population(patient, labels, codes), seen)


def plasmode(path: Path) -> People:
    """Real out-of-fold scores: columns patient, label, sex, age_group, view and score_1, score_2, ... of several networks.

    The mean logit of the networks stands for that over all networks; new ones are drawn around it.
    """
    frame = pl.read_parquet(path)
    scores = frame.select(pl.col("^score_.*$")).to_numpy()
    seen = logit_of(np.clip(scores, 1e-6, 1 - 1e-6)).mean(axis=1)
    population = Population.from_frame(frame.with_columns(pl.col("label").cast(pl.Int64)))
    return People(population, seen)


def _normal(generator: np.random.Generator, variance: float, size: int) -> np.ndarray:
    return generator.normal(0, np.sqrt(variance), size)
