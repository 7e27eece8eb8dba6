"""Tables of how the study was made: networks and settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from great_tables import GT

from lib.names import weighting_label
from lib.report import words
from lib.report.tables.cells import number_or_unknown, share, table
from lib.results import Results


def runs(results: Results) -> GT:
    """Every trained network."""
    rows = [
        {
            "heading": weighting_label(r["weighting"]),
            "seed": f"seed {r['seed']}",
            "epochs": f"{number_or_unknown(r['best_epoch'])} of {number_or_unknown(r['epochs'])}",
            "time": "unknown" if r["seconds"] is None else words.duration(r["seconds"]),
            "tune": words.number(r["tune_auc"]),
            "auc": words.number(r["auc"]),
            "balanced": share(r["balanced_accuracy"]),
        }
        for r in results.runs.to_dicts()
    ]
    labels = {
        "epochs": "epoch kept",
        "time": "time",
        "tune": "AUC, tuning",
        "auc": "AUC, valid",
        "balanced": "balanced accuracy, valid, %",
    }
    return table(rows, labels, stub="seed", heading="heading", right=list(labels))


REASONS = {
    "tune_auc": "AUC on tuning patients",
    "first_epoch": "epoch kept",
    "precision": "precision",
    "device": "device",
    "seconds": "seconds",
}


def odd_networks(results: Results) -> GT:
    """The networks that failed or are odd beside the others, and why."""
    rows = [
        {
            "heading": weighting_label(r["weighting"]),
            "seed": f"seed {r['seed']}",
            "reason": REASONS[r["reason"]],
            "found": r["found"],
            "usual": r["usual"],
            "failed": "failed" if r["failed"] else "odd",
        }
        for r in results.odd_networks.to_dicts()
    ]
    labels = {"reason": "what", "found": "here", "usual": "as a rule", "failed": "called"}
    return table(rows, labels, stub="seed", heading="heading", right=["found", "usual"])


def settings(results: Results) -> GT:
    """Settings, hardware, versions and durations of the study, as the manifest has them."""
    manifest = results.manifest
    sections = {
        "training": manifest["settings"]["training"],
        "audit": manifest["settings"]["audit"],
        "hardware": manifest.get("hardware", {}),
        "versions": manifest.get("versions", {}),
    }
    sections["durations"] = {name: words.duration(value) for name, value in manifest.get("durations", {}).items()}
    rows = [
        {"heading": section, "name": name.replace("_", " "), "value": _plain(value)}
        for section, entries in sections.items()
        for name, value in entries.items()
    ]
    return table(rows, {"value": ""}, stub="name", heading="heading")


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(own)}" for name, own in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(own) for own in value)
    return words.count(value) if isinstance(value, int) else str(value)
