"""What pictures show: means over many patients, distributions of scores, misses by finding; no words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.names import BASELINE_WEIGHTING, MAX_MIN, Attribute
from lib.pictures.cells import LEAST
from lib.pictures.saliency import OUTSIDE_IF_EVEN
from lib.report.facts.cohort import greys, pixels_apart
from lib.report.facts.decision import Decision, decide
from lib.report.facts.options import Share
from lib.report.facts.values import Estimate, by_finding, estimate, keys_of, parts, rows
from lib.results import Results

Grey = NDArray[np.float64]
SICK, HEALTHY = 1, 0
MOST = 12
"""Findings that are shown."""
CLEARLY = 0.05
"""Share of the attention that must lie in the box beyond an even spread for it to be looked at clearly more than the rest."""


def errors(decision: Decision) -> tuple[Share, ...]:
    """The errors of the baseline in each group of the page's attribute, where both are estimable."""
    shares = decision.options[0].shares if decision.options else ()
    return tuple(share for share in shares if None not in (share.missed, share.alarmed))


Picture = dict[str, Any]
"""A mean over `patients` distinct patients of a group and label: `grey` levels (side, side), 0 black to 255 white.

`heat` (side, side), from 0 with mean 1, is where networks look, and `outside` the share of it outside the lungs' box.
"""


def radiographs(results: Results, attribute: Attribute) -> list[Picture]:
    """The mean radiographs of the groups of an attribute, the healthy and the sick, that are published."""
    published = rows(results, "radiographs", pl.col("pixels").is_not_null(), attribute=attribute.name).to_dicts()
    return [line | {"grey": _square(line["pixels"])} for line in published]


def saliency(results: Results, attribute: Attribute) -> list[Picture]:
    """Where networks look when they are right, over the mean radiograph of the same group and label where there is one."""
    known = pl.col("density").is_not_null()
    under = {(picture["group"], picture["label"]): picture["grey"] for picture in radiographs(results, attribute)}
    told = []
    for line in rows(results, "saliency", known, attribute=attribute.name, correct=True).to_dicts():
        outside = Estimate(line["outside"], line["low"], line["high"])
        seen = {"heat": _square(line["density"]), "outside": outside}
        told.append(line | {"grey": under.get((line["group"], line["label"]))} | seen)
    return told


def pair(pictures: Sequence[Picture], decision: Decision) -> tuple[str, str] | None:
    """The two groups that are set side by side: those of the main finding, else the first and the reference."""
    attribute, main = decision.attribute, decision.main
    two = (attribute.groups[0], attribute.groups[-1])
    if main is not None and main.attribute == attribute:
        two = tuple(group for group in attribute.groups if group in (main.worse, main.better))
    shown = {picture["group"] for picture in pictures}
    return two if len(two) == 2 and set(two) <= shown else None


def curve(scores: dict[str, Any]) -> list[tuple[float, float]]:
    """(FPR, TPR) at each threshold where both rates are known: where no bar of either label is cut."""
    sides = [{bar["start"]: bar["share"] for bar in scores[label]} for label in ("healthy", "sick")]
    edges = sorted({0.0, 1.0} | (sides[0].keys() & sides[1].keys()))
    return [tuple(sum(side[start] for start in side if start >= edge) for side in sides) for edge in edges]


def scores(results: Results, attribute: Attribute, weighting: str = BASELINE_WEIGHTING) -> list[dict[str, Any]]:
    """Histograms of the scores of all networks, by group, `sick` and `healthy` apart: bars from `start` to `end`, with the `share` of the patients.

    `threshold` is the one that the board's threshold rule has for the group (None: none).
    """
    histograms = rows(results, "histograms", attribute=attribute.name, weighting=weighting)
    bars = parts(histograms, "group", "label")
    rule, cuts = decide(results).rule, {}
    if rule and rule.target == attribute:
        keys = keys_of((weighting, *rule.method[1:]))
        cuts = {line["group"]: line["threshold"] for line in rows(results, "thresholds", **keys).to_dicts()}
    told = []
    for group in attribute.groups:
        sick, healthy = (bars.get((group, label)) for label in (SICK, HEALTHY))
        if sick and healthy:
            told.append({"group": group, "sick": sick, "healthy": healthy, "threshold": cuts.get(group)})
    return told


def misses(results: Results, attribute: Attribute) -> list[dict[str, Any]]:
    """Findings by the number of their patients, those that are estimable in two groups at least.

    `groups`: the share of the sick of each that is missed; `differences` between groups, with their verdicts.
    """
    known = rows(results, "misses_by_finding", "estimable", attribute=attribute.name)
    told = []
    for finding, lines in parts(known, "finding").items():
        levels = {line["group"]: estimate(line) for line in lines if line["contrast"] is None}
        apart = [estimate(line) for line in lines if line["contrast"] not in (None, MAX_MIN)]
        kept = {group: levels[group] for group in attribute.groups if levels.get(group)}
        if len(kept) >= 2:
            own = {"finding": finding, "patients": sum(line["patients"] for line in lines), "groups": kept}
            told.append(own | {"differences": tuple(difference for difference in apart if difference)})
    return sorted(told, key=lambda own: (own["patients"], own["finding"]), reverse=True)


