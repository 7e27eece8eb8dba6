"""How the study was made: its networks and its settings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.report.facts.values import parts, rows
from lib.results import Results

LISTED = ("weightings", "postprocessings", "attributes", "seeds", "named")
"""Settings that other tables list."""


@dataclass(frozen=True)
class Range:
    """The least and the most of a figure over networks."""

    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> "Range | None":
        """None where no network has the figure."""
        known = [value for value in values if value is not None]
        return cls(min(known), max(known)) if known else None


def runs(study: Results) -> dict[str, Any] | None:
    """Of each weighting: how many `networks`, the epoch `kept` of how many `epochs`, and ranges of seconds, AUCs and balanced accuracy by image."""
    figures = {"kept": "best_epoch"} | {name: name for name in ("seconds", "tune_auc", "auc", "balanced_accuracy")}
    told = []
    for name, lines in parts(rows(study, "runs"), "weighting").items():
        epochs = max((line["epochs"] for line in lines if line["epochs"] is not None), default=None)
        ranges = {figure: Range.of(line[column] for line in lines) for figure, column in figures.items()}
        told.append({"weighting": name, "networks": len(lines), "epochs": epochs, **ranges})
    return {"runs": told} if told else None


def settings(study: Results) -> dict[str, Any] | None:
    """Settings by section, as the manifest has them, but for lists that other tables hold."""
    manifest = study.manifest
    sections: dict[str, Mapping[str, Any]] = {
        name: manifest["settings"].get(name) or {} for name in ("training", "audit")
    }
    sections |= {name: manifest.get(name) or {} for name in ("hardware", "versions")}
    told = {
        section: {name: value for name, value in entries.items() if name not in LISTED and value is not None}
        for section, entries in sections.items()
    }
    told = {section: entries for section, entries in told.items() if entries}
    return {"sections": told} if told else None


def plain(value: Any) -> list[Any]:
    """A setting as a list of plain values."""
    if isinstance(value, Mapping):
        return [part for own in value.items() for part in own]
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
