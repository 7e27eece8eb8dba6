"""What rules that adjust decisions do: fitted here and judged there, told wrong groups, and where they cut."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import polars as pl

from lib.names import (
    BASELINE_GAPS,
    BASELINE_WEIGHTING,
    NO_TARGET,
    OVERALL,
    PATIENT,
    RANDOMISED,
    SHOWN,
    SUGGESTED,
    WIDENED,
    Attribute,
)
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.effects import Other, others
from lib.report.facts.findings import Finding
from lib.report.facts.gaps import widest_gap
from lib.report.facts.options import Option
from lib.report.facts.values import BALANCED, KEYS, UNTREATED, Estimate, alone, estimate, figure, parts, row, rows
from lib.report.registry import sentences
from lib.results import Results

Gap = dict[str, Any]
"""The row of the one gap that rules are followed by, and its `attribute`."""


@dataclass(frozen=True)
class Rule:
    """A rule, and the attribute that it acts on (None: none)."""

    name: str
    target: Attribute | None

    @property
    def keys(self) -> dict[str, str]:
        """Where the bundle has the rule, for the untouched networks."""
        return UNTREATED | {"postprocessing": self.name, "target": self.target.name if self.target else NO_TARGET}


def main_finding(d: Decision) -> Finding | None:
    """The first of the findings by the page's attribute, which need not be the first of all."""
    return next((finding for finding in d.findings if finding.attribute == d.attribute), None)


def followed(results: Results, d: Decision) -> Gap | None:
    """The gap of the main finding, else the widest by the page's attribute; None where none is estimable."""
    main = main_finding(d)
    finding = {"metric": main.metric, "contrast": main.contrast} if main else {}
    gap = widest_gap(results, d.attribute, family=BASELINE_GAPS, **finding)
    return gap and gap | {"attribute": d.attribute}


def _place(gap: Gap) -> dict[str, str]:
    """Where a table has the gap."""
    return {"attribute": gap["attribute"].name, "metric": gap["metric"], "contrast": gap["contrast"]}


def chosen(d: Decision) -> Option | None:
    """The best threshold rule of the decision page."""
    return next((option for option in d.options if option.kind == "threshold rule"), None)


def rules_of(
    results: Results, table: str, by: Attribute, /, *conditions: pl.Expr | str, **keys: Any
) -> dict[Rule, list[dict[str, Any]]]:
    """The rows of each rule that acts on the attribute (`by`) or on none, of the baseline's networks, in the order of the bundle."""
    frame = rows(results, table, values.acts_on(by), values.RULED, ~values.WEIGHTED, *conditions, **keys)
    by = parts(frame, "postprocessing", "target")
    return {Rule(name, results.attributes.get(target)): lines for (name, target), lines in by.items()}


def ours(rules: Iterable[Rule], d: Decision) -> Rule | None:
    """Of these rules the one that the decision page has as its best threshold rule."""
    best = chosen(d)
    return next((rule for rule in rules if best and (rule.name, rule.target) == (best.rule, best.target)), None)


def optimism(results: Results) -> dict[str, Any] | None:
    """`rules`: `balanced` accuracy and the followed `gap` by rule; `worst`, the rule that its own patients flatter most.

    Each on the patients that chose the rule (`naive`), on others (`held_out`), the difference (`optimism`), and of the one rule that
    would be `deployed`, on new patients.
    """
    d = decide(results)
    gap = followed(results, d)
    told = {}
    for rule in rules_of(results, "optimism", d.attribute):
        balanced = _thrice(results, rule, attribute=OVERALL, metric=BALANCED, contrast="all")
        if balanced:
            told[rule] = {"balanced": balanced, "gap": gap and _thrice(results, rule, **_place(gap))}
    if not told:
        return None
    worst = max(told, key=lambda rule: told[rule]["balanced"]["optimism"].value)
    return {"d": d, "gap": gap, "rules": told, "worst": worst, "ours": ours(told, d)}


