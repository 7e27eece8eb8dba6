"""How the study was made: its networks and its settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.report.facts.values import rows
from lib.results import Results

LISTED = ("weightings", "postprocessings", "attributes", "seeds", "named")
"""Settings that other tables list."""


@dataclass(frozen=True)
class Range:
    """The least and the most of a figure over networks; None where it is not known."""

    least: float
    most: float

    @classmethod
    def of(cls, values: pl.Series) -> "Range | None":
        known = values.drop_nulls()
        return cls(known.min(), known.max()) if len(known) else None


@dataclass(frozen=True)
class Runs:
    """The networks of a weighting: how many, the epoch kept of how many, seconds, AUCs and balanced accuracy by image."""

    weighting: str
    networks: int
    kept: Range | None
    epochs: int | None
    seconds: Range | None
    tune_auc: Range | None
    auc: Range | None
    balanced_accuracy: Range | None


def runs(study: Results) -> dict[str, Any] | None:
    """A row for each weighting."""
    table = rows(study, "runs")
    told = []
    for (name,), own in table.group_by("weighting", maintain_order=True) if table.height else ():
        figures = {key: Range.of(own[key]) for key in ("seconds", "tune_auc", "auc", "balanced_accuracy")}
        epochs = own["epochs"].max()
        told.append(Runs(name, own.height, kept=Range.of(own["best_epoch"]), epochs=epochs, **figures))
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
