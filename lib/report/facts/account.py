"""What is left of the gaps, told once for all: by three judges, attribute by attribute, at lower cut-offs, in a year, at other prevalences."""

from math import ceil, inf, isfinite
from typing import Any

import polars as pl
from scipy.stats import norm

from lib.names import BASELINE_WEIGHTING, ERRORS, HARMFUL, OVERALL, PATIENT, SHOWN, SUGGESTED, Attribute, Method
from lib.report.facts.cohort import ties
from lib.report.facts.decision import IN_EACH, SENSITIVE, decide
from lib.report.facts.gaps import Gap, anew, contrast_of, left_of, of_method, once
from lib.report.facts.values import (
    BETWEEN,
    KEYS,
    KNOWN,
    UNTREATED,
    Estimate,
    alone,
    error_gaps,
    figures,
    parts,
    predictive,
    rate,
    row,
    rows,
)
from lib.report.facts.weightings import both
from lib.report.registry import sentences
from lib.results import Results

RECALIBRATED = ("platt", "isotonic")
"""Rules that make a score mean the same in each group, and cut everyone at 0.5: the first that was tried is told."""
PREVALENCES = (0.05, 0.15)
URGENT = ("Pneumothorax",)
"""Findings of ChestX-ray14 that cannot wait."""
POINTS = ("0.5", SENSITIVE, "TPR 0.95", IN_EACH)
PRECISION = 0.1
"""How exactly a hospital is to know a rate, and a gap: half the length of a 95 % interval."""


def left(results: Results) -> dict[str, Any] | None:
    """The facts of the table `left`: `ways` of judging what our choice leaves (`mean`, `deployed`, `anew`), each with its `gaps` by metric.

    `before`: the gaps without it. `narrower`: made anew, the interval is narrower than that of one fitted rule, though more varies.
    """
    d = decide(results)
    if d.choice is None or d.choice.nothing:
        return None
    contrast = contrast_of(results, d.attribute, d.main)
    keys = dict(zip(KEYS, d.choice.method, strict=True))
    ways = {
        "mean": of_method(results, d.choice.method, d.attribute, contrast),
        "deployed": once(results, "deployed", d.attribute, contrast, **keys),
        "anew": anew(results, d.attribute, contrast),
    }
    ways = {way: gaps for way, gaps in ways.items() if any(gaps.values())}
    before = of_method(results, d.options[0].method, d.attribute, contrast)
    narrower = bool(d.deployed and d.anew) and _width(d.anew) < _width(d.deployed)
    return {"d": d, "ways": ways, "before": before, "narrower": narrower} if ways else None


def _width(gap: Gap) -> float:
    low, high = gap.size.low, gap.size.high
    return float("inf") if low is None or high is None else high - low


def attributes(results: Results) -> dict[str, Any] | None:
    """The facts of the table `attributes`: of each attribute how well the image shows it (`visible`), and its widest gaps before and after our choice.

    `opened` are the gaps of other attributes than the page's that the choice is shown or suggested to open or to widen, with the gap `before`.
    """
    d = decide(results)
    choice = None if d.choice is None or d.choice.nothing else d.choice
    told, opened = [], []
    for attribute in results.attributes.values():
        probe = {"weighting": BASELINE_WEIGHTING, "attribute": attribute.name, "group": "all"}
        visible = alone(row(results, "probes", **probe))
        before = _widest_by_metric(results, d.options[0].method if d.options else None, attribute)
        after = _widest_by_metric(results, choice.method, attribute) if choice else {}
        told.append({"attribute": attribute, "visible": visible, "before": before, "after": after})
        if choice and attribute != d.attribute:
            keys = dict(zip(KEYS, choice.method, strict=True))
            harmful = pl.col("outcome").is_in(HARMFUL) & pl.col("outcome_verdict").is_in([SHOWN, SUGGESTED])
            for line in rows(results, "effects", harmful, error_gaps(attribute), **keys).to_dicts():
                gap = Gap.of(attribute, line["metric"], line["contrast"], left_of(line))
                others = {attribute.reference, attribute.contrasts[line["contrast"]]} - {gap.worse}
                told_of = {"gap": gap, "better": next(iter(others)), "before": abs(line["before"])}
                opened.append(told_of | {"sure": line["outcome_verdict"] == SHOWN})
    known = any(line["before"] for line in told)
    return {"d": d, "choice": choice, "lines": told, "ties": ties(results), "opened": opened} if known else None


