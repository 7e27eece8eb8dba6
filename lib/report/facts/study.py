"""What the study is: who and what was audited, where it comes from, how networks were trained, which failed, and its settings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lib.names import BASELINE_WEIGHTING, DRAWN, IMAGE, OVERALL, PATIENT
from lib.report.facts.gaps import ability
from lib.report.facts.values import BALANCED, UNTREATED, Estimate, parts, rate, rows
from lib.report.registry import sentences
from lib.results import Results

CITED = {"EfficientNet-Lite0": "@tan2019", "ResNet-18": "@he2016"}
"""Where a kind of network was described (a key of `chapters/references.bib`)."""
WATTS = {"cpu": (5, 15), "cuda": (250, 700)}
"""What a busy core of a processor, or an accelerator, takes at least and at most: from data sheets, not measured here."""
MIXED = ("precision", "device", "seconds")
"""Reasons (column `reason` of `odd_networks`) that make a network odd without having failed."""
LISTED = ("weightings", "postprocessings", "attributes", "seeds", "named")
"""Settings that other tables list."""


@sentences("study")
@sentences("provenance")
def study_facts(study: Results) -> dict[str, Any]:
    """What the templates `study` and `provenance` are told; what a manifest lacks is None. `given`: the scores were made elsewhere.

    A source that names ChestX-ray is the NIH's (`kind`); a cohort drawn by this project says so; of any other nothing is known.
    """
    manifest, source = study.manifest, study.manifest["cohort"]["source"]
    model = {"name": None, "package": None} | (manifest.get("model") or {})
    named = dict(manifest["settings"]["training"].get("named", {}))
    odd = rows(study, "odd_networks").to_dicts()
    reasons = Counter(network["reason"] for network in odd)
    unknown = parts(rows(study, "metrics", ~pl.col("estimable"), unit=PATIENT, **UNTREATED), "attribute", "group")
    # whether some crossing of two attributes has fewer sick or healthy patients than a rate needs
    crossings, least = rows(study, "pooled_crossings"), manifest["settings"]["audit"].get("smallest_cell")
    return {
        "cohort": {"train_images": 0, "key": None} | manifest["cohort"],
        "drawn": source == DRAWN,
        "kind": "drawn" if source == DRAWN else "nih" if "chestx-ray" in source.lower() else "other",
        "attributes": list(study.attributes.values()),
        "views": set(getattr(study.attributes.get("view"), "groups", ())) == {"AP", "PA"},
        "networks": study.n_seeds,
        "given": bool(manifest.get("of_predictions")),
        "trained": rows(study, "runs").height,
        "training": manifest["settings"]["training"],
        "by_finding": not rows(study, "misses_by_finding").is_empty(),
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
        "ability": ability(study),
        "accuracy": rate(study, BALANCED),
        "by_image": {"auc": rate(study, "auc", unit=IMAGE), "accuracy": rate(study, BALANCED, unit=IMAGE)},
        "smallest": least,
        # groups of which some rate is not estimable
        "small": [(study.attributes[name], group) for name, group in unknown if name in study.attributes],
        "few_crossed": bool(least and crossings.height and (crossings["patients"] < least).any()),
        "failed": [n | {"found": n["found"].split(" of ")[0]} for n in odd if n["failed"]],
        "without": _without(study),
        "learned": training(study),
        "kept": kept(study),
        "mixed": {reason: reasons[reason] for reason in MIXED if reasons[reason]},
    }


def training(study: Results) -> dict[str, Any] | None:
    """`figures[name][weighting]`: by epoch, the mean over networks of the AUC on tuning patients and of the loss, with the least and the most.

    None where networks were trained for one epoch.
    """
    told: dict[str, dict[str, list[tuple[int, Estimate]]]] = {"tune_auc": {}, "train_loss": {}}
    history = sorted(parts(rows(study, "history"), "epoch", "weighting").items(), key=lambda place: place[0][0])
    for (epoch, weighting), lines in history:
        for name, curves in told.items():
            if values := [line[name] for line in lines if line[name] is not None]:
                mean = Estimate(sum(values) / len(values), min(values), max(values))
                curves.setdefault(weighting, []).append((epoch, mean))
    epochs = [epoch for epoch, _ in told["tune_auc"].get(BASELINE_WEIGHTING, [])]
    if len(epochs) < 2 or BASELINE_WEIGHTING not in told["train_loss"]:
        return None
    return {"figures": told, "epochs": epochs}


def kept(study: Results) -> dict[str, int] | None:
    """How many networks were kept at their `last` epoch, of the `n` that could have been kept earlier; None where none could."""
    if study.manifest["settings"]["training"].get("keep") == "last":
        return None
    stopped = [run["kept_epoch"] == run["epochs"] for run in rows(study, "runs").to_dicts() if (run["epochs"] or 0) > 1]
    return {"n": len(stopped), "last": sum(stopped)} if stopped else None


def _energy(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """Watt-hours of training as a range: time of all networks times what the device takes; None where that is not known."""
    trained_on = (manifest.get("hardware") or {}).get("trained_on", [])
    if len(trained_on) != 1 or trained_on[0] not in WATTS:
        return None
    low, high = (manifest["durations"]["training"] / 3600 * power for power in WATTS[trained_on[0]])
    return {"device": trained_on[0], "watts": WATTS[trained_on[0]], "low": low, "high": high}


def _without(study: Results) -> list[dict[str, Any]]:
    """By patient, a row for each weighting of which networks failed and others are left: its balanced accuracy with and without them.

    `gap` is the row of the gap that changes most; None where no gap is estimable.
    """
    known = (pl.col("value").is_not_null(), pl.col("value_without").is_not_null())
    told = []
    for weighting, lines in parts(rows(study, "without_failed", *known, by=PATIENT), "weighting").items():
        gaps = [line for line in lines if line["attribute"] != OVERALL]
        gap = max(gaps, key=lambda line: abs(line["value"] - line["value_without"]), default=None)
        for line in (line for line in lines if line["attribute"] == OVERALL):
            both = {"accuracy": line["value"], "accuracy_without": line["value_without"], "gap": gap}
            told.append({"weighting": weighting, "of_baseline": weighting == BASELINE_WEIGHTING} | both)
    return told


def runs(study: Results) -> dict[str, Any] | None:
    """Of each weighting: how many `networks`, the epoch `kept` of how many `epochs`, seconds, AUCs and balanced accuracy by image.

    A figure is its least and its most over the networks, None where none of them has it.
    """
    figures = {"kept": "kept_epoch"} | {name: name for name in ("seconds", "tune_auc", "auc", "balanced_accuracy")}
    told = []
    for name, lines in parts(rows(study, "runs"), "weighting").items():
        epochs = max((line["epochs"] for line in lines if line["epochs"] is not None), default=None)
        known = {name: [line[column] for line in lines if line[column] is not None] for name, column in figures.items()}
        ranges = {figure: (min(values), max(values)) if values else None for figure, values in known.items()}
        told.append({"weighting": name, "networks": len(lines), "epochs": epochs, **ranges})
    return {"runs": told} if told else None


def settings(study: Results) -> dict[str, Any] | None:
    """Settings by section, as the manifest has them, but for lists that other tables hold; each as a list of plain values (`parts`)."""
    whole = study.manifest["settings"] | {name: study.manifest.get(name) for name in ("hardware", "versions")}
    lines = []
    for section in ("training", "audit", "hardware", "versions"):
        for name, value in (whole.get(section) or {}).items():
            if name not in LISTED and value is not None:
                lines.append({"section": section, "name": name, "parts": plain(value)})
    return {"lines": lines} if lines else None


def plain(value: Any) -> list[Any]:
    """A setting as a list of plain values."""
    if isinstance(value, Mapping):
        return [part for pair in value.items() for part in pair]
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
