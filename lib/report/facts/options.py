"""What can be done: nothing, the best weighting, the best threshold rule; what each needs, who gains and who loses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.names import (
    BASELINE,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    IMPROVED,
    NO_TARGET,
    PATIENT,
    RECOMMENDED,
    WORSENED,
    Attribute,
    Method,
)
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.results import Results

KEYS = ("weighting", "postprocessing", "target")


@dataclass(frozen=True)
class Yearly:
    """What an option changes in a year of a hospital: sick found and healthy alarmed, more (above 0) or fewer."""

    found: Estimate
    alarmed: Estimate


@dataclass(frozen=True)
class Share:
    """A group under an option: `missed`, the share of its sick, and `alarmed`, of its healthy; None where not estimable.

    `more_found` and `more_alarmed` are the changes against doing nothing, in shares of the group's sick and of its healthy, with the
    verdict on that change; None where it was not estimated.
    """

    group: str
    missed: float | None
    alarmed: float | None
    more_found: Estimate | None
    more_alarmed: Estimate | None
    yearly: Yearly | None


@dataclass(frozen=True)
class Move:
    """A change for a group that is shown or suggested: `error` is "missed" (of its sick) or "alarmed" (of its healthy)."""

    group: str
    error: str
    better: bool
    change: Estimate


@dataclass(frozen=True)
class Option:
    """One thing that can be done. `kind`: nothing, weighting, threshold rule, or combination (the recommended one, where it is none of these).

    `weighting`, `rule` and `target` name what is altered, None where it is the baseline's. `needs` is the attribute that must be known
    when deciding. `gap` is the largest difference that is left; `change` against doing nothing and `loss` of balanced accuracy
    have intervals that hold for all candidates together. `support` is the surest verdict among the gaps that it narrows;
    `affordable`: its loss is within the preferences'. `given`: the scores were made elsewhere, however they were weighted.
    """

    kind: str
    weighting: str | None
    rule: str | None
    target: Attribute | None
    needs: Attribute | None
    gap: float
    change: Estimate | None
    loss: Estimate | None
    support: str | None
    affordable: bool
    recommended: bool
    shares: tuple[Share, ...]
    method: Method
    given: bool

    @property
    def nothing(self) -> bool:
        return self.method == BASELINE

    @property
    def moves(self) -> list[Move]:
        """Who gains and who loses."""
        told = []
        for own in self.shares:
            for error, change, sign in (("missed", own.more_found, 1), ("alarmed", own.more_alarmed, -1)):
                if change is not None and change.seen and change.value:
                    told.append(Move(own.group, error, sign * change.value > 0, change))
        return told

    @property
    def levels_down(self) -> bool:
        """Whether a gap narrows while somebody is seen to lose and nobody to gain."""
        return self.support is not None and bool(self.moves) and not any(move.better for move in self.moves)


def options(results: Results, attribute: Attribute, hospital: Mapping[str, Any]) -> list[Option]:
    """Nothing, weighting, threshold rule, then the recommended one if it is another; those that the study has."""
    found = rows(results, "recommendation").to_dicts()
    order = {"nothing": 0, "weighting": 1, "threshold rule": 2, None: 3}
    kept = [own for own in found if own["option"] or own["role"] == RECOMMENDED]
    return [_option(results, own, attribute, hospital) for own in sorted(kept, key=lambda own: order[own["option"]])]


def _option(results: Results, own: dict[str, Any], attribute: Attribute, hospital: Mapping[str, Any]) -> Option:
    method = tuple(own[key] for key in KEYS)
    most = results.manifest["settings"]["preferences"]["largest_loss"]
    return Option(
        kind=own["option"] or "combination",
        weighting=None if own["weighting"] == BASELINE_WEIGHTING else own["weighting"],
        rule=None if own["postprocessing"] == BASELINE_POSTPROCESSING else own["postprocessing"],
        target=None if own["target"] == NO_TARGET else results.attributes.get(own["target"]),
        needs=results.attributes.get(own["needs"]) if own["needs"] else None,
        gap=own["disparity"],
        change=_together(own, "change"),
        loss=_together(own, "loss"),
        support=own["support"],
        affordable=own["loss"] is None or own["loss"] <= most,
        recommended=own["role"] == RECOMMENDED,
        shares=tuple(_shares(results, method, attribute, hospital)),
        method=method,
        given=bool(results.manifest.get("of_predictions")),
    )


def _together(own: dict[str, Any], what: str) -> Estimate | None:
    if own[what] is None:
        return None
    return Estimate(
        own[what], own[f"{what}_low_simultaneous"], own[f"{what}_high_simultaneous"], own[f"{what}_verdict"]
    )


def _shares(results: Results, method: Method, attribute: Attribute, hospital: Mapping[str, Any]) -> list[Share]:
    keys = dict(zip(KEYS, method, strict=True))
    told = []
    for group in attribute.groups:
        found, alarmed = (_change(results, keys, attribute.name, group, metric) for metric in ("tpr", "fpr"))
        told.append(
            Share(
                group,
                missed=None if (rate := _rate(results, keys, attribute.name, group, "tpr")) is None else 1 - rate,
                alarmed=_rate(results, keys, attribute.name, group, "fpr"),
                more_found=found,
                more_alarmed=alarmed,
                yearly=_yearly(results, attribute, group, found, alarmed, hospital),
            )
        )
    return told


def _rate(results: Results, keys: dict[str, str], attribute: str, group: str, metric: str) -> float | None:
    own = row(results, "metrics", **keys, attribute=attribute, group=group, metric=metric, unit=PATIENT)
    return own["estimate"] if own and own["estimable"] else None


def _change(results: Results, keys: dict[str, str], attribute: str, group: str, metric: str) -> Estimate | None:
    """The change of a group's rate; its verdict only where it is about better or worse."""
    own = row(results, "effects", **keys, attribute=attribute, contrast=group, metric=metric, unit=PATIENT)
    told = estimate(own)
    if told is None or own["outcome"] in (IMPROVED, WORSENED):
        return told
    return Estimate(told.value, told.low, told.high)


def _yearly(
    results: Results,
    attribute: Attribute,
    group: str,
    found: Estimate | None,
    alarmed: Estimate | None,
    hospital: Mapping[str, Any],
) -> Yearly | None:
    """In people of a year: the group is as frequent as here, and its share of sick differs from everyone's as here (odds)."""
    if not hospital.get("patients_per_year") or found is None or alarmed is None:
        return None
    composed = rows(results, "composition", split="valid", attribute=attribute.name, unit=PATIENT)
    here = {own["group"]: own for own in composed.to_dicts() if own["patients"]}
    if group not in here:
        return None
    people = hospital["patients_per_year"] * here[group]["patients"] / sum(own["patients"] for own in here.values())
    sick = here[group]["estimate"]
    everyone = row(results, "composition", split="valid", attribute="overall", unit=PATIENT)["estimate"]
    wanted = hospital.get("prevalence")
    if wanted is not None and 0 < sick < 1 and 0 < everyone < 1:
        ratio = wanted / (1 - wanted) / (everyone / (1 - everyone))
        odds = ratio * sick / (1 - sick)
        sick = odds / (1 + odds)
    return Yearly(found.times(people * sick), alarmed.times(people * (1 - sick)))
