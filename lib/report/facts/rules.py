"""What rules that adjust decisions do: fitted here and judged there, told wrong groups, and where they cut."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import polars as pl

from lib import names
from lib.names import BASELINE_GAPS, ERRORS, OVERALL, PATIENT, RANDOMISED, SHOWN, SUGGESTED, Attribute, Method
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.gaps import of_method, once, others, widest_gap
from lib.report.facts.values import KEYS, Estimate, Row, alone, estimate, figure, figures, keys_of, parts, row, rows
from lib.report.registry import sentences
from lib.results import Results


def followed(results: Results, d: Decision) -> Row | None:
    """The row of the gap of the first finding by the page's attribute, else of the widest by it, its `attribute`, and its `place` in other tables.

    None where none is estimable.
    """
    finding = {"metric": d.own.metric, "contrast": d.own.contrast} if d.own else {}
    gap = widest_gap(results, d.attribute, family=BASELINE_GAPS, **finding)
    place = gap and {key: gap[key] for key in ("attribute", "metric", "contrast")}
    return gap and gap | {"attribute": d.attribute, "place": place}


def rules_of(results: Results, table: str, by: Attribute, /, *conditions: Any, **keys: Any) -> dict[Method, list[Row]]:
    """The rows of each rule that acts on the attribute (`by`) or on none, of the baseline's networks, in the order of the bundle."""
    return parts(rows(results, table, values.acts_on(by), values.RULED, ~values.WEIGHTED, *conditions, **keys), *KEYS)


def ours(rules: Mapping[Method, Any], d: Decision) -> Method | None:
    """The best threshold rule of the decision page, if it is one of these."""
    return d.rule.method if d.rule and d.rule.method in rules else None


def optimism(results: Results) -> dict[str, Any] | None:
    """`rules`: by rule `balanced` accuracy and its gaps (by metric, of the followed `contrast`); `worst`, the rule that its own patients flatter most.

    Each on the patients that chose the rule (`naive`), on others (`held_out`), the difference (`optimism`), and of the one rule that
    would be `deployed`, on resampled patients.
    """
    d = decide(results)
    gap = followed(results, d)
    told = {}
    for rule in rules_of(results, "optimism", d.attribute):
        if balanced := _thrice(results, rule, attribute=OVERALL, metric=values.BALANCED, contrast="all"):
            gaps = {metric: gap and _thrice(results, rule, **gap["place"] | {"metric": metric}) for metric in ERRORS}
            told[rule] = {"balanced": balanced} | gaps
    if not told:
        return None
    worst = max(told, key=lambda rule: told[rule]["balanced"]["optimism"].value)
    mine = ours(told, d)
    return {"d": d, "gap": gap, "rules": told, "worst": worst, "ours": mine, "judged": _judged(results, d, mine, gap)}


def _judged(results: Results, d: Decision, rule: Method | None, gap: Row | None) -> list[dict[str, Any]]:
    """Of the gaps by metric that the rule leaves, those known both ways: in the `mean` over fits and `once`, under one rule fitted once (each a
    Gap); `surer`: the interval of the mean is narrower, by a tenth at least."""
    if rule is None or gap is None:
        return []
    place, told = (d.attribute, gap["contrast"]), []
    fitted = once(results, "deployed", *place, **keys_of(rule))
    for metric, mean in of_method(results, rule, *place).items():
        if mean and fitted[metric] and None not in (mean.size.low, fitted[metric].size.low):
            one, many = fitted[metric].size, mean.size
            width, of_mean = one.high - one.low, many.high - many.low
            told.append({"once": fitted[metric], "mean": mean, "surer": of_mean < 0.9 * width})
    return told


