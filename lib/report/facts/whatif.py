"""What if the score were used otherwise, the seed another, the least sure left to a reader, labels wrong, or one thing held fixed?"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from lib import names
from lib.names import BASELINE, BASELINE_WEIGHTING, ERRORS, NO_TARGET, OVERALL, PATIENT, Attribute, Method
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.gaps import LABELS, Gap, compared, gaps_of, of_method, within
from lib.report.facts.options import ONE_CUT
from lib.report.facts.pictures import scores
from lib.report.facts.rules import thresholds
from lib.report.facts.values import BALANCED, KEYS, Estimate, Row, alone, figures, parts, rows
from lib.report.facts.weightings import weights
from lib.results import Results

RECALIBRATED = ("platt", "isotonic")
"""Rules that make a score mean the same in each group, and then take the one level that is best for all: the first that was tried is told."""


def _by_group(by_place: dict[tuple[str, Any], Estimate], attribute: Attribute) -> dict[str, dict[Any, Estimate]]:
    """Figures by group and another key, everyone first, then the groups in their order."""
    order = [group for group in ("all", *attribute.groups) if any(key[0] == group for key in by_place)]
    return {group: {key[1]: value for key, value in by_place.items() if key[0] == group} for group in order}


def net_benefit(results: Results) -> dict[str, Any] | None:
    """`groups`: by group, everyone (`all`) first, the gain over calling all or nobody, as an Estimate by threshold; `above`: where its interval lies above 0."""
    d = decide(results)
    known = (pl.col("attribute").is_in([OVERALL, d.attribute.name]), "estimable", pl.col("low").is_not_null())
    gains = rows(results, "net_benefit", *known, metric="gain")
    gains = gains if gains.is_empty() else gains.sort("threshold", maintain_order=True)
    groups = _by_group(figures(gains, "group", "threshold"), d.attribute)
    above = {group: [cut for cut, gain in curve.items() if gain.low > 0] for group, curve in groups.items()}
    below = {group: [cut for cut, gain in curve.items() if gain.high < 0] for group, curve in groups.items()}
    return {"d": d, "groups": groups, "above": above, "below": below} if groups else None


def seed_decisions(results: Results) -> dict[str, Any] | None:
    """`groups`: by group, everyone first, the chance that two networks disagree, by label (`sick`, `healthy`); `apart`: differences that are seen."""
    d = decide(results)
    about = pl.col("attribute").is_in([OVERALL, d.attribute.name])
    frame = rows(results, "seed_decisions", about, "estimable", metric="disagreement")
    if frame.is_empty():
        return None
    groups = _by_group(figures(frame.filter(~values.BETWEEN), "group", "among"), d.attribute)
    if "all" not in groups:
        return None
    differences = figures(frame.filter(values.BETWEEN, among="all"), "group")
    apart = [(group, difference) for group, difference in differences.items() if difference.seen]
    return {"d": d, "groups": groups, "apart": apart, "networks": int(frame["networks"].max())}


def abstention(results: Results) -> dict[str, Any] | None:
    """`rates[metric][group]`: by the share that is referred, of `referred`, `tpr` and `fpr`; `apart`: differences at the largest share, with verdicts."""
    d = decide(results)
    frame = rows(results, "abstention", "estimable", values.KNOWN, attribute=d.attribute.name)
    if frame.is_empty():
        return None
    frame = frame.sort("share")
    levels = frame.filter(~values.BETWEEN)
    of = {metric: levels.filter(metric=metric) for metric in levels["metric"].unique(maintain_order=True)}
    rates = {metric: _by_group(figures(own, "group", "share"), d.attribute) for metric, own in of.items()}
    if not {"referred", "tpr", "fpr"} <= rates.keys():
        return None
    share = 0.2 if 0.2 in frame["share"] else frame["share"].max()
    differences = figures(frame.filter(values.BETWEEN), "share", "metric", "group")
    apart: dict[str, list[tuple[str, Estimate, Estimate | None]]] = {}
    for (at, metric, group), difference in differences.items():
        if at == share:
            apart.setdefault(metric, []).append((group, difference, differences.get((0.0, metric, group))))
    return {"d": d, "rates": rates, "share": share, "apart": apart}


def label_errors(results: Results) -> dict[str, Any] | None:
    """`shown`: the findings of which it is known how many wrong labels would make them vanish (`Finding.blind`)."""
    shown = [finding for finding in decide(results).findings if finding.blind]
    return {"shown": shown} if shown else None


def sliding(results: Results) -> dict[str, Any] | None:
    """`groups`: scores of the sick and the healthy of each group; `people`: (sick, healthy) patients, as many as they count for; `rules`: mean thresholds.

    `rules` has the one cut-off 0.5 first. A patient in two groups counts in each of them, but once among everyone: `people` are weighed so that
    at that cut-off all groups together have everyone's rates.
    """
    d = decide(results)
    groups = scores(results, d.attribute)
    if len(groups) < 2:
        return None
    here = values.judged(results, d.attribute.name)
    if any(own["group"] not in here for own in groups):
        return None
    members = {own["group"]: (here[own["group"]]["patients"], here[own["group"]]["estimate"]) for own in groups}
    people = {group: (patients * sick, patients * (1 - sick)) for group, (patients, sick) in members.items()}
    people = _weighed(people, groups, values.rate(results, "tpr"), values.rate(results, "fpr"))
    cut = thresholds(results)
    fitted = {rule: cuts for rule, cuts in (cut["rules"] if cut else {}).items() if people.keys() <= cuts.keys()}
    rules = {BASELINE: dict.fromkeys(people, 0.5)}
    rules |= {rule: {group: cuts[group][0] for group in people} for rule, cuts in fitted.items()}
    return {"d": d, "groups": groups, "people": people, "rules": rules}


def _weighed(
    people: dict[str, tuple[float, float]], groups: Sequence[dict[str, Any]], *everyone: Estimate | None
) -> dict[str, tuple[float, float]]:
    """The people of each group, tilted along the group's rates until their mean is everyone's; as they are where no tilt does it."""
    sides = []
    for k, (label, aim) in enumerate(zip(("sick", "healthy"), everyone, strict=True)):
        counts = np.array([own[k] for own in people.values()])
        above = [_above(own[label]) for own in groups]
        mean = np.average(above, weights=counts) if counts.sum() else 0.0
        spread = np.average((above - mean) ** 2, weights=counts) if counts.sum() else 0.0
        tilt = 1 + (aim.value - mean) * (above - mean) / spread if aim and spread > 0 else np.ones(len(counts))
        sides.append(counts * tilt if (tilt > 0).all() else counts)
    return dict(zip(people, zip(*(side.tolist() for side in sides), strict=True), strict=True))


def _above(bars: Sequence[dict[str, float]]) -> float:
    """The share of a histogram from 0.5 on; a bar that is cut counts in proportion."""
    shares = [bar["share"] for bar in bars]
    part = [min(1.0, max(0.0, (bar["end"] - 0.5) / (bar["end"] - bar["start"]))) for bar in bars]
    return float(np.dot(shares, part) / sum(shares))


class Outcome(NamedTuple):
    """What methods are compared on: balanced accuracy of everyone, or a gap (`contrast`) by an attribute."""

    metric: str
    attribute: Attribute | None
    contrast: str


def combinations(results: Results) -> dict[str, Any] | None:
    """By attribute: its `rules`, and the `cells` of every weighting and rule by `Outcome`; the `weightings` are the same for all.

    A cell has the `level` of a method and its `change`, with intervals (None: not estimable), what the change is called (`outcome`), and the `verdict`.
    """
    methods = parts(rows(results, "metrics", unit=PATIENT, attribute=OVERALL, metric=BALANCED), *KEYS)
    if len(methods) < 2:
        return None
    tables = {}
    for attribute in results.attributes.values():
        aimed = dict.fromkeys(method[1:] for method in methods if method[2] in (NO_TARGET, attribute.name))
        outcomes = [Outcome(m, attribute, contrast) for contrast in attribute.contrasts for m in ERRORS]
        outcomes.append(Outcome(BALANCED, None, "all"))
        tables[attribute.name] = {
            "rules": list(aimed),
            "cells": {outcome: _cells(results, outcome) for outcome in outcomes},
        }
    weightings = list(dict.fromkeys(method[0] for method in methods))
    return {"d": decide(results), "weightings": weightings, "tables": tables}


def _cells(results: Results, outcome: Outcome) -> dict[Method, dict[str, Any]]:
    place = {"attribute": outcome.attribute.name if outcome.attribute else OVERALL, "metric": outcome.metric}
    column = {"contrast": outcome.contrast} if outcome.attribute else {"group": "all"}
    levels = parts(rows(results, "gaps" if outcome.attribute else "metrics", unit=PATIENT, **place, **column), *KEYS)
    changes = parts(rows(results, "effects", unit=PATIENT, contrast=outcome.contrast, **place), *KEYS)
    cells = {}
    for method, (level, *_) in levels.items():
        change = changes[method][0] if method in changes else None
        said = {"outcome": change["outcome"], "verdict": change["outcome_verdict"]} if change else {}
        cells[method] = {"level": alone(level), "change": alone(change)} | said
    return cells


def held(results: Results) -> dict[str, Any] | None:
    """The facts of the table `held`: `lines`, the untouched gaps first. None where the page has no gap, or nothing was held fixed."""
    d = decide(results)
    if d.main is None or d.main.attribute != d.attribute:
        return None
    lines = [line | {"gaps": dict.fromkeys(ERRORS) | line["gaps"]} for line in _lines(results, d, d.main.contrast)]
    lines = [line for line in lines if any(line["gaps"].values())]
    return {"d": d, "lines": lines} if len(lines) > 1 else None


def _lines(results: Results, d: Decision, contrast: str) -> Iterator[Row]:
    """What is held (`what`), the `gaps` that then stay, by metric, and what names it: `method`, `patients` by metric, `other`, `share`."""
    attribute = d.attribute

    def under(method: Method) -> dict[str, Gap | None]:
        return of_method(results, method, attribute, contrast)

    yield {"what": "nothing", "gaps": under(BASELINE)}
    if same := within(results, attribute, contrast):
        told = {metric: same[label]["called"] for metric, label in LABELS.items() if label in same}
        patients = {metric: same[label]["patients"] for metric, label in LABELS.items() if label in same}
        yield {"what": "patient", "gaps": gaps_of(attribute, contrast, told), "patients": patients}
    if tie := breaking(results):
        yield {"what": "tie", "gaps": under((tie, *BASELINE[1:])), "method": tie}
    yield {"what": "cut", "gaps": under(ONE_CUT)}
    if told := recalibrated(results, attribute, contrast):
        yield {"what": "meaning", "gaps": told["left"], "method": told["rule"]}
    where = {"attribute": attribute.name, "contrast": contrast}
    same_findings = values.figure(results, "gap_by_findings", **where, metric="tpr", part="same findings")
    share = compared(results, attribute, contrast)
    yield {"what": "findings", "gaps": gaps_of(attribute, contrast, {"tpr": same_findings}), "share": share}
    for other in (other for other in results.attributes.values() if other != attribute):
        place = {"stratifier": other.name, "stratum": names.STANDARDISED, "split": "valid"}
        alike = {metric: values.figure(results, "simpson", **where, **place, metric=metric) for metric in ERRORS}
        told = {"gaps": gaps_of(attribute, contrast, alike), "other": other}
        unknown = [
            metric for metric in ERRORS if alike[metric] is None and values.row(results, "simpson", **where, **place)
        ]
        yield {"what": "other", "unknown": unknown} | told
    for what, part in (("ranking", "operating point"), ("errors", "discrimination")):
        told = {metric: values.figure(results, "gap_parts", **where, metric=metric, part=part) for metric in ERRORS}
        yield {"what": what, "gaps": gaps_of(attribute, contrast, told)}


def breaking(results: Results) -> str | None:
    """The weighting that breaks the tie of the group with the label, of several the one that is best by its effect."""
    w = weights(results)
    known = [seen for seen in w["breaking"] if seen["effect"]] if w and w["tied"] else []
    first = [seen for seen in known if seen["narrows"]] or known
    widest = {seen["weighting"]: seen["effect"]["widest"] for seen in first if seen["effect"]["widest"] is not None}
    offered = [option.weighting for option in decide(results).options if option.weighting in widest and not option.rule]
    return next(iter(offered), min(widest, key=widest.__getitem__, default=None))


def recalibrated(results: Results, attribute: Attribute, contrast: str) -> dict[str, Any] | None:
    """What a `rule` that corrects the scores in each group and then takes one cut-off leaves (`left`, by metric); None where none was tried."""
    for rule in RECALIBRATED:
        gaps = of_method(results, (BASELINE_WEIGHTING, rule, attribute.name), attribute, contrast)
        if all(gaps.values()):
            return {"rule": rule, "left": gaps}
    return None
