"""The results bundle: parquet tables and a manifest, aggregates only; all that the report reads.

A bundle is the folder `data/<cohort>/results/`: one parquet file per table (`lib.tables`) and `study.json`.
It holds no image, no patient identifier and no per-image row, but the scores of published images (`lib.study.published`) and
means over many patients' images (`lib.pictures`).
"""

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ConfigDict, ValidationError

from lib.files import whole_folder
from lib.messages import UserError
from lib.names import Attribute, attributes_from_json
from lib.schema import Model, first_mistake
from lib.settings import ROOT, bundle_folder

LIB = Path(__file__).resolve().parent

SCHEMA_VERSION = 2
MANIFEST, PREDICTIONS = "study.json", "predictions.parquet"
JUDGES = ("audit", "pictures", "postprocessing", "names.py", "tables.py", "study/catalogue.py")
"""The code of `lib` that makes tables of scores: a change in it reaches an existing bundle at the next study."""


class BundleError(UserError):
    """A results bundle is missing, older than this code, or damaged."""


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


class StudyFacts(Model):
    training: TrainingFacts
    audit: AuditFacts
    preferences: dict[str, Any]


class Manifest(Model):
    """What every bundle says of itself; an audit of predictions has no networks, and no hardware."""

    schema_version: int
    cohort: CohortFacts
    attributes: list[Attribute]
    settings: StudyFacts
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


@dataclass(frozen=True)
class Results:
    """A loaded bundle: `manifest` (study.json) and `tables` by name; and the language in which it is to be told."""

    manifest: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    language: str = "en"
    _kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getattr__(self, name: str) -> pl.DataFrame:
        tables = self.__dict__.get("tables", {})
        if name not in tables:
            raise AttributeError(f"these results have no table {name!r}; they have {', '.join(tables)}")
        return tables[name]

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once for a key: the tables do not change, and many sentences rest on the same facts."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def told_in(self, language: str) -> "Results":
        """The same results in another language; what is made once is shared, as facts have no words."""
        other = replace(self, language=language)
        object.__setattr__(other, "_kept", self._kept)
        return other

    @property
    def attributes(self) -> dict[str, Attribute]:
        """The attributes that were audited, by name, in the order of the study."""
        return attributes_from_json(self.manifest["attributes"])

    @property
    def margin(self) -> float:
        """The margin of equivalence."""
        return self.manifest["settings"]["audit"]["margin"]

    @property
    def n_seeds(self) -> int:
        """Networks trained for each weighting."""
        return len(self.manifest["settings"]["training"]["seeds"])


def load(cohort: str | Path | None = None, root: Path = ROOT) -> Results:
    """Read and check the bundle of a cohort (name or path; default: the chosen one). Raises `BundleError` with one sentence."""
    folder = bundle_folder(cohort, root)
    again = f"run `make study COHORT=path/to/{folder.parent.name}` to make it again"
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        raise BundleError(f"{error}: {again}.") from None
    if manifest is None:
        raise BundleError(f"{folder} holds no results ({MANIFEST} is missing): {again}.")
    version = manifest.get("schema_version", SCHEMA_VERSION)  # one without has other mistakes, too
    if version != SCHEMA_VERSION:
        raise BundleError(f"{folder} has schema version {version}, this code reads {SCHEMA_VERSION}: {again}.")
    if mistake := _mistake(manifest):
        raise BundleError(f"{folder / MANIFEST} is damaged ({mistake}): {again}.")
    hashes = manifest["files"]
    names = [name.removesuffix(".parquet") for name in hashes if name.endswith(".parquet") and name != PREDICTIONS]
    return Results(manifest, {name: _read_table(folder, name, hashes, again) for name in names})


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What `study.json` of a bundle says, unchecked; None where there is none. Raises `BundleError` where it cannot be read."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise BundleError(f"{folder / MANIFEST} is damaged (not a manifest)")
    return manifest


def _mistake(manifest: dict[str, Any]) -> str:
    """What is wrong with a manifest, or nothing."""
    try:
        Manifest.model_validate_json(json.dumps(manifest))
    except ValidationError as error:
        place, wrong = first_mistake(error, Manifest.model_json_schema())
        return f"{'.'.join(place[:-1])}: {wrong}" if place[:-1] else wrong
    return ""


def _read_table(folder: Path, name: str, hashes: dict[str, str], again: str) -> pl.DataFrame:
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise BundleError(f"{path} is missing from the results: {again}.")
    if _sha256(path) != hashes[path.name]:
        raise BundleError(f"{path} is not the file that {MANIFEST} describes (its hash differs): {again}.")
    return pl.read_parquet(path)


def save(
    folder: Path,
    manifest: dict[str, Any],
    tables: dict[str, pl.DataFrame],
    schemas: Mapping[str, Mapping[str, Any]],
    predictions: pl.DataFrame | None = None,
) -> None:
    """Write a bundle whole or not at all: it is built beside `folder` and then takes its place.

    `tables` has exactly the entries of `schemas` (`lib.tables.TABLES`), with their columns (extra columns are an error);
    `manifest` gains `schema_version` and the SHA-256 of every file. `predictions` (`lib.study.published`) become
    `predictions.parquet`, which no table of the report needs. Raises `BundleError` for a wrong table or manifest.
    """
    if tables.keys() != schemas.keys():
        raise BundleError(
            f"a bundle has the tables {', '.join(schemas)}; these differ: {', '.join(sorted(tables.keys() ^ schemas.keys()))}."
        )
    for name, table in tables.items():
        if dict(table.schema) != schemas[name]:
            raise BundleError(f"table {name!r} has columns {dict(table.schema)}, allowed is exactly {schemas[name]}.")
    with whole_folder(folder) as building:
        for name, frame in tables.items():
            frame.write_parquet(building / f"{name}.parquet", compression="zstd")
        if predictions is not None:
            predictions.write_parquet(building / PREDICTIONS, compression="zstd")
        files = {p.name: _sha256(p) for p in sorted(building.glob("*.parquet"))}
        whole = {"schema_version": SCHEMA_VERSION, **manifest, "files": files}
        if mistake := _mistake(whole):
            raise BundleError(f"the manifest is not as `lib.results` has it: {mistake}.")
        (building / MANIFEST).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", "utf-8")


def audit_code() -> str:
    """A digest of the code that makes tables of scores, as text with Unix line ends, so that systems agree."""
    files = [path for name in JUDGES for path in ([LIB / name] if name.endswith(".py") else (LIB / name).rglob("*.py"))]
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(path.relative_to(LIB).as_posix().encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()[:32]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