def _widest_by_metric(results: Results, method: Method | None, attribute: Attribute) -> dict[str, Gap]:
    """By metric, the widest gap of the attribute that a method leaves."""
    told: dict[str, Gap] = {}
    for contrast in attribute.contrasts if method else ():
        for metric, gap in of_method(results, method, attribute, contrast).items():
            if gap and (metric not in told or gap.size.value > told[metric].size.value):
                told[metric] = gap
    return told


def prevalence_alone(results: Results) -> dict[str, Any] | None:
    """What calibration in each group leaves of the main gap: what is then left is due to how many are sick, and to how scores spread.

    `rule`, `before`, `left` and `change` (in shares of the worse group, above 0 where it narrows); `kinds` by metric. None where it was not tried.
    `sick`: the share of each group; `more`: the group of the two with the larger, whose sick are found and whose healthy alarmed more often then.
    `off`: by group, how far mean scores lie above the share of sick (above 0: they promise too much), with verdicts.
    """
    d = decide(results)
    place = {"weighting": BASELINE_WEIGHTING, "attribute": d.attribute.name, "measure": "mean_error"}
    off = {
        group: value
        for group, value in figures(rows(results, "calibration", "estimable", **place), "group").items()
        if group in d.attribute.groups
    }
    contrast = contrast_of(results, d.attribute, d.main) or next(iter(d.attribute.contrasts))
    told = None
    for rule in RECALIBRATED:
        method = (BASELINE_WEIGHTING, rule, d.attribute.name)
        gaps = of_method(results, method, d.attribute, contrast)
        if all(gaps.values()) and told is None:
            told = {"rule": rule, "left": gaps}
    pair = (d.attribute.contrasts[contrast], d.attribute.reference)
    place = {"split": "valid", "unit": PATIENT, "attribute": d.attribute.name}
    sick = {line["group"]: line["estimate"] for line in rows(results, "composition", KNOWN, **place).to_dicts()}
    more = max(pair, key=sick.__getitem__) if all(group in sick for group in pair) else None
    before = of_method(results, d.options[0].method, d.attribute, contrast) if d.options else {}
    if told is None and not off:
        return None
    return {"d": d, "recalibrated": told, "before": before, "off": off, "sick": sick, "more": more}


def sensitive(results: Results) -> dict[str, Any] | None:
    """The facts of the table `sensitive`: by cut-off (`points`), everyone's and each group's shares of missed and of alarmed.

    One cut-off for everyone, fitted so that 90 (95) of 100 sick are found, then one for each group (`cuts` by group); `gaps` by attribute at each.
    """
    d = decide(results)
    about = pl.col("attribute").is_in([OVERALL, d.attribute.name])
    frame = rows(results, "operating_points", about, "estimable", KNOWN)
    if frame.is_empty():
        return None
    levels = {key: alone(lines[0]) for key, lines in parts(frame.filter(~BETWEEN), "point", "metric", "group").items()}
    apart = frame.filter(BETWEEN)
    points = []
    for point in POINTS:
        groups = [
            {
                "group": group,
                "missed": _less(levels.get((point, "tpr", group))),
                "alarmed": levels.get((point, "fpr", group)),
            }
            for group in ("all", *d.attribute.groups)
        ]
        groups = [group for group in groups if group["missed"] and group["alarmed"]]
        cuts = {
            group: levels[place]
            for group in ("all", *d.attribute.groups)
            if (place := (point, "threshold", group)) in levels
        }
        if point == IN_EACH:  # everyone's own cut-off is that of one for all
            groups, cuts = (
                [own for own in groups if own["group"] != "all"],
                {k: v for k, v in cuts.items() if k != "all"},
            )
        if groups and (point == IN_EACH or groups[0]["group"] == "all"):
            gaps = list(figures(apart.filter(point=point), "contrast", "metric").values())
            points.append({"point": point, "cuts": cuts, "groups": groups, "gaps": gaps})
    return {"d": d, "points": points} if len(points) > 1 else None


