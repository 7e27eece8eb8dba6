"""What choosing among methods rests on: the map of all of them, who gains and who loses, the recommended one and its rivals."""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from lib import names
from lib.names import BASELINE, BASELINE_WEIGHTING, OVERALL, PATIENT, Attribute, Method
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.gaps import by_metric
from lib.report.facts.options import ONE_CUT, together
from lib.report.facts.values import BALANCED, KEYS, figures, parts, rows
from lib.report.facts.weightings import both
from lib.results import Results

NARROWS, MAY_NARROW, UNSEEN, UNTREATED = "narrows", "may narrow", "unseen", "baseline"
"""What is known of a method's effect on the gaps by the attribute: shown, suggested, neither; or it is the baseline."""
SUPPORT = {"shown": NARROWS, "suggested": MAY_NARROW, None: UNSEEN}
EXCERPT = (4, 7)
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
            points.append(own | {"named": method in named, "recommended": line["role"] == names.RECOMMENDED})
    return {"d": d, "points": points} if points else None


def crossed(study: Results) -> dict[str, Any] | None:
    """`cells`: by method, the widest `gap` by the page's attribute, the balanced `accuracy`, and whether that is `dear`: falls by more than is acceptable.

    `weightings` and `rules` (name, target) are rows and columns, the baseline's first; of the pairs, `combined` alter both. Of the rules, `firm` leave at most the margin
    under every weighting, `failing` leave more alone; `rescued`: methods of a failing rule that leave at most the margin; `within`: how many do.
    Rows and columns are those that there is room for (`tried`: how many there are).
    None where no weighting is crossed with a rule, or the gap is not estimable.
    """
    d = decide(study)
    gaps = parts(rows(study, "gaps", values.acts_on(d.attribute), values.error_gaps(d.attribute), values.KNOWN), *KEYS)
    everyone = {"attribute": OVERALL, "group": "all", "metric": BALANCED, "unit": PATIENT}
    levels = figures(rows(study, "metrics", values.acts_on(d.attribute), **everyone), *KEYS)
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
    tried = [rule for rule in rules if rule[0] != names.BASELINE_POSTPROCESSING]
    failing = [rule for rule in tried if not low.get((BASELINE_WEIGHTING, *rule), True)]
    rescued = [method for method in cells if low[method] and method[1:] in failing]
    rescued = sorted(rescued, key=lambda method: cells[method]["gap"])
    named = [method for method in _excerpt(study, d, rescued, cells) if method in cells]
    kept = [dict.fromkeys(place) for place in ((m[0] for m in named), (m[1:] for m in named))]
    kept = [list(own)[:room] for own, room in zip(kept, EXCERPT, strict=True)]
    return {
        "d": d,
        "cells": cells,
        "weightings": [own for own in weightings if own in kept[0]],
        "rules": [own for own in rules if own in kept[1]],
        "tried": (len(weightings), len(rules)),
        "firm": [rule for rule in tried if all(low.get((weighting, *rule), True) for weighting in weightings)],
        "failing": failing,
        "rescued": rescued,
        "alone": [weighting for weighting in weightings[1:] if low.get((weighting, *BASELINE[1:]))],
        "within": sum(low.values()),
        "combined": sum(method[0] != BASELINE_WEIGHTING and method[1:] != BASELINE[1:] for method in cells),
    }


def _excerpt(
    study: Results, d: Decision, rescued: list[Method], cells: Mapping[Method, dict[str, Any]]
) -> list[Method]:
    """What the text names, the untouched first: our choice, the best pair, the best of each kind, one cut-off for all, a rule that weights bring there;
    then the rule that fails most, and the others by what they leave, weights alone before rules."""
    crossing, order = both(study), sorted(cells, key=lambda method: cells[method]["gap"])
    pair = [crossing["method"]] if crossing else []
    named = [o.method for o in (d.choice, *d.rivals, d.sparing) if o]
    fails = [method for method in order if method[0] == BASELINE_WEIGHTING][-1:]
    weighted = [method for method in order if method[1:] == BASELINE[1:]]
    return [BASELINE, *named[:1], *pair, *named, ONE_CUT, *rescued[:1], *fails, *weighted, *order]


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
    for role in (names.RECOMMENDED, names.ALTERNATIVE, names.TOO_DEAR):
        for line in [line for line in lines if line["role"] == role][:LISTED]:
            method = {"method": tuple(line[key] for key in KEYS), "needs": study.attributes.get(line["needs"])}
            figures = {what: together(line, what) for what in ("loss", "change")}
            told.append({"role": role, "gap": line["disparity"]} | method | figures)
    return {"d": decide(study), "candidates": told, "listed": LISTED} if lines else None


