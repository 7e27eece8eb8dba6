"""What choosing among methods rests on: the map of all of them, who gains and who loses, the recommended one and its rivals."""

from typing import Any

from lib import names
from lib.names import (
    ALTERNATIVE,
    BASELINE,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    OVERALL,
    PATIENT,
    RECOMMENDED,
    Method,
)
from lib.report.facts.decision import Decision, decide
from lib.report.facts.options import ONE_CUT, together
from lib.report.facts.values import BALANCED, KEYS, KNOWN, acts_on, error_gaps, figures, parts, rows
from lib.report.facts.weightings import both
from lib.results import Results

NARROWS, MAY_NARROW, UNSEEN, UNTREATED = "narrows", "may narrow", "unseen", "baseline"
"""What is known of a method's effect on the gaps by the attribute: shown, suggested, neither; or it is the baseline."""
SUPPORT = {"shown": NARROWS, "suggested": MAY_NARROW, None: UNSEEN}
EXCERPT = (4, 6)
"""Rows and columns that there is room for."""
LISTED = 3
"""Methods of a role that the table of the recommendation lists at most."""


def front(study: Results) -> dict[str, Any] | None:
    """`points`: every method that acts on the attribute or on none, its balanced `accuracy` and the largest `gap` left, where both are known.

    `kind` says what is known of its effect on a gap; `named`: it is one of the options of the decision page.
    """
    d = decide(study)
    levels = figures(rows(study, "metrics", attribute=OVERALL, group="all", metric=BALANCED, unit=PATIENT), *KEYS)
    named = {option.method for option in d.options}
    judged = {tuple(line[key] for key in KEYS): line for line in rows(study, "recommendation").to_dicts()}
    points = []
    for method, level in levels.items():
        line = judged.get(method)
        if line and line["disparity"] is not None:
            kind = UNTREATED if method == BASELINE else SUPPORT[line["support"]]
            own = {"method": method, "accuracy": level.value, "gap": line["disparity"], "kind": kind}
            points.append(own | {"named": method in named, "recommended": line["role"] == RECOMMENDED})
    return {"d": d, "points": points} if points else None


def crossed(study: Results) -> dict[str, Any] | None:
    """`cells`: by method, the widest `gap` by the page's attribute, the balanced `accuracy`, and whether that is `dear`: falls by more than is acceptable.

    `weightings` and `rules` (name, target) are rows and columns, the baseline's first. Of the rules, `firm` leave at most the margin
    under every weighting, `failing` leave more alone; `rescued`: methods of a failing rule that leave at most the margin; `within`: how many do.
    Rows and columns are those that there is room for (`tried`: how many there are).
    None where no weighting is crossed with a rule, or the gap is not estimable.
    """
    d = decide(study)
    gaps = parts(rows(study, "gaps", acts_on(d.attribute), error_gaps(d.attribute), KNOWN), *KEYS)
    everyone = {"attribute": OVERALL, "group": "all", "metric": BALANCED, "unit": PATIENT}
    levels = figures(rows(study, "metrics", acts_on(d.attribute), **everyone), *KEYS)
    cells = {
        method: {
            "gap": max(abs(line["estimate"]) for line in gaps[method]),
            "accuracy": level.value,
            "dear": levels[BASELINE].value - level.value > d.largest_loss,
            "chosen": d.choice is not None and method == d.choice.method,
        }
        for method, level in levels.items()
        if method in gaps and BASELINE in levels
    }
    weightings = list(dict.fromkeys([BASELINE_WEIGHTING, *(method[0] for method in cells)]))
    rules = list(dict.fromkeys([BASELINE[1:], *(method[1:] for method in cells)]))
    if len(weightings) < 2 or len(rules) < 2 or BASELINE not in cells:
        return None
    low = {method: cell["gap"] <= d.margin for method, cell in cells.items()}
    # no rule is no rule that fails
    tried = [rule for rule in rules if rule[0] != BASELINE_POSTPROCESSING]
    failing = [rule for rule in tried if not low.get((BASELINE_WEIGHTING, *rule), True)]
    rescued = [method for method in cells if low[method] and method[1:] in failing]
    pair = both(study)
    shown = _excerpt(cells, weightings, rules, d, pair["method"] if pair else BASELINE)
    return {
        "d": d,
        "cells": cells,
        "weightings": shown[0],
        "rules": shown[1],
        "tried": (len(weightings), len(rules)),
        "firm": [rule for rule in tried if all(low.get((weighting, *rule), True) for weighting in weightings)],
        "failing": failing,
        "rescued": sorted(rescued, key=lambda method: cells[method]["gap"]),
        "alone": [weighting for weighting in weightings[1:] if low.get((weighting, *BASELINE[1:]))],
        "within": sum(low.values()),
    }


