"""What can be done: nothing, the best weighting, the best threshold rule; what each needs, who gains and who loses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from lib.names import (
    BASELINE,
    BASELINE_WEIGHTING,
    ERRORS,
    IMPROVED,
    KINDS,
    NO_TARGET,
    OVERALL,
    PATIENT,
    RANDOMISED,
    RECOMMENDED,
    SHOWN,
    WORSENED,
    Attribute,
    Method,
    kind_of,
)
from lib.report.facts import values
from lib.report.facts.gaps import LEAST, by_metric, narrowed, others
from lib.report.facts.values import BETWEEN, KEYS, Estimate, alone, estimate, figures, judged, keys_of, rate, row, rows
from lib.results import Results

SENSITIVE, IN_EACH = "TPR 0.90", "TPR 0.90 in each"
"""Points of the table `operating_points` where nine of ten sick are found: with one cut-off, and with one for each group."""
ONE_CUT = (BASELINE_WEIGHTING, "best_threshold", NO_TARGET)
POINTS = ("0.5", SENSITIVE, "TPR 0.95", IN_EACH)
Hospital = Mapping[str, Any]
"""`patients_per_year` and `prevalence`."""


class Share:
    """A group under an option: `missed`, the share of its sick, and `alarmed`, of its healthy; None where not estimable.

    `more_found` and `more_alarmed` are the changes against doing nothing, in shares of the group's sick and of its healthy, with the
    verdict on that change; None where it was not estimated. `yearly` is the same in people of a year of a hospital: sick `found` and
    healthy `alarmed`, of so many `healthy`. `sick` and `healthy`: the patients behind the two rates.
    """

    def __init__(self, results: Results, method: Method, attribute: Attribute, group: str, hospital: Hospital) -> None:
        keys, self.group = keys_of(method), group
        place = {"attribute": attribute.name, "group": group, "unit": PATIENT, **keys}
        lines = [row(results, "metrics", metric=metric, **place) for metric in ERRORS]
        self.sick, self.healthy = (line["patients"] if line else None for line in lines)
        tpr, fpr = (line["estimate"] if line and line["estimable"] else None for line in lines)
        self.missed, self.alarmed = None if tpr is None else 1 - tpr, fpr
        changes = (_change(results, keys, attribute.name, group, metric) for metric in ("tpr", "fpr"))
        self.more_found, self.more_alarmed = changes
        self.yearly = _yearly(results, attribute, self, hospital)

    @property
    def gains(self) -> dict[str, Estimate]:
        """By kind of error, how many fewer are got wrong: above 0 for the better."""
        fewer = {"missed": self.more_found, "alarmed": None if self.more_alarmed is None else -self.more_alarmed}
        return {error: gain for error, gain in fewer.items() if gain is not None}


class Option:
    """One thing that can be done. `kind`: nothing, weighting, threshold rule, or combination (the recommended one, where it is none of these).

    `weighting`, `rule` and `target` name what is altered, None where it is the baseline's. `needs` is the attribute that must be known
    when deciding. `gap` is the largest difference that is left, `gaps` by metric; `loss` of balanced accuracy has an interval that holds for
    all candidates together. `support` is the surest verdict among the gaps that it narrows, `narrows` the metrics in which it does so as surely;
    `affordable`: its loss is within the preferences'. `given`: the scores were made elsewhere, however they were weighted.
    `elsewhere` is the widest gap by another attribute that is left, `elsewhere_before` the same without the option; None where there is none;
    `most` is the larger of the gaps by this attribute and by any other, `widest` its size.
    """

    def __init__(self, results: Results, line: dict[str, Any], attribute: Attribute, hospital: Hospital) -> None:
        self.method = method = tuple(line[key] for key in KEYS)
        most = results.manifest["settings"]["preferences"]["largest_loss"]
        self.kind = line["option"] or {KINDS[1]: "threshold rule"}.get(kind_of(method), kind_of(method))
        self.nothing = method == BASELINE
        self.weighting = None if method[0] == BASELINE[0] else method[0]
        self.rule = None if method[1] == BASELINE[1] else method[1]
        self.target = results.attributes.get(method[2])
        self.needs = results.attributes.get(line["needs"])
        self.gap, self.gaps = line["disparity"], by_metric(results, method, attribute)
        self.loss = together(line, "loss")
        self.support = line["support"]
        self.narrows = narrowed(results, method, attribute, self.support) if self.support else []
        self.affordable = line["loss"] is None or line["loss"] <= most
        self.recommended = line["role"] == RECOMMENDED
        self.shares = [Share(results, method, attribute, group, hospital) for group in attribute.groups]
        gains = [(own.group, error, gain) for own in self.shares for error, gain in own.gains.items()]
        self.gains = [({"group": group, "error": error}, gain) for group, error, gain in gains]
        self.given = bool(results.manifest.get("of_predictions"))
        other = max(others(results, attribute, method), key=lambda own: own["gap"].size.value, default=None)
        self.elsewhere, self.elsewhere_before = (other["gap"], other["before"]) if other else (None, None)
        gaps = [*self.gaps.values(), *([self.elsewhere] if other else [])]
        self.most = max(gaps, key=lambda gap: gap.size.value, default=None)
        self.widest = self.most and self.most.size.value

    @property
    def moves(self) -> list[dict[str, Any]]:
        """Who gains and who loses: changes of a `group` that are shown or suggested, "missed" of its sick or "alarmed" of its healthy.

        `size` is how many more are got right (wrong), above 0.
        """
        told = []
        for place, gain in (own for own in self.gains if own[1].seen and own[1].value):
            better, change = gain.value > 0, gain if place["error"] == "missed" else -gain
            told.append(place | {"better": better, "size": gain if better else -gain, "change": change})
        return told

    @property
    def prices(self) -> list[dict[str, Any]]:
        """The whole price: what more of each group is got wrong by the estimate, told from chance or not; those that are first."""
        lost = [(place, -gain) for place, gain in self.gains if gain.value < -LEAST]
        losses = [place | {"better": False, "size": loss} for place, loss in lost]
        return sorted(losses, key=lambda move: (not move["size"].seen, -move["size"].value))

    @property
    def levels_down(self) -> bool:
        """Whether a gap narrows while somebody is seen to lose and nobody to gain."""
        return self.support is not None and bool(self.moves) and not any(move["better"] for move in self.moves)


def options(results: Results, attribute: Attribute, hospital: Hospital) -> list[Option]:
    """Nothing, weighting, threshold rule, then the recommended one if it is another; those that the study has."""
    order = {"nothing": 0, "weighting": 1, "threshold rule": 2, None: 3}
    lines = rows(results, "recommendation").to_dicts()
    kept = [line for line in lines if line["option"] or line["role"] == RECOMMENDED]
    ranked = sorted(kept, key=lambda line: order[line["option"]])
    return [Option(results, line, attribute, hospital) for line in ranked]


def beside(
    results: Results, attribute: Attribute, hospital: Hospital, tried: list[Option]
) -> tuple[Option | None, Option | None]:
    """One best cut-off for all, and the method to take where no group may be missed more often than today; each of those `tried` if it is one.

    The latter is one that may be recommended, is shown to narrow a gap, and under which, by the estimate, no group of the attribute is missed
    more often: of those that are one correction rather than two, if any, the one with the smallest gap.
    """
    known = {option.method: option for option in tried}
    lines = {tuple(line[key] for key in KEYS): line for line in rows(results, "recommendation").to_dicts()}

    def option(method: Method) -> Option:
        return known.get(method) or Option(results, lines[method], attribute, hospital)

    fit = sorted(eligible(results, SHOWN).items(), key=lambda own: (kind_of(own[0]) == KINDS[2], own[1]))
    spares = (method for method, _ in fit if _misses_no_more(results, method, attribute))
    sparing = next(spares, None)
    return (option(ONE_CUT) if ONE_CUT in lines else None), (option(sparing) if sparing else None)


def eligible(results: Results, support: str | None) -> dict[Method, float]:
    """The gaps that methods leave which may be recommended, those without a coin and with that `support`."""
    return {
        tuple(line[key] for key in KEYS): line["disparity"]
        for line in rows(results, "recommendation").to_dicts()
        if (line["role"] == RECOMMENDED or line["apart"] is not None) and line["support"] == support
        if line["postprocessing"] not in RANDOMISED
    }


def _misses_no_more(results: Results, method: Method, attribute: Attribute) -> bool:
    changes = [_change(results, keys_of(method), attribute.name, group, "tpr") for group in attribute.groups]
    return all(change is not None and change.value > -LEAST for change in changes)


def cut_offs(results: Results, attribute: Attribute) -> dict[str, dict[str, Any]]:
    """By `point`, everyone's and each group's shares of missed and of alarmed (`groups`), the `gaps` by the attribute, and the `cuts` by group.

    0.5, then one cut-off for everyone, fitted so that 90 (95) of 100 sick are found, then one for each group, fitted to its own sick.
    """
    about = pl.col("attribute").is_in([OVERALL, attribute.name])
    frame, told = rows(results, "operating_points", about, "estimable", values.KNOWN), {}
    if frame.is_empty():
        return told
    levels = figures(frame.filter(~BETWEEN), "point", "metric", "group", read=alone)
    # at 0.5 the rates are those that are told everywhere, with the same intervals
    for _, metric, group in [place for place in levels if place[0] == POINTS[0] and place[1] in ERRORS]:
        levels[POINTS[0], metric, group] = rate(results, metric, OVERALL if group == "all" else attribute.name, group)
    for point in POINTS:
        each = point == IN_EACH  # everyone's own cut-off is that of one for all
        of = attribute.groups if each else ("all", *attribute.groups)
        known = [g for g in of if levels.keys() >= {(point, "tpr", g), (point, "fpr", g)}]
        rates = {group: (levels[point, "tpr", group].complement, levels[point, "fpr", group]) for group in known}
        groups = [{"group": g, "missed": missed, "alarmed": alarmed} for g, (missed, alarmed) in rates.items()]
        if known and (each or "all" in known):
            gaps = list(figures(frame.filter(BETWEEN, point=point), "contrast", "metric").values())
            cuts = {group: levels[point, "threshold", group] for group in of if (point, "threshold", group) in levels}
            told[point] = {"point": point, "cuts": cuts, "groups": groups, "gaps": gaps}
    return told


def together(line: Mapping[str, Any], what: str) -> Estimate | None:
    """The `loss` or the `change` of a candidate, with the interval that holds for all candidates together."""
    if line[what] is None:
        return None
    ends = (line[f"{what}_{end}_simultaneous"] for end in ("low", "high"))
    return Estimate(line[what], *ends, line[f"{what}_verdict"], joint=True)


def _change(results: Results, keys: dict[str, str], attribute: str, group: str, metric: str) -> Estimate | None:
    """The change of a group's rate; its verdict only where it is about better or worse."""
    effect = row(results, "effects", **keys, attribute=attribute, contrast=group, metric=metric, unit=PATIENT)
    told = estimate(effect)
    about = told is None or effect["outcome"] in (IMPROVED, WORSENED)
    return told if about else replace(told, verdict=None)


def _yearly(results: Results, attribute: Attribute, share: Share, hospital: Hospital) -> dict[str, Any] | None:
    """In people of a year: the group is as frequent as here, and its share of sick differs from that of all groups as here (odds).

    A patient of several groups counts in each, here as there: the groups together are as sick as they are on average.
    """
    group, found, alarmed = share.group, share.more_found, share.more_alarmed
    if not hospital.get("patients_per_year") or found is None or alarmed is None:
        return None
    here, wanted = judged(results, attribute.name), hospital.get("prevalence")
    if group not in here:
        return None
    patients = sum(line["patients"] for line in here.values())
    people = hospital["patients_per_year"] * here[group]["patients"] / patients
    sick, everyone = (
        here[group]["estimate"],
        sum(line["patients"] * line["estimate"] for line in here.values()) / patients,
    )
    if wanted is not None and 0 < sick < 1 and 0 < everyone < 1:
        ratio = wanted / (1 - wanted) / (everyone / (1 - everyone))
        odds = ratio * sick / (1 - sick)
        sick = odds / (1 + odds)
    healthy = people * (1 - sick)
    return {"found": found.times(people * sick), "alarmed": alarmed.times(healthy), "healthy": healthy}
