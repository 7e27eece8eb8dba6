"""What the chapter on post-processing says in its own sentences."""

from statistics import median
from typing import Any

import polars as pl

from lib.names import OVERALL, PATIENT, SHOWN, SUGGESTED, WIDENED, Attribute
from lib.report.facts.decision import Decision, decide
from lib.report.facts.options import Option
from lib.report.facts.rules import Gap, Rule, chosen, followed, main_finding, ours, rules_of, thresholds
from lib.report.facts.values import KNOWN, RULED, UNTREATED, WEIGHTED, Estimate, alone, error_gaps, figure, parts, rows
from lib.results import Results


def adjusting(results: Results) -> dict[str, Any]:
    """What the chapter's own sentences are told.

    `main`: the first finding by the page's attribute; `option`: the best threshold rule; `tried`: names of the study's rules; `widen`: rules by the attribute that are shown or suggested to widen
    one of its gaps; `down`: those that narrow one by levelling down only; `chance`: groups without a signal; `signal`: how many have one;
    `firm`: where that rule cuts; `elsewhere`: what it does to gaps by other attributes; `put_to_use`: the followed gap under that rule, fitted once; `visible`: the change of the followed gap that four of five such studies would see, of the middle one of the rules.
    """
    d = decide(results)
    gap, option = followed(results, d), chosen(d)
    of_rules = rules_of(results, "effects", d.attribute, error_gaps(d.attribute))
    widened = {
        rule: {line["outcome_verdict"] for line in lines if line["outcome"] == WIDENED}
        for rule, lines in of_rules.items()
    }
    detectable = [
        line["detectable"]
        for lines in of_rules.values()
        for line in lines
        if gap and (line["metric"], line["contrast"]) == (gap.metric, gap.contrast) and line["detectable"] is not None
    ]
    chance, signal = _chance(results, d.attribute)
    tried = parts(rows(results, "metrics", RULED, ~WEIGHTED, attribute=OVERALL), "postprocessing")
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
    }


def _firm(results: Results) -> dict[str, tuple[float, float, float]]:
    """The cut-offs of the best threshold rule by group: mean, least and most over folds and networks."""
    cut = thresholds(results)
    best = ours(cut["rules"], cut["d"]) if cut else None
    return cut["rules"][best] if best else {}


def _elsewhere(results: Results, d: Decision, option: Option | None) -> list[dict[str, Any]]:
    """Of each other attribute the widest gap `before` and `after` that rule, and whether any change of its gaps is `seen`."""
    told = []
    for attribute in results.attributes.values():
        if option is None or option.weighting or attribute == d.attribute:
            continue
        keys = Rule(option.rule, option.target).keys
        both = [rows(results, "gaps", error_gaps(attribute), KNOWN, **own) for own in (UNTREATED, keys)]
        if all(gaps.height for gaps in both):
            before, after = (gaps["estimate"].abs().max() for gaps in both)
            changes = rows(results, "effects", error_gaps(attribute), **keys)
            seen = changes.height > 0 and changes["outcome_verdict"].is_in([SHOWN, SUGGESTED]).any()
            told.append({"attribute": attribute, "before": before, "after": after, "seen": bool(seen)})
    return told


def _put_to_use(results: Results, option: Option | None, gap: Gap | None) -> Estimate | None:
    """The followed gap under the best threshold rule, fitted once and used on new patients."""
    if option is None or option.weighting or gap is None:
        return None
    place = {"attribute": gap.attribute.name, "metric": gap.metric, "contrast": gap.contrast}
    return figure(results, "deployed", **Rule(option.rule, option.target).keys, **place)


def _chance(results: Results, attribute: Attribute) -> tuple[list[dict[str, Any]], int]:
    """Groups in which scores are not told to be better than chance, and the number of those in which they are."""
    known = pl.col("low").is_not_null()
    aucs = rows(
        results, "metrics", "estimable", known, attribute=attribute.name, metric="auc", unit=PATIENT, **UNTREATED
    )
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