def second(results: Results) -> dict[str, Any] | None:
    """The facts of the table `second`: corrections by the first attribute but the page's by which a gap is shown (`attribute`), as `lines` by role.

    nothing; the weighting and the rule that leave least by it; our choice; of pairs of a weighting and a rule that go by both attributes,
    the one with the smallest widest gap (`both`), and that of those that need not be told who somebody is (`unasked`). Of each: the
    `change` of balanced accuracy, by attribute the `gaps` that are left by metric and the widest of them (`most`), the `widest` of all, and
    what it must be told (`needs`). `single`: the rule, else the weighting; `least`: the line of which the widest gap is smallest.
    None where there is no such attribute, or no correction by it.
    """
    d = decide(results)
    attribute = next((f.attribute for f in d.findings if f.sure and f.attribute != d.attribute), None)
    lines = list(_left_by_both(results, d.attribute, attribute)) if attribute else []
    permitted = [line for line in lines if line["method"][1] not in {*names.RANDOMISED, *d.rejected}]
    by_it = [line for line in permitted if attribute.name in line["goes_by"]]
    pairs = [line for line in permitted if line["goes_by"] >= {d.attribute.name, attribute.name}]
    pairs = [line for line in pairs if line["method"][0] != BASELINE[0] and line["method"][1] != BASELINE[1]]
    roles = {
        "none": [line for line in lines if line["method"] == BASELINE],
        "weighting": [line for line in by_it if line["method"][1:] == BASELINE[1:]],
        "rule": [line for line in by_it if line["method"][0] == BASELINE[0]],
        "ours": [line for line in lines if d.change and line["method"] == d.change.method],
        "unasked": [line for line in pairs if line["needs"] is None or not line["needs"].of_patient],
        "both": pairs,
    }
    if not (roles["weighting"] or roles["rule"]):
        return None
    by_role: dict[str, dict[str, Any]] = {}
    for role, candidates in roles.items():
        size = "by_it" if role in ("weighting", "rule") else "widest"
        line = min(candidates, key=itemgetter(size), default=None)
        if line and line["method"] not in [other["method"] for other in by_role.values()]:  # of two roles the first
            place = {"attribute": OVERALL, "contrast": "all", "metric": BALANCED, "unit": PATIENT}
            effect = values.row(results, "effects", **place, **values.keys_of(line["method"]))
            by_role[role] = line | {"role": role, "change": values.estimate(effect)}
    least = min(by_role.values(), key=lambda line: line["widest"])
    single = by_role.get("rule") or by_role["weighting"]
    return {"d": d, "attribute": attribute, "lines": by_role, "single": single, "least": least}


def _left_by_both(results: Results, *attributes: Attribute) -> Iterator[dict[str, Any]]:
    """Of every method what it leaves of the gaps by two attributes, and the attributes that its weights and its rule go by (`goes_by`)."""
    for method in rows(results, "gaps").select(KEYS).unique(maintain_order=True).rows():
        gaps = {attribute.name: by_metric(results, method, attribute) for attribute in attributes}
        if all(gaps.values()):
            most = {name: max(gap.size.value for gap in by.values()) for name, by in gaps.items()}
            needs, weights = results.attributes.get(names.must_know(*method[1:])), names.by_groups(method[0])
            goes_by = {*(weights[1] if weights else ()), method[2]}
            sizes = {"most": most, "by_it": most[attributes[1].name], "widest": max(most.values())}
            yield {"method": method, "gaps": gaps, "needs": needs, "goes_by": goes_by} | sizes