def _less(found: Estimate | None) -> Estimate | None:
    """Of a share of found the share of missed."""
    if found is None:
        return None
    ends = (None if end is None else 1 - end for end in (found.high, found.low))
    return Estimate(1 - found.value, *ends)


def worth(results: Results) -> dict[str, Any] | None:
    """The facts of the table `predictive`: of those called sick the share who are (`ppv`), of those called healthy the share who are (`npv`).

    Computed from TPR and FPR of everyone and of each group at each prevalence: 5 %, 15 % and the cohort's own (the group's, `own`).
    """
    d = decide(results)
    told = []
    for attribute, group in ((None, "all"), *((d.attribute, group) for group in d.attribute.groups)):
        name = attribute.name if attribute else OVERALL
        tpr, fpr = (rate(results, metric, name, group, estimable=True) for metric in ERRORS)
        place = {"attribute": name, "group": group, "unit": PATIENT, "split": "valid"}
        valid = rows(results, "composition", KNOWN, **place).to_dicts()
        if not (tpr and fpr and valid):
            continue
        own = valid[0]["estimate"]
        values = {share: predictive(tpr.value, fpr.value, share) for share in (*PREVALENCES, own)}
        told.append({"group": group, "attribute": attribute or OVERALL, "own": own, "values": list(values.values())})
    return {"d": d, "lines": told, "prevalences": PREVALENCES} if told else None


def yearly(results: Results) -> dict[str, Any] | None:
    """The facts of the table `yearly`: what each option that narrows a gap changes in a year, by group."""
    d = decide(results)
    lines = [
        {"option": option, "share": share} for option in d.yearly for share in option.shares if share.yearly is not None
    ]
    return {"d": d, "lines": lines} if lines else None


def missed_findings(results: Results) -> dict[str, Any] | None:
    """`worst`: in each group the finding that is missed most often, with its `share` and `patients`; `urgent`: the same for what cannot wait.

    Of an urgent finding `known` are the groups where enough patients have it, `counts` all of them.
    """
    d = decide(results)
    place = {"attribute": d.attribute.name, "contrast": None}
    lines = [
        {"finding": line["finding"], "group": line["group"], "patients": line["patients"], "share": alone(line)}
        | {"known": line["estimable"] and line["estimate"] is not None}
        for line in rows(results, "misses_by_finding", **place).to_dicts()
    ]
    known = [line for line in lines if line["known"]]
    if not known:
        return None
    worst = [
        max(own, key=lambda line: line["share"].value)
        for group in d.attribute.groups
        if (own := [line for line in known if line["group"] == group])
    ]
    urgent = []
    for finding in URGENT:
        own = [line for line in lines if line["finding"] == finding]
        if own:
            counts = {line["group"]: line["patients"] for line in own}
            urgent.append({"finding": finding, "known": [line for line in own if line["known"]], "counts": counts})
    return {"worst": worst, "urgent": urgent}


@sentences("account")
def account(results: Results) -> dict[str, Any]:
    """What the sentences on what is left are told; each is None where there is nothing to tell."""
    d = decide(results)
    told = {"base": prevalence_alone(results), "missed": missed_findings(results), "both": both(results)}
    return {"d": d, "by_attribute": attributes(results), "needed": needed(results)} | told


def needed(results: Results) -> dict[str, Any]:
    """Patients that a hospital needs: with `each` label in a group for a rate to within `precision`, for a `gap` of two groups to within the same.

    Of the normal approximation, at a rate of one half, where it is widest. `study`: patients like these for a gap of the size of the margin.
    """
    variance = 0.25 * (norm.ppf(0.975) / PRECISION) ** 2
    main = decide(results).main
    line = (
        row(
            results,
            "gaps",
            **UNTREATED,
            attribute=main.attribute.name,
            contrast=main.contrast,
            metric=main.metric,
            unit=PATIENT,
        )
        if main
        else None
    )
    many = line["patients_needed"] if line and isfinite(line["patients_needed"] or inf) else None
    return {"precision": PRECISION, "each": ceil(variance), "gap": ceil(2 * variance), "study": many}
