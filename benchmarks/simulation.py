"""Simulated cohorts of validation patients whose true rates are known, made like those of NIH ChestX-ray14.

Every constant below is an aggregate of the public metadata (112,120 images of 30,805 patients; Wang et al. 2017, doi
10.1109/CVPR.2017.369) or of one classifier's scores on a public sample of them. Scores are sums of normal parts, so that
the truth is an integral over the population's mix of groups and needs no simulated classifier.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

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
GROUPS = {"sex": ("F", "M"), "age_group": ("<40", "40-60", ">60"), "view": ("AP", "PA")}


@dataclass(frozen=True)
class World:
    """A population. `gaps`: views and ages differ as in the constants, sexes do not; else no group differs from any.

    `effects` names the weightings and what each adds to the logits of AP; the first is the baseline.
    """

    gaps: bool
    effects: tuple[tuple[str, float], ...] = (("uniform", 0.0), ("placebo", 0.0), ("by_view", -0.4))


@dataclass(frozen=True)
class Cohort:
    """`frame`, a row per image (patient, label, sex, age_group, view), and `scores[weighting]` (S, n)."""

    frame: pl.DataFrame
    scores: dict[str, np.ndarray]


def draw(world: World, patients: int, networks: int, generator: np.random.Generator) -> Cohort:
    """A cohort of so many patients, judged by so many networks of each weighting."""
    codes, patient, label = _people(patients, generator)
    n = len(patient)
    seen = _means(world, codes, label) + _normal(generator, PERSON, patients)[patient] + _normal(generator, IMAGE, n)
    scores = {}
    for weighting, effect in world.effects:
        rows = []
        for _ in range(networks):
            own = _normal(generator, NETWORK_PERSON, patients)[patient] + _normal(generator, NETWORK_IMAGE, n)
            own += generator.normal(0, SHIFT) + effect * (codes["view"] == 0)
            own += sum(generator.normal(0, GROUP_SHIFT, len(GROUPS[a]))[codes[a]] for a in GROUPS)
            rows.append(1 / (1 + np.exp(-(seen + own))))
        scores[weighting] = np.stack(rows)
    groups = {a: np.array(names)[codes[a]] for a, names in GROUPS.items()}
    return Cohort(pl.DataFrame({"patient": patient, "label": label.astype(int), **groups}), scores)


def _normal(generator: np.random.Generator, variance: float, size: int) -> np.ndarray:
    return generator.normal(0, np.sqrt(variance), size)


def _people(patients: int, generator: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Codes of each attribute, patient and label, each (n,): sex and age are of the patient, view and label of the image."""
    quantiles, counts = zip(*IMAGES_PER_PATIENT, strict=True)
    sizes = np.exp(np.interp(generator.random(patients), quantiles, np.log(counts))).astype(int)
    patient = np.repeat(np.arange(patients), sizes)
    n = len(patient)
    in_ap = generator.beta(AP * AP_STAYS, (1 - AP) * AP_STAYS, patients)[patient]
    age = np.clip(generator.normal(AGE_MEAN, AGE_SD, patients), 1, 94)
    codes = {
        "sex": (generator.random(patients) < MALE).astype(int)[patient],
        "age_group": (np.searchsorted([40, 60.5], age, side="right"))[patient],
        "view": (generator.random(n) >= in_ap).astype(int),
    }
    chance = np.array([[ndtri(SICK[v, a]) for a in GROUPS["age_group"]] for v in GROUPS["view"]])
    own = generator.normal(0, SICK_STAYS, patients)[patient]
    wide = np.sqrt(1 + SICK_STAYS**2)
    label = generator.normal(size=n) < chance[codes["view"], codes["age_group"]] * wide + own
    return codes, patient, label


def _means(world: World, codes: dict[str, np.ndarray], label: np.ndarray) -> np.ndarray:
    """Mean logit of each image before any weighting's effect, (n,)."""
    side = label.astype(int)
    if not world.gaps:
        return np.where(label, 0.40, -0.87)
    by_view = np.array([[LOGIT[v, y] for y in (0, 1)] for v in GROUPS["view"]])[codes["view"], side]
    return by_view + np.array([OLDER[a] for a in GROUPS["age_group"]])[codes["age_group"]] * (2 * side - 1)


@cache
def truth(world: World, weighting: str) -> dict[tuple[str, str, str], float]:
    """The true value of each (attribute, group, metric), overall and by group, for a procedure of `world`.

    The mean over networks and over an endless population: every logit is normal given group and label, so that a
    decision's chance is a normal integral, and so is the chance that one image scores above another of the same network.
    The mix of groups and labels comes from three million simulated images.
    """
    codes, _, label = _people(800_000, np.random.default_rng(20))
    shape = *(len(names) for names in GROUPS.values()), 2
    cells = np.ravel_multi_index([*codes.values(), label.astype(int)], shape)
    members = np.bincount(cells, minlength=int(np.prod(shape)))
    *positions, side = np.unravel_index(np.arange(len(members)), shape)
    of, sick = dict(zip(codes, positions, strict=True)), side == 1
    mean = _means(world, of, sick) + dict(world.effects)[weighting] * (of["view"] == 0)
    within = PERSON + IMAGE + NETWORK_PERSON + NETWORK_IMAGE
    called = ndtr(mean / np.sqrt(within + SHIFT**2 + len(GROUPS) * GROUP_SHIFT**2))
    unlike = sum((row[:, None] != row[None]).astype(float) for row in of.values())
    above = ndtr((mean[:, None] - mean[None]) / np.sqrt(2 * within + 2 * GROUP_SHIFT**2 * unlike))
    chosen = {("overall", "all"): np.ones(len(members), dtype=bool)}
    chosen |= {(a, g): of[a] == k for a, names in GROUPS.items() for k, g in enumerate(names)}
    values = {}
    for (attribute, group), own in chosen.items():
        s, h = members * (own & sick), members * (own & ~sick)
        rates = {"tpr": s @ called / s.sum(), "fpr": h @ called / h.sum()}
        rates["selection_rate"] = (s + h) @ called / (s + h).sum()
        rates["balanced_accuracy"] = (rates["tpr"] + 1 - rates["fpr"]) / 2
        rates["auc"] = s @ above @ h / (s.sum() * h.sum())
        values |= {(attribute, group, metric): float(value) for metric, value in rates.items()}
    return values