def _rare(results: Results, attribute: Attribute, shown: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Of the findings that too few patients have, the most frequent one: its `finding`, and its `patients` by group."""
    counts, frequent = by_finding(results, attribute), [own["finding"] for own in shown]
    rest = (name for name in counts if name not in frequent)
    most = max(rest, key=lambda name: sum(counts[name].values()), default=None)
    return most and {"finding": most, "patients": counts[most]}


def of_figure(name: str, results: Results) -> dict[str, Any] | None:
    """What the templates of a picture are told, `d` and the picture's own facts; None where there is nothing to show."""
    d = decide(results)
    if name == "people":
        groups = errors(d)
        looks = {p["group"]: p for p in radiographs(results, d.attribute) if p["label"] == HEALTHY}
        pictures = looks if all(share.group in looks for share in groups) else {}
        return {"d": d, "groups": groups, "pictures": pictures} if groups else None
    if name == "scores":
        groups = scores(results, d.attribute)
        return {"d": d, "groups": groups} if groups else None
    if name == "misses":
        shown = misses(results, d.attribute)
        return {"d": d, "found": shown[:MOST], "left_out": _rare(results, d.attribute, shown)} if shown else None
    pictures = {"radiographs": radiographs, "saliency": saliency}[name](results, d.attribute)
    two = pair(pictures, d)
    if two is None:
        return None
    shown = sorted((p for p in pictures if p["group"] in two), key=lambda p: (two.index(p["group"]), p["label"]))
    apart = pixels_apart(greys(results, d.attribute), d.attribute)
    facts = {"d": d, "two": two, "shown": shown, "apart": apart}
    return facts | _of_saliency(results, d, two, shown) if name == "saliency" else facts


def _of_saliency(results: Results, d: Decision, two: tuple[str, str], shown: Sequence[Picture]) -> dict[str, Any]:
    """`even`: the share outside the box if it were spread evenly; `sick`: the pictures of those who are rightly called sick, and `nowhere`, that none
    of them has clearly more of the attention in the box than that; `absent`: group, label and patients of the maps that are not published; `grid`: places of a map in each direction."""
    sick = [picture for picture in shown if picture["label"] == SICK]
    lows = [picture["outside"].low for picture in sick]
    there = {(picture["group"], picture["label"]) for picture in shown}
    cells = parts(rows(results, "saliency", attribute=d.attribute.name, correct=True), "group", "label")
    places = [(group, label) for group in two for label in (HEALTHY, SICK) if (group, label) not in there]
    absent = [(*place, cells[place][0]["patients"] if place in cells else 0) for place in places]
    nowhere = bool(sick) and all(low is not None and low > OUTSIDE_IF_EVEN - CLEARLY for low in lows)
    told = {"even": OUTSIDE_IF_EVEN, "sick": sick, "nowhere": nowhere, "absent": absent, "least": LEAST}
    return told | {"grid": shown[0]["positions"] if shown else 0}


def curves(results: Results, d: Decision) -> list[dict[str, Any]]:
    """Untouched, then under the best weighting where its scores are published: of each group the ROC curve (`curves`), and its point at 0.5 (`points`).

    Both are (FPR, TPR); `spread` is how far the points of the groups lie apart, at most, in either rate.
    """
    told = []
    for option in (option for option in d.options if option.kind in ("nothing", "weighting")):
        weighting = option.weighting or BASELINE_WEIGHTING
        drawn = {group["group"]: curve(group) for group in scores(results, d.attribute, weighting)}
        known = [share for share in option.shares if share.group in drawn and None not in (share.missed, share.alarmed)]
        points = {share.group: (share.alarmed, 1 - share.missed) for share in known}
        spread = max((max(rate) - min(rate) for rate in zip(*points.values(), strict=True)), default=None)
        own = {"weighting": weighting, "untouched": option.nothing, "curves": drawn, "points": points}
        told += [own | {"spread": spread if len(points) > 1 else None}] if drawn else []
    return told


def roc(results: Results) -> dict[str, Any] | None:
    """The facts of the figure `roc`: `d`, `shown`, and whether what is `cut` differently is told to be what parts the groups."""
    d = decide(results)
    shown = curves(results, d)
    if not shown or not shown[0]["untouched"]:
        return None
    place = {"attribute": d.attribute.name, "contrast": d.main.contrast} if d.main else {}
    cuts = rows(results, "gap_parts", part="operating point", **place).to_dicts() if d.main else []
    return {"d": d, "shown": shown, "cut": any(cut.seen for cut in map(estimate, cuts) if cut)}


def _square(values: Sequence[float]) -> Grey:
    side = round(len(values) ** 0.5)
    return np.asarray(values, dtype=float).reshape(side, side)
