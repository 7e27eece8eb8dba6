"""What choosing among methods rests on: the map of all of them, who gains and who loses, the recommended one and its rivals."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import ALTERNATIVE, BASELINE, RECOMMENDED, TOO_DEAR, Attribute, Method
from lib.report.facts.decision import decide
from lib.report.facts.options import KEYS
from lib.report.facts.values import Estimate, estimate, rows
from lib.results import Results

NARROWS, MAY_NARROW, UNSEEN, UNTREATED = "narrows", "may narrow", "unseen", "baseline"
"""What is known of a method's effect on the gaps by the attribute: shown, suggested, neither; or it is the baseline."""
SUPPORT = {"shown": NARROWS, "suggested": MAY_NARROW, None: UNSEEN}
LISTED = 4
"""Methods of a role that the table of the recommendation lists at most."""


@dataclass(frozen=True)
class Point:
    """A method on the map: balanced accuracy and the largest difference left by the attribute, shares of 1.

    `kind` says what is known of its effect on a gap; `named`: it is one of the options of the decision page.
    """

    method: Method
    accuracy: float
    gap: float
    kind: str
    named: bool
    recommended: bool


def front(study: Results) -> dict[str, Any] | None:
    """Every method that acts on the attribute or on none, where both figures are known."""
    d = decide(study)
    judged = rows(study, "recommendation")
    levels = rows(study, "metrics", attribute="overall", group="all", metric="balanced_accuracy", unit="patient")
    if judged.is_empty() or levels.is_empty():
        return None
    joined = judged.join(levels.select(*KEYS, "estimate"), on=list(KEYS)).drop_nulls(["estimate", "disparity"])
    named = {own.method for own in d.options}
    points = []
    for own in joined.to_dicts():
        method = tuple(own[key] for key in KEYS)
        kind = UNTREATED if method == BASELINE else SUPPORT[own["support"]]
        chosen = own["role"] == RECOMMENDED
        points.append(Point(method, own["estimate"], own["disparity"], kind, method in named, chosen))
    return {"d": d, "points": tuple(points)} if points else None


@dataclass(frozen=True)
class Gain:
    """What an option does to a group: `gain`, in shares of its sick ("missed") or of its healthy ("alarmed"), above 0 for the better."""

    option: int
    group: str
    error: str
    gain: Estimate


def who_gains(study: Results) -> dict[str, Any] | None:
    """Of every group under every option that is not doing nothing: fewer missed, fewer alarmed.

    `up` and `down` are seen to gain and to lose; `traded`: both under one option; `sure`: that much is shown.
    """
    d = decide(study)
    told = []
    for k, option in enumerate(d.rivals):
        for own in option.shares:
            for error, change in (("missed", own.more_found), ("alarmed", own.more_alarmed)):
                if change is not None:
                    told.append(Gain(k, own.group, error, change if error == "missed" else -change))
    if not told:
        return None
    seen = [own for own in told if own.gain.seen]
    up, down = ([own for own in seen if (own.gain.value > 0) is side] for side in (True, False))
    sure_up, sure_down = ({own.option for own in side if own.gain.shown} for side in (up, down))
    traded = bool({own.option for own in up} & {own.option for own in down})
    sure = bool(sure_up & sure_down) if traded else bool(sure_up | sure_down)
    return {"d": d, "gains": tuple(told), "up": up, "down": down, "traded": traded, "sure": sure}


@dataclass(frozen=True)
class Candidate:
    """A row of the recommendation: `role` as in `lib.names`, `loss` and `change` with intervals for all candidates together."""

    method: Method
    role: str
    needs: Attribute | None
    gap: float
    loss: Estimate | None
    change: Estimate | None


def recommendation(study: Results) -> dict[str, Any] | None:
    """The recommended method, those that cannot be told from it, those whose price may be too high: the first of each."""
    found = rows(study, "recommendation")
    if found.is_empty():
        return None
    kept = pl.concat([found.filter(role=role).head(LISTED) for role in (RECOMMENDED, ALTERNATIVE, TOO_DEAR)])
    told = []
    for own in kept.to_dicts():
        figures = [
            estimate(
                {"estimate": own[what], "verdict": "shown"}
                | {f"{end}_simultaneous": own[f"{what}_{end}_simultaneous"] for end in ("low", "high")}
                | {"low": None, "high": None}
            )
            for what in ("loss", "change")
        ]
        needs = study.attributes.get(own["needs"]) if own["needs"] else None
        told.append(Candidate(tuple(own[key] for key in KEYS), own["role"], needs, own["disparity"], *figures))
    return {"d": decide(study), "candidates": tuple(told)}
