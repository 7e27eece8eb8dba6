"""What choosing among methods rests on: the map of all of them, who gains and who loses, the recommended one and its rivals."""

from dataclasses import dataclass
from typing import Any

from lib.names import ALTERNATIVE, BASELINE, OVERALL, PATIENT, RECOMMENDED, TOO_DEAR, Method
from lib.report.facts.decision import decide
from lib.report.facts.options import together
from lib.report.facts.values import BALANCED, KEYS, Estimate, figures, rows
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
    levels = figures(rows(study, "metrics", attribute=OVERALL, group="all", metric=BALANCED, unit=PATIENT), *KEYS)
    named = {option.method for option in d.options}
    judged = {tuple(line[key] for key in KEYS): line for line in rows(study, "recommendation").to_dicts()}
    points = []
    for method, level in levels.items():
        line = judged.get(method)
        if line and line["disparity"] is not None:
            kind = UNTREATED if method == BASELINE else SUPPORT[line["support"]]
            chosen = line["role"] == RECOMMENDED
            points.append(Point(method, level.value, line["disparity"], kind, method in named, chosen))
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
        for share in option.shares:
            told += [Gain(k, share.group, error, gain) for error, gain in share.gains.items()]
    if not told:
        return None
    seen = [change for change in told if change.gain.seen]
    up, down = ([change for change in seen if (change.gain.value > 0) is side] for side in (True, False))
    sure_up, sure_down = ({change.option for change in side if change.gain.shown} for side in (up, down))
    traded = bool({change.option for change in up} & {change.option for change in down})
    sure = bool(sure_up & sure_down) if traded else bool(sure_up | sure_down)
    return {"d": d, "gains": tuple(told), "up": up, "down": down, "traded": traded, "sure": sure}


def again(study: Results) -> Estimate | None:
    """The gap to expect where the choice is made again on some patients and judged on others, with its interval where one is known.

    None where nothing is recommended but to change nothing.
    """
    d = decide(study)
    if d.choice is None or d.choice.nothing or d.kept is None:
        return None
    judged = getattr(d, "anew", None)
    return Estimate(d.left) if judged is None or judged.size.value < d.left else judged.size


def recommendation(study: Results) -> dict[str, Any] | None:
    """The recommended method, those that cannot be told from it, those whose price may be too high: the first of each `role`.

    `loss` and `change` have intervals that hold for all candidates together, `gap` is what is left.
    """
    lines = rows(study, "recommendation").to_dicts()
    told = []
    for role in (RECOMMENDED, ALTERNATIVE, TOO_DEAR):
        for line in [line for line in lines if line["role"] == role][:LISTED]:
            names = {"method": tuple(line[key] for key in KEYS), "needs": study.attributes.get(line["needs"])}
            figures = {what: together(line, what) for what in ("loss", "change")}
            told.append({"role": role, "gap": line["disparity"]} | names | figures)
    return {"d": decide(study), "candidates": tuple(told)} if lines else None