def _excerpt(
    cells: dict[Method, dict[str, Any]], weightings: list[str], rules: list[tuple[str, str]], d: Decision, pair: Method
) -> tuple[list[str], list[tuple[str, str]]]:
    """Of each the baseline's, that of our choice and of the best `pair`, and those that leave least and most of the gap on their own; of rules one cut-off for all, too."""
    chosen = d.choice.method if d.choice else BASELINE
    alone = {own: cells.get((own, *BASELINE[1:])) for own in weightings}
    ruled = {own: cells.get((BASELINE_WEIGHTING, *own)) for own in rules}
    best, least = (sorted((own for own in by if by[own]), key=lambda own: by[own]["gap"]) for by in (alone, ruled))
    single, least = (
        [rule for rule in rules if rule[0] == ONE_CUT[1]],
        [rule for rule in least if rule[0] not in d.barred],
    )
    wanted = dict.fromkeys([weightings[0], chosen[0], pair[0], *best[:1], *best[-1:], *weightings])
    named = dict.fromkeys([rules[0], chosen[1:], pair[1:], *single, *least[:1], *least[-1:], *least[1:], *rules])
    kept = (list(wanted)[: EXCERPT[0]], list(named)[: EXCERPT[1]])
    return [own for own in weightings if own in kept[0]], [own for own in rules if own in kept[1]]


def who_gains(study: Results) -> dict[str, Any] | None:
    """`gains`: what every option that is not doing nothing does to every group: the `gain` in shares of its sick (`error` "missed") or of its
    healthy ("alarmed"), above 0 for the better.

    `up` and `down` are seen to gain and to lose; `traded`: both under one option; `sure`: that much is shown.
    """
    d = decide(study)
    gains = [(k, place, gain) for k, option in enumerate(d.rivals) for place, gain in option.gains]
    told = [place | {"option": k, "gain": gain} for k, place, gain in gains]
    if not told:
        return None
    seen = [change for change in told if change["gain"].seen]
    up, down = ([change for change in seen if (change["gain"].value > 0) is side] for side in (True, False))
    sure_up, sure_down = ({change["option"] for change in side if change["gain"].shown} for side in (up, down))
    traded = bool({change["option"] for change in up} & {change["option"] for change in down})
    sure = bool(sure_up & sure_down) if traded else bool(sure_up | sure_down)
    return {"d": d, "gains": told, "up": up, "down": down, "traded": traded, "sure": sure}


def recommendation(study: Results) -> dict[str, Any] | None:
    """The recommended method, those that cannot be told from it, those whose price may be too high: the first of each `role`.

    `loss` and `change` have intervals that hold for all candidates together, `gap` is what is left.
    """
    lines = rows(study, "recommendation").to_dicts()
    told = []
    for role in (RECOMMENDED, ALTERNATIVE, names.TOO_DEAR):
        for line in [line for line in lines if line["role"] == role][:LISTED]:
            method = {"method": tuple(line[key] for key in KEYS), "needs": study.attributes.get(line["needs"])}
            figures = {what: together(line, what) for what in ("loss", "change")}
            told.append({"role": role, "gap": line["disparity"]} | method | figures)
    return {"d": decide(study), "candidates": told, "listed": LISTED} if lines else None
