"""The untouched classifier group by group: levels, gaps, calibration, demands of fairness, crossings, what it makes of the groups."""

from typing import Any

import polars as pl

from lib.names import BASELINE_WEIGHTING, CROSSED, DEMANDS, ERRORS, OVERALL, PATIENT
from lib.report.facts.decision import decide
from lib.report.facts.values import BALANCED, UNTREATED, alone, figure, figures, parts, rate, rows
from lib.report.registry import sentences
from lib.results import Results

LEVELS = ("tpr", "fpr", "auc")
QUANTITIES = ("data", "model", "excess")


def _lines(results: Results, frame: pl.DataFrame, names: tuple[str, ...], column: str, by: str) -> dict | None:
    """`lines`: one for each difference (`by` "contrast"); or for everyone (`attribute` is None), then one for each group (`by` "group").

    `cells` are figures by name, None: not estimable; `seen`, those that are shown or suggested. None where no figure is estimable.
    """
    places = [(a, part) for a in results.attributes.values() for part in (a.groups if by == "group" else a.contrasts)]
    known, told = figures(frame, "attribute", by, column), []
    for attribute, part in [(None, None), *places] if by == "group" else places:
        where = (attribute.name if attribute else OVERALL, part or "all")
        cells = {name: known.get((*where, name)) for name in names}
        seen = [(name, cell) for name, cell in cells.items() if cell is not None and cell.seen]
        line = {"attribute": attribute, "group": None, "contrast": None, "cells": cells, "seen": seen}
        told.append(line | {by: part})
    return {"d": decide(results), "lines": told} if any(any(line["cells"].values()) for line in told) else None


def of_gaps(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `baseline_gaps`: the differences between groups in TPR, FPR and AUC."""
    return _lines(results, rows(results, "gaps", **UNTREATED, unit=PATIENT), LEVELS, "metric", "contrast")


def of_groups(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `baseline_groups`: TPR, FPR and AUC of everyone and of each group."""
    return _lines(results, rows(results, "metrics", **UNTREATED, unit=PATIENT), LEVELS, "metric", "group")


def of_calibration(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `calibration`: mean score less share of sick, and slope, of everyone and of each group.

    `off` are the lines that are told to be off, `sure` those that surely are.
    """
    frame = rows(results, "calibration", weighting=BASELINE_WEIGHTING)
    told = _lines(results, frame, ("mean_error", "slope"), "measure", "group")
    # a slope is tested against 1: its verdict is about the distance from there
    off = [line for line in told["lines"] if line["seen"]] if told else []
    return told and told | {"off": off, "sure": [o for o in off if any(cell.shown for _, cell in o["seen"])]}


def of_parity(results: Results) -> dict[str, Any] | None:
    """The facts of the table `parity`: each demand of `lib.names.DEMANDS` as one figure for each attribute, of the untouched baseline."""
    lines = rows(results, "parity", **UNTREATED).to_dicts()
    by = {(line["measure"], line["attribute"]): line["estimate"] for line in lines}
    of = {name: {attribute: by.get((name, attribute)) for attribute in results.attributes} for name in DEMANDS}
    demands = [{"name": name, "ratio": name.endswith("ratio"), "values": values} for name, values in of.items()]
    return {"demands": demands} if by else None


def of_crossings(results: Results) -> dict[str, Any] | None:
    """The facts of the table `pooled_crossings`: `found`, every crossing of two groups; `worst`: of each two attributes the crossing that is missed most, and the one that is alarmed most.

    TPR and FPR by themselves (`raw`), and drawn towards what both groups say alone (`pooled`), with 95 % intervals; `patients` of the
    smaller label; `differs`: the rates that are shown or suggested to differ from everyone's, with the verdict.
    """
    by_groups = parts(rows(results, "pooled_crossings"), "attribute", "group")
    found: list[dict[str, Any]] = []
    known: dict[str, list[dict[str, Any]]] = {}
    for (attribute, group), lines in by_groups.items():
        by = {line["metric"]: line for line in lines}
        one, two = (results.attributes[part] for part in attribute.split(CROSSED))
        sides = next(((a, b) for a in one.groups for b in two.groups if f"{a}, {b}" == group), None)
        if sides is None or set(by) != set(ERRORS):
            continue
        where = UNTREATED | {"attribute": attribute, "group": group}
        verdicts = {metric: figure(results, "intersections", **where, metric=metric) for metric in ERRORS}
        rates = {"raw": {m: by[m]["raw"] for m in ERRORS}, "pooled": {m: alone(by[m]) for m in ERRORS}}
        differs = {metric: told.verdict for metric, told in verdicts.items() if told and told.seen}
        rates |= {"groups": ((one, sides[0]), (two, sides[1])), "differs": differs}
        found.append(rates | {"patients": min(line["patients"] for line in lines)})
        if all(rates["pooled"].values()):
            known.setdefault(attribute, []).append(found[-1])
    sides = (lambda own: own["pooled"]["tpr"].value), (lambda own: -own["pooled"]["fpr"].value)
    worst = [[min(own, key=side) for side in sides] for own in known.values()]
    least = results.manifest["settings"]["audit"].get("smallest_cell")
    return {"found": found, "worst": worst, "smallest": least} if found else None


def of_networks(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `seed_spread`: balanced accuracy and AUC of every network by weighting, the best first.

    `within` is the widest span of balanced accuracy within a weighting, `between` that of the weightings' means.
    `images` says how the means of weightings, which are by image here, lie to those by patient: higher, lower, apart (some higher, some
    lower), or None where they are not known or alike.
    """
    networks = {
        weighting: {metric: [run[metric] for run in runs if run[metric] is not None] for metric in (BALANCED, "auc")}
        for weighting, runs in parts(rows(results, "runs"), "weighting").items()
    }
    means = {name: sum(runs[BALANCED]) / len(runs[BALANCED]) for name, runs in networks.items() if runs[BALANCED]}
    if not means:
        return None
    spans = [max(networks[name][BALANCED]) - min(networks[name][BALANCED]) for name in means]
    by_patient = {name: rate(results, BALANCED, weighting=name, estimable=True) for name in means}
    apart = [round(100 * (means[name] - level.value), 1) for name, level in by_patient.items() if level]
    images = None if not any(apart) else "higher" if min(apart) > 0 else "lower" if max(apart) < 0 else "apart"
    ranked = sorted(networks, key=lambda name: -means.get(name, 0.0))
    return {
        "networks": {name: networks[name] for name in ranked},
        "single": max(len(runs[BALANCED]) for runs in networks.values()) < 2,
        "within": max(spans),
        "between": max(means.values()) - min(means.values()) if len(means) > 1 else None,
        "images": images,
    }


@sentences("baseline")
def told(results: Results) -> dict[str, Any]:
    """The facts of the sentences on the untouched classifier; `ece` is the error of calibration over everyone.

    `amplified`: between the two groups of the page, how much more often the first is sick (`data`) and called sick (`model`), and the
    difference of the two (`excess`), each with its interval; None where one is not estimable.
    """
    d = decide(results)
    everyone = {"attribute": OVERALL, "group": "all", "measure": "ece", "estimable": True}
    ece = figure(results, "calibration", weighting=BASELINE_WEIGHTING, **everyone)
    place = {"attribute": d.attribute.name, "contrast": d.contrast}
    amplified = figures(rows(results, "amplification", **place, **UNTREATED), "quantity")
    told = {"d": d, "amplified": amplified if amplified.keys() >= set(QUANTITIES) else None}
    return told | {"ece": ece.value if ece else None}
