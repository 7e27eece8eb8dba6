"""What the introduction draws: the way from folder to decision, why demands of fairness conflict, and why patients are what counts."""

from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from lib.names import ERRORS
from lib.report.facts.values import alone, parts, rows
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


def conflict(study: Results) -> dict[str, Any]:
    """Two groups (`sides`) with scores that mean what they say and separate alike; only the share of sick differs.

    Of each what one cut-off at .5 does to it, and densities of the sick and the healthy `at` log odds of the score.
    With measurements N(-d/2, 1) of the healthy and N(d/2, 1) of the sick, the log odds of being sick given x are
    d x + logit(share): N(-+d^2/2 + logit(share), d). One cut-off at .5 (log odds 0) then errs unequally
    (Chouldechova 2017, doi 10.1089/big.2016.0047; Kleinberg et al. 2017, doi 10.4230/LIPIcs.ITCS.2017.43).
    """
    at = np.linspace(-5.5, 5.5, 221)
    sides = []
    for group, share in SICK_SHARES.items():
        odds = np.log(share / (1 - share))
        sick, healthy = (norm(side * SEPARATION**2 / 2 + odds, SEPARATION) for side in (1, -1))
        errors = {"missed": float(sick.cdf(0)), "alarmed": float(healthy.sf(0))}
        densities = {"sick": sick.pdf(at), "healthy": healthy.pdf(at)}
        sides.append({"group": group, "sick_share": share} | errors | densities)
    return {"sides": sides, "at": at}


def interval_levels(study: Results) -> dict[str, Any] | None:
    """The baseline's rates with the interval that takes patients for the unit (`patient`), and the one that takes images for it.

    `narrower` is how much narrower those by image are at the median.
    """
    known = [pl.col(column).is_not_null() for column in ("estimate", "low", "high")]
    levels = []
    for place, lines in parts(rows(study, "interval_levels", *known), "attribute", "group", "metric").items():
        units = {line["level"]: alone(line) for line in lines}
        if place[2] in ERRORS and units.keys() >= {"patient", "image"}:
            levels.append(dict(zip(("attribute", "group", "metric"), place, strict=True)) | units)
    widths = [[level[unit].high - level[unit].low for unit in ("image", "patient")] for level in levels]
    ratios = [image / patient for image, patient in widths if patient > 0]
    return {"found": levels, "narrower": 1 - float(np.median(ratios))} if ratios else None