def _thrice(results: Results, rule: Rule, **place: str) -> dict[str, float | Estimate | None] | None:
    line = row(results, "optimism", **rule.keys, **place)
    if line is None or None in (line["naive"], line["cross_fitted"], line["estimate"]):
        return None
    told = {"naive": line["naive"], "held_out": line["cross_fitted"], "optimism": estimate(line)}
    return told | {"deployed": figure(results, "deployed", **rule.keys, **place)}


def thresholds(results: Results) -> dict[str, Any] | None:
    """`rules`: by rule, in each group (mean, smallest, largest) over folds and networks; `widest`, the rule and group where they lie furthest apart."""
    d = decide(results)
    told = {}
    for rule, lines in rules_of(results, "thresholds", d.attribute, pl.col("threshold").is_not_null()).items():
        cuts = {line["group"]: (line["threshold"], line["low"], line["high"]) for line in lines}
        told[rule] = dict.fromkeys(d.attribute.groups, cuts["all"]) if "all" in cuts else cuts
    if not told:
        return None
    places = [(rule, group) for rule, cuts in told.items() for group in cuts]
    rule, group = max(places, key=lambda place: told[place[0]][place[1]][2] - told[place[0]][place[1]][1])
    return {"d": d, "rules": told, "widest": rule, "group": group, "range": told[rule][group][1:]}


def wrong_groups(results: Results) -> dict[str, Any] | None:
    """`lines`: by rule, the followed gap by the share of patients whose group is told wrong; `ours`, the rule that is read.

    `back`: under it the gap grows with that share, up to the largest, `most`, and the interval of the change leaves 0 out.
    """
    d = decide(results)
    gap = followed(results, d)
    if gap is None:
        return None
    by_rule = rules_of(results, "group_misclassification", d.attribute, values.KNOWN, **_place(gap))
    by_rule = {rule: sorted(rows, key=lambda line: line["wrong"]) for rule, rows in by_rule.items()}
    if not by_rule:
        return None
    lines = {rule: {line["wrong"]: estimate(line) for line in rows} for rule, rows in by_rule.items()}
    read = ours(lines, d) or min(lines, key=lambda rule: abs(by_rule[rule][0]["estimate"]))
    first, last = by_rule[read][0], by_rule[read][-1]
    sure = last["change_low"] is not None and (last["change_low"] > 0 or last["change_high"] < 0)
    back = sure and main_finding(d) is not None and abs(last["estimate"]) > abs(first["estimate"])
    return {"d": d, "gap": gap, "lines": lines, "ours": read, "most": last["wrong"], "back": back}


def replaced(results: Results) -> dict[str, Any] | None:
    """What calibrated odds by the page's attribute did to each group; `most`, where the TPR changed most.

    `shown` are rows of `replaced_scores`, with the TPR `before` and `after`, and its `change` with the verdict on it.
    """
    d = decide(results)
    told = []
    known = pl.col("share").is_not_null()
    where = {"weighting": BASELINE_WEIGHTING, "target": d.attribute.name}
    for line in rows(results, "replaced_scores", known, **where).to_dicts():
        place = {"attribute": d.attribute.name, "contrast": line["group"], "metric": "tpr", "unit": PATIENT}
        effect = row(results, "effects", **{key: line[key] for key in KEYS}, **place)
        if effect and effect["estimate"] is not None:
            change = replace(alone(effect), verdict=effect["outcome_verdict"])
            rates = {"before": effect["before"], "after": effect["before"] + change.value, "change": change}
            told.append(line | rates | {"called_sick": line["called_sick"] >= 0.5})
    most = max(told, key=lambda line: abs(line["change"].value) * (line["share"] > 0), default=None)
    return {"d": d, "shown": told, "most": most} if told else None


