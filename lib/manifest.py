"""The manifest of a results bundle, `study.json`: what was audited, how, where and when."""

from typing import Any

from pydantic import ConfigDict

from lib.names import Attribute
from lib.schema import Model


class CohortFacts(Model):
    name: str
    """Folder in data/."""
    source: str
    """Where the images come from, as the report calls it."""
    key: str
    """Digest of the cohort's content."""
    images: int
    patients: int
    train_images: int
    train_patients: int
    valid_images: int
    valid_patients: int
    sick_share: float
    """Share of the images that are labelled sick."""
    unknown: dict[str, int]
    """Images of which an attribute is not known."""


class TrainingFacts(Model):
    """Of a study, all settings of its networks, too."""

    model_config = ConfigDict(extra="allow")
    seeds: list[int]
    weightings: list[str]


class AuditFacts(Model):
    model_config = ConfigDict(extra="allow")
    attributes: list[str]
    postprocessings: list[str]
    margin: float
    smallest_cell: int


class Settings(Model):
    training: TrainingFacts
    audit: AuditFacts
    preferences: dict[str, Any]


class Manifest(Model):
    """What every bundle says of itself; an audit of predictions has no networks, and no hardware."""

    schema_version: int
    cohort: CohortFacts
    attributes: list[Attribute]
    settings: Settings
    """As they were carried out."""
    requested: dict[str, Any] | None = None
    """As `study.toml` asked for them, with a digest of the audit's code: another request is another study."""
    model: dict[str, Any] | None = None
    """What a model card says of the networks."""
    of_predictions: bool = False
    """Whether the scores were made elsewhere."""
    held_out: bool = True
    """Whether no image that is judged is known to be of training."""
    notices: list[str] = []
    warnings: list[str] = []
    made: str
    """Date."""
    versions: dict[str, str]
    hardware: dict[str, Any]
    durations: dict[str, float]
    """Seconds."""
    files: dict[str, str]
    """SHA-256 of every file."""
