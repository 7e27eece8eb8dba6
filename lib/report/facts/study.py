"""What the study is: who and what was audited, how the networks were trained, and which of them failed."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import BASELINE_WEIGHTING, DRAWN, OVERALL, PATIENT, Attribute
from lib.report.facts.findings import UNTREATED, Ability
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.report.registry import sentences
from lib.results import Results

CITED = {"EfficientNet-Lite0": "@tan2019", "ResNet-18": "@he2016"}
"""Where a kind of network was described (a key of `chapters/references.bib`)."""
WATTS = {"cpu": (5, 15), "cuda": (250, 700)}
"""What a busy core of a processor, or an accelerator, takes at least and at most: from data sheets, not measured here."""
MIXED = ("precision", "device", "seconds")
"""Reasons (column `reason` of `odd_networks`) that make a network odd without having failed."""


@dataclass(frozen=True)
class Worst:
    """A kind of error of the untouched baseline: the `share` of everyone concerned, and that of the `group` that has the most."""

    share: float
    attribute: Attribute | None
    group: str | None
    most: float | None


@dataclass(frozen=True)
class Failed:
    """A failed network: `reason` is "tune_auc" or "first_epoch", `found` what it has and `usual` what the others have, as recorded."""

    weighting: str
    seed: int
    reason: str
    found: str
    usual: str


@dataclass(frozen=True)
class Without:
    """The balanced accuracy of a weighting with all its networks and without the failed ones, and the gap that changes most.

    `gap` is (metric, attribute, contrast, with them, without them), None where no gap is estimable.
    """

    weighting: str
    left: int
    accuracy: float
    accuracy_without: float
    gap: tuple[str, str, str, float, float] | None

    @property
    def of_baseline(self) -> bool:
        return self.weighting == BASELINE_WEIGHTING


@sentences("study")
def study_facts(study: Results) -> dict[str, Any]:
    """What the template `study` is told; what a manifest lacks is None."""
    manifest = study.manifest
    model = {"name": None, "package": None} | (manifest.get("model") or {})
    named = dict(manifest["settings"]["training"].get("named", {}))
    odd = rows(study, "odd_networks")
    return {
        "cohort": {"train_images": 0, "key": None} | manifest["cohort"],
        "drawn": manifest["cohort"]["source"] == DRAWN,
        "attributes": list(study.attributes.values()),
        "views": set(getattr(study.attributes.get("view"), "groups", ())) == {"AP", "PA"},
        "networks": study.n_seeds,
        "given": bool(manifest.get("of_predictions")),
        "trained": rows(study, "runs").height,
        "training": manifest["settings"]["training"],
        "baseline": named.pop(BASELINE_WEIGHTING, None),
        "others": list(named.values()),
        "model": model,
        "cited": CITED.get(model["name"]),
        "hardware": manifest.get("hardware"),
        "made": manifest.get("made"),
        "versions": manifest.get("versions", {}),
        "durations": manifest.get("durations"),
        "energy": _energy(manifest),
        "margin": study.margin,
        "ability": Ability.of(study),
        "accuracy": _everyone(study, "balanced_accuracy"),
        "missed": _worst(study, "tpr"),
        "alarmed": _worst(study, "fpr"),
        "smallest": manifest["settings"]["audit"].get("smallest_cell"),
        "small": _small(study),
        "few_crossed": _few_crossed(study),
        "failed": _failed(odd),
        "without": _without(study),
        "mixed": {reason: count for reason in MIXED if (count := _count(odd, reason))},
    }


def _everyone(study: Results, metric: str) -> Estimate | None:
    return estimate(row(study, "metrics", attribute=OVERALL, group="all", metric=metric, unit=PATIENT, **UNTREATED))


def _worst(study: Results, metric: str) -> Worst | None:
    everyone = _everyone(study, metric)
    if everyone is None:
        return None
    turn = 1 if metric == "tpr" else 0  # a low TPR misses the sick
    groups = rows(study, "metrics", metric=metric, unit=PATIENT, **UNTREATED).filter(
        pl.col("attribute").is_in(list(study.attributes)), "estimable"
    )
    most = groups.sort("estimate", descending=not turn).head(1).to_dicts()
    share = abs(turn - everyone.value)
    if not most:
        return Worst(share, None, None, None)
    own = most[0]
    return Worst(share, study.attributes[own["attribute"]], own["group"], abs(turn - own["estimate"]))


def _small(study: Results) -> list[tuple[Attribute, str]]:
    """Groups of which some rate is not estimable."""
    own = rows(study, "metrics", unit=PATIENT, **UNTREATED).filter(
        ~pl.col("estimable"), pl.col("attribute").is_in(list(study.attributes))
    )
    found = own.unique(["attribute", "group"], maintain_order=True).select("attribute", "group").rows()
    return [(study.attributes[attribute], group) for attribute, group in found]


def _few_crossed(study: Results) -> bool:
    """Whether some crossing of two attributes has fewer sick or healthy patients than a rate needs."""
    found, least = rows(study, "pooled_crossings"), study.manifest["settings"]["audit"].get("smallest_cell")
    return bool(found.height and least and (found["patients"] < least).any())


def _energy(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """Watt-hours of training as a range: time of all networks times what the device takes; None where that is not known."""
    trained_on = (manifest.get("hardware") or {}).get("trained_on", [])
    if len(trained_on) != 1 or trained_on[0] not in WATTS:
        return None
    watts = WATTS[trained_on[0]]
    low, high = (manifest["durations"]["training"] / 3600 * own for own in watts)
    return {"device": trained_on[0], "watts": watts, "low": low, "high": high}


def _count(odd: pl.DataFrame, reason: str) -> int:
    return 0 if odd.is_empty() else odd.filter(reason=reason).height


def _failed(odd: pl.DataFrame) -> list[Failed]:
    if odd.is_empty():
        return []
    return [
        Failed(own["weighting"], own["seed"], own["reason"], own["found"].split(" of ")[0], own["usual"])
        for own in odd.filter("failed").to_dicts()
    ]


def _without(study: Results) -> list[Without]:
    """By patient, a row for each weighting of which networks failed and others are left."""
    told = []
    own = rows(study, "without_failed", by=PATIENT)
    if own.is_empty():
        return []
    for (weighting,), frame in own.drop_nulls(["value", "value_without"]).group_by("weighting", maintain_order=True):
        everyone = frame.filter(attribute=OVERALL).to_dicts()
        gaps = frame.filter(pl.col("attribute") != OVERALL).sort(
            (pl.col("value") - pl.col("value_without")).abs(), descending=True
        )
        if not everyone:
            continue
        gap = gaps.select("metric", "attribute", "contrast", "value", "value_without").rows()
        left, both = frame["networks_without"][0], (everyone[0]["value"], everyone[0]["value_without"])
        told.append(Without(weighting, left, *both, gap[0] if gap else None))
    return told