@sentences("adjusting")
@sentences("rules")
def adjusting(results: Results) -> dict[str, Any]:
    """What the sentences of the chapter on post-processing are told.

    `main`: the first finding by the page's attribute; `option`: the best threshold rule; `tried`: names of the study's rules; `widen`: rules by the attribute that are shown or suggested to widen
    one of its gaps; `down`: those that narrow one by levelling down only; `chance`: groups without a signal; `signal`: how many have one;
    `firm`: where that rule cuts; `elsewhere`: what it does to gaps by other attributes (`Other`), by error; `coins` and `rejected`: rules that are tried and never chosen;
    `put_to_use`: the followed gap under that rule, fitted once; `visible`: the change of the followed gap that four of five such studies would see, of the middle one of the rules.
    """
    d = decide(results)
    gap, option = followed(results, d), chosen(d)
    of_rules = rules_of(results, "effects", d.attribute, values.error_gaps(d.attribute))
    widened = {
        rule: {line["outcome_verdict"] for line in lines if line["outcome"] == WIDENED}
        for rule, lines in of_rules.items()
    }
    detectable = [
        line["detectable"]
        for lines in of_rules.values()
        for line in lines
        if gap and all(line[key] == gap[key] for key in ("metric", "contrast")) and line["detectable"] is not None
    ]
    chance, signal = _chance(results, d.attribute)
    tried = parts(rows(results, "metrics", values.RULED, ~values.WEIGHTED, attribute=OVERALL), "postprocessing")
    return {
        "d": d,
        "gap": gap,
        "main": main_finding(d),
        "option": option,
        "tried": list(tried),
        "widen": tuple(rule for rule, verdicts in widened.items() if SHOWN in verdicts),
        "may_widen": tuple(r for r, verdicts in widened.items() if SUGGESTED in verdicts and SHOWN not in verdicts),
        "chance": chance,
        "signal": signal,
        "visible": median(detectable) if detectable else None,
        "put_to_use": _put_to_use(results, option, gap),
        "demographic": tuple(a for a in results.attributes.values() if a.of_patient),
        "acquired": tuple(a for a in results.attributes.values() if not a.of_patient),
        "higher": _higher(d),
        "folds": results.manifest["settings"].get("audit", {}).get("folds"),
        "firm": _firm(results),
        "elsewhere": _elsewhere(results, d, option),
        "coins": [name for name in tried if name in RANDOMISED],
        "rejected": [
            name for name in tried if name in results.manifest["settings"].get("preferences", {}).get("rejected", ())
        ],
    }


def _firm(results: Results) -> dict[str, tuple[float, float, float]]:
    """The cut-offs of the best threshold rule by group: mean, least and most over folds and networks."""
    cut = thresholds(results)
    best = ours(cut["rules"], cut["d"]) if cut else None
    return cut["rules"][best] if best else {}


def _elsewhere(results: Results, d: Decision, option: Option | None) -> list[Other]:
    """By other attribute and error, the widest gap under that rule, and what that very gap was before; ."""
    if option is None or option.weighting:
        return []
    widest: dict[tuple[str, str], Other] = {}
    for own in others(results, d.attribute, option.method):
        place = (own["gap"].attribute.name, own["gap"].error)
        if place not in widest or own["gap"].size.value > widest[place]["gap"].size.value:
            widest[place] = own
    return list(widest.values())


def _put_to_use(results: Results, option: Option | None, gap: Gap | None) -> Estimate | None:
    """The followed gap under the best threshold rule, fitted once and used on new patients."""
    if option is None or option.weighting or gap is None:
        return None
    return figure(results, "deployed", **Rule(option.rule, option.target).keys, **_place(gap))


def _chance(results: Results, attribute: Attribute) -> tuple[list[dict[str, Any]], int]:
    """Groups in which scores are not told to be better than chance, and the number of those in which they are."""
    known = pl.col("low").is_not_null()
    place = UNTREATED | {"attribute": attribute.name, "metric": "auc", "unit": PATIENT}
    aucs = rows(results, "metrics", "estimable", known, **place)
    groups = [{"group": r["group"], "auc": alone(r)} for r in aucs.to_dicts()]
    flat = [group for group in groups if group["auc"].low <= 0.5]
    return flat, len(groups) - len(flat)


def _higher(d: Decision) -> str | None:
    """The group that is alarmed more and missed less than another, both shown: its scores lie higher, of the sick and of the healthy."""
    main = main_finding(d)
    if main is None:
        return None
    by_error = {
        finding.error: finding
        for finding in d.findings
        if finding.sure and (finding.attribute, finding.contrast) == (d.attribute, main.contrast)
    }
    if len(by_error) < 2 or by_error["missed"].better != by_error["alarmed"].worse:
        return None
    return by_error["alarmed"].worse
