"""What the introduction draws: the way from folder to decision, why demands of fairness conflict, and why patients are what counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from lib.names import ERRORS, OVERALL
from lib.report.facts.values import Estimate, rows
from lib.results import Results

STEPS = ("folder", "pixels", "weights", "network", "threshold", "decision")
"""Where an image passes on its way to a decision; bias can enter at each."""
SEPARATION = 1.5
"""Standard deviations by which the sick of the drawing lie above its healthy."""
SICK_SHARES = {"A": 0.3, "B": 0.6}
"""Shares of sick in the two groups of the drawing."""


def pipeline(study: Results) -> dict[str, Any]:
    """The steps, and what is special about this study's."""
    return {"steps": STEPS, "image_size": study.manifest["settings"]["training"].get("image_size")}


@dataclass(frozen=True)
class Side:
    """A group of the drawing: its share of sick, what one cut-off at .5 does to it, and densities over the score's log odds."""

    group: str
    sick_share: float
    missed: float
    alarmed: float
    sick: tuple[float, ...]
    healthy: tuple[float, ...]


def conflict(study: Results) -> dict[str, Any]:
    """Two groups with scores that mean what they say and separate alike; only the share of sick differs.

    With measurements N(-d/2, 1) of the healthy and N(d/2, 1) of the sick, the log odds of being sick given x are
    d x + logit(share): N(-+d^2/2 + logit(share), d). One cut-off at .5 (log odds 0) then errs unequally
    (Chouldechova 2017, doi 10.1089/big.2016.0047; Kleinberg et al. 2017, doi 10.4230/LIPIcs.ITCS.2017.43).
    """
    at = np.linspace(-5.5, 5.5, 221)
    sides = []
    for group, share in SICK_SHARES.items():
        odds = np.log(share / (1 - share))
        sick, healthy = (norm(side * SEPARATION**2 / 2 + odds, SEPARATION) for side in (1, -1))
        sides.append(
            Side(group, share, float(sick.cdf(0)), float(healthy.sf(0)), tuple(sick.pdf(at)), tuple(healthy.pdf(at)))
        )
    return {"sides": tuple(sides), "at": tuple(at)}


@dataclass(frozen=True)
class Levels:
    """A rate of a group with the interval that takes patients for the unit, and the one that takes images for it."""

    attribute: str
    group: str
    metric: str
    patient: Estimate
    image: Estimate


def interval_levels(study: Results, metrics: Sequence[str] = ERRORS) -> dict[str, Any] | None:
    """The baseline's intervals at both levels, and how much narrower those by image are at the median."""
    found = rows(study, "interval_levels")
    if found.is_empty():
        return None
    found = found.filter(pl.col("metric").is_in(list(metrics))).drop_nulls(["estimate", "low", "high"])
    told = []
    for attribute, groups in [(OVERALL, ("all",)), *((a.name, a.groups) for a in study.attributes.values())]:
        for group in groups:
            for metric in metrics:
                own = {r["level"]: r for r in found.filter(attribute=attribute, group=group, metric=metric).to_dicts()}
                if {"patient", "image"} <= own.keys():
                    both = (Estimate(*(own[k][c] for c in ("estimate", "low", "high"))) for k in ("patient", "image"))
                    told.append(Levels(attribute, group, metric, *both))
    widths = [(t.image.high - t.image.low, t.patient.high - t.patient.low) for t in told]
    ratios = [image / patient for image, patient in widths if patient > 0]
    if not ratios:
        return None
    return {"found": tuple(told), "metrics": tuple(metrics), "narrower": 1 - float(np.median(ratios))}