def _thrice(results: Results, rule: Method, **place: str) -> dict[str, float | Estimate | None] | None:
    place |= keys_of(rule)
    line = row(results, "optimism", **place)
    if line is None or None in (line["naive"], line["cross_fitted"], line["estimate"]):
        return None
    told = {"naive": line["naive"], "held_out": line["cross_fitted"], "optimism": estimate(line)}
    return told | {"deployed": figure(results, "deployed", **place)}


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
    by_rule = rules_of(results, "group_misclassification", d.attribute, values.KNOWN, **gap["place"])
    by_rule = {rule: sorted(told, key=lambda line: line["wrong"]) for rule, told in by_rule.items()}
    if not by_rule:
        return None
    lines = {rule: {line["wrong"]: estimate(line) for line in told} for rule, told in by_rule.items()}
    read = ours(lines, d) or min(lines, key=lambda rule: abs(by_rule[rule][0]["estimate"]))
    first, last = by_rule[read][0], by_rule[read][-1]
    sure = last["change_low"] is not None and (last["change_low"] > 0 or last["change_high"] < 0)
    back = sure and d.own is not None and abs(last["estimate"]) > abs(first["estimate"])
    return {"d": d, "gap": gap, "lines": lines, "ours": read, "most": last["wrong"], "back": back}


def replaced(results: Results) -> dict[str, Any] | None:
    """What calibrated odds by the page's attribute did to each group; `most`, where the TPR changed most.

    `shown` are rows of `replaced_scores`, with the TPR `before` and `after`, and its `change` with the verdict on it.
    """
    d = decide(results)
    told = []
    known, target = pl.col("share").is_not_null(), d.attribute.name
    for line in rows(results, "replaced_scores", known, ~values.WEIGHTED, target=target).to_dicts():
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
    `put_to_use`: the gaps under that rule, in the mean and fitted once; `visible`: the change of the followed gap that four of five such studies would see, of the middle one of the rules.
    """
    d, cut = decide(results), thresholds(results)
    gap, option = followed(results, d), d.rule
    of_rules = rules_of(results, "effects", d.attribute, values.error_gaps(d.attribute))
    widening = {rule: [line for line in lines if line["outcome"] == names.WIDENED] for rule, lines in of_rules.items()}
    widened = {rule: {line["outcome_verdict"] for line in lines} for rule, lines in widening.items()}
    changes = [line for lines in of_rules.values() for line in lines if gap and line["detectable"] is not None]
    detectable = [line["detectable"] for line in changes if all(line[k] == gap[k] for k in ("metric", "contrast"))]
    place = values.UNTREATED | {"attribute": d.attribute.name, "metric": "auc", "unit": PATIENT}
    aucs = figures(rows(results, "metrics", "estimable", pl.col("low").is_not_null(), **place), "group")
    chance = [{"group": group, "auc": auc} for group, auc in aucs.items() if auc.low <= 0.5]
    tried = parts(rows(results, "metrics", values.RULED, ~values.WEIGHTED, attribute=OVERALL), "postprocessing")
    best = ours(cut["rules"], d) if cut else None
    single = option if option and not option.weighting else None
    elsewhere = others(results, d.attribute, single.method) if single else []
    # of those by one attribute in one kind of error, the widest
    widest = {(o["gap"].attribute, o["gap"].error): o for o in sorted(elsewhere, key=lambda o: o["gap"].size.value)}
    return {
        "d": d,
        "gap": gap,
        "main": d.own,
        "option": option,
        "tried": list(tried),
        "widen": tuple(rule for rule, verdicts in widened.items() if SHOWN in verdicts),
        "may_widen": tuple(r for r, verdicts in widened.items() if SUGGESTED in verdicts and SHOWN not in verdicts),
        "chance": chance,
        "signal": len(aucs) - len(chance),
        "visible": median(detectable) if detectable else None,
        "put_to_use": _judged(results, d, best, gap) if single else [],
        "demographic": tuple(a for a in results.attributes.values() if a.of_patient),
        "acquired": tuple(a for a in results.attributes.values() if not a.of_patient),
        "higher": _higher(d),
        "folds": results.manifest["settings"].get("audit", {}).get("folds"),
        "firm": cut["rules"][best] if best else {},
        "elsewhere": list(widest.values()),
        "coins": [name for name in tried if name in RANDOMISED],
        "rejected": [name for name in tried if name in d.rejected],
    }


def _higher(d: Decision) -> str | None:
    """The group that is alarmed more and missed less than another, both shown: its scores lie higher, of the sick and of the healthy."""
    same = [f for f in d.findings if d.own and f.sure and (f.attribute, f.contrast) == (d.attribute, d.own.contrast)]
    by_error = {finding.error: finding for finding in same}
    if len(by_error) < 2 or by_error["missed"].better != by_error["alarmed"].worse:
        return None
    return by_error["alarmed"].worse
