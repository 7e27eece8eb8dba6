"""Who is in a phantom cohort: patients, their images, what they have, and what is written about them."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from statistics import NormalDist

import numpy as np

from lib.cohort.phantom import calibration as public
from lib.cohort.phantom.dials import Dials

FIRST_NUMBER = 90_000_001
"""Beyond the numbers of any real patient of the NIH."""
VALID_SHARE = 0.3
STRENGTH = 1.0
"""Median strength of a finding; chosen so that the study's network reaches an AUC near .8."""
NORMAL = NormalDist()


@dataclass(frozen=True)
class Shot:
    """All that an image is drawn from. `patient` and `visit` number it: equal numbers and seed give equal pixels."""

    patient: int
    visit: int
    female: bool
    age: int
    ap: bool
    findings: tuple[str, ...] = ()
    strength: float = 1.0
    """How strongly the findings show: 1 plainly, 0 not at all."""
    poor: float = 0.0
    """How much flatter than usual the film is, 0 to 1."""
    disc: bool = False
    """The side marker is on a disc."""


@dataclass(frozen=True)
class Record:
    """One image: what is drawn (`shot`) and what is recorded. `sick` is the truth, `label` what the folder says."""

    shot: Shot
    split: str
    sex: str
    age: int
    view: str
    findings: tuple[str, ...]
    sick: bool

    @property
    def label(self) -> int:
        return int(bool(self.findings))

    @property
    def image(self) -> str:
        return f"{self.shot.patient:08}_{self.shot.visit:03}.png"


def draw_records(seed: int, images: int, dials: Dials) -> list[Record]:
    """`images` images of as many patients as it takes, each patient in one split."""
    draw = np.random.default_rng([seed, 0])
    records: list[Record] = []
    number = FIRST_NUMBER
    while len(records) < images:
        records += _patient(draw, number, dials)
        number += 1
    return records[:images]


def _patient(draw: np.random.Generator, number: int, dials: Dials) -> list[Record]:
    split = "valid" if draw.random() < VALID_SHARE else "train"
    cell = _stratum(draw, dials, split)
    age = int(draw.integers(cell.ages[0], cell.ages[1] + 1))
    looks = cell if draw.random() < dials.nature else _stratum(draw, Dials(), split)
    looks_age = age if looks is cell else int(draw.integers(looks.ages[0], looks.ages[1] + 1))
    often_ap, often_sick = draw.standard_normal(2)
    records = []
    shares, counts = zip(*public.IMAGES_PER_PATIENT, strict=True)
    images = min(public.MOST_IMAGES, round(float(np.interp(draw.random(), shares, counts))))
    for visit in range(images):
        ap = _again(draw, often_ap, public.SAME_VIEW_AGAIN, _chance_of_ap(cell, dials))
        view = "AP" if ap else "PA"
        sick = _again(draw, often_sick, public.SAME_STATE_AGAIN, _chance_of_sick(cell, view, dials))
        shown_ap = ap if draw.random() < dials.nature else bool(draw.random() < AP_SHARE)
        findings = _findings(draw, shown_ap) if sick else ()
        hidden = sick and ap and draw.random() < 0.6 * dials.label_noise
        recorded = () if hidden else findings
        tied = 0.48 * dials.shortcut * ap * (1 if recorded else -1)
        dim = 1 - 0.85 * dials.visibility * (cell.sex == "F")
        shot = Shot(
            patient=number,
            visit=visit,
            female=looks.sex == "F",
            age=looks_age,
            ap=shown_ap,
            findings=findings,
            strength=min(max(STRENGTH * math.exp(0.4 * draw.standard_normal()), 0.1), 1.3) * dim,
            poor=dials.exposure * ap,
            disc=bool(draw.random() < 0.5 + tied),
        )
        records.append(Record(shot, split, cell.sex, age, view, recorded, sick))
    return records


UP_TO = list(accumulate(cell.images for cell in public.STRATA))
IMAGES = UP_TO[-1]
AP_SHARE = sum(cell.images for cell in public.STRATA if cell.view == "AP") / IMAGES
SICK_SHARE = sum(cell.images * cell.sick for cell in public.STRATA) / IMAGES


def _stratum(draw: np.random.Generator, dials: Dials, split: str) -> public.Stratum:
    """A stratum as often as it has images; women are passed over in train as the dial says."""
    while True:
        cell = public.STRATA[bisect_right(UP_TO, draw.random() * IMAGES)]
        if split != "train" or cell.sex != "F" or draw.random() >= 0.9 * dials.representation:
            return cell


@cache
def _same_people(cell: public.Stratum) -> dict[str, public.Stratum]:
    return {other.view: other for other in public.STRATA if (other.sex, other.ages) == (cell.sex, cell.ages)}


def _chance_of_ap(cell: public.Stratum, dials: Dials) -> float:
    counts = {view: other.images for view, other in _same_people(cell).items()}
    chance = _mix(AP_SHARE, counts["AP"] / sum(counts.values()), dials.nature)
    return _mix(chance, 0.2 if cell.sex == "F" else 0.8, dials.simpson)


def _chance_of_sick(cell: public.Stratum, view: str, dials: Dials) -> float:
    sign = 1 if cell.sex == "F" else -1
    chance = _mix(SICK_SHARE, _same_people(cell)[view].sick, dials.nature)
    chance = _mix(chance, (0.75 if view == "AP" else 0.20) + 0.08 * sign, dials.simpson)
    return min(max(chance + 0.25 * sign * dials.prevalence, 0.03), 0.97)


def _mix(one: float, other: float, share: float) -> float:
    return (1 - share) * one + share * other


def _again(draw: np.random.Generator, often: float, agreement: float, chance: float) -> bool:
    """True with `chance`, alike from image to image of a patient: a Gaussian copula with the patient's `often`.

    Two images agree more often than by chance by `agreement`: kappa gives the correlation, sin(pi kappa / 2).
    """
    by_chance = 0.52 if agreement == public.SAME_VIEW_AGAIN else 0.503
    share = math.sin(math.pi / 2 * (agreement - by_chance) / (1 - by_chance))
    mixed = math.sqrt(share) * often + math.sqrt(1 - share) * draw.standard_normal()
    return bool(mixed < NORMAL.inv_cdf(chance))


def _findings(draw: np.random.Generator, ap: bool) -> tuple[str, ...]:
    """One to three findings, each as often as the view has it."""
    count = 1 + int(draw.random() < 0.30) + int(draw.random() < 0.08)
    chosen: set[str] = set()
    while len(chosen) < count:
        chosen.add(NAMES[bisect_right(_up_to(ap), draw.random())])
    return tuple(sorted(chosen))


NAMES = tuple(public.FINDINGS)


@cache
def _up_to(ap: bool) -> list[float]:
    """How often each finding or one before it is drawn in a view."""
    often = [images * (of_ap if ap else 1 - of_ap) for images, of_ap in public.FINDINGS.values()]
    return [total / sum(often) for total in accumulate(often)][:-1]
