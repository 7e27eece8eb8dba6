"""The results bundle: parquet tables and a manifest, aggregates only; all that the report reads.

A bundle is the folder `data/<cohort>/results/`: one parquet file per entry of `TABLES` and `study.json`.
It holds no image, no patient identifier and no per-image row, but the scores of published images (`lib.published`) and
means over many patients' images (`lib.pictures`).
"""

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lib.pictures import SCHEMAS as PICTURES
from lib.settings import ROOT, bundle_folder
from lib.training import odd_networks

SCHEMA_VERSION = 1
MANIFEST, PREDICTIONS = "study.json", "predictions.parquet"

S, I, F, B = pl.String, pl.Int64, pl.Float64, pl.Boolean
_METHOD = {"weighting": S, "postprocessing": S, "target": S}
_INTERVAL = {"low": F, "high": F}
_METRICS = (
    _METHOD
    | {"attribute": S, "group": S, "metric": S, "value": F}
    | _INTERVAL
    | {"seed_sd": F, "images": I, "patients": I, "estimable": B}
)
_TESTED = {"p": F, "p_holm": F, "verdict": S, "estimable": B}
_CHANGES = _METHOD | {"attribute": S, "metric": S, "contrast": S, "change": F} | _INTERVAL | _TESTED

TABLES: dict[str, dict[str, Any]] = {
    # what was found in the folder and the CSV, and what was done about it
    "checks": {"check": S, "rows": I, "action": S},
    # counts per group and label; prevalence = share of sick images, patient-clustered interval
    "composition": {"split": S, "attribute": S, "group": S, "images": I, "patients": I, "sick": I, "prevalence": F}
    | _INTERVAL,
    # two attributes crossed
    "pairs": {
        "split": S,
        "attribute": S,
        "group": S,
        "other": S,
        "other_group": S,
        "images": I,
        "patients": I,
        "sick": I,
    },
    # Cramer's V between two columns; `other` is an attribute or "label"
    "associations": {"split": S, "attribute": S, "other": S, "cramers_v": F} | _INTERVAL | {"images": I},
    # `age` is the first year of a ten-year bin; label 1 = sick
    "ages": {"split": S, "label": I, "age": I, "images": I},
    # mean grey level and its standard deviation within images (0 to 1), by view and label
    "exposure": {"measure": S, "view": S, "label": I, "value": F} | _INTERVAL | {"images": I},
    # mean weight in each cell of the training images
    "weights": {"weighting": S, "attribute": S, "group": S, "label": I, "images": I, "weight": F},
    # one row per trained network; effective_share = Kish effective sample size / n
    "runs": {
        "weighting": S,
        "seed": I,
        "epochs": I,
        "best_epoch": I,
        "seconds": F,
        "effective_share": F,
        "tune_auc": F,
        "auc": F,
        "balanced_accuracy": F,
    },
    "history": {"weighting": S, "seed": I, "epoch": I, "train_loss": F, "tune_auc": F},
    # attribute "overall" has the one group "all"; value is null where `estimable` is false
    "metrics": _METRICS,
    # differences `group - reference`, and "max - min" over all groups
    "gaps": _METHOD | {"attribute": S, "metric": S, "contrast": S, "value": F} | _INTERVAL | _TESTED,
    # change of a rate (contrast = the group) or of a gap (contrast = "max - min") against the untouched baseline
    "changes": _CHANGES,
    # the same figure fitted where it is judged (naive) and on held-out patients
    "optimism": _METHOD | {"attribute": S, "metric": S, "contrast": S, "naive": F, "cross_fitted": F},
    # fitted thresholds: mean, smallest and largest over folds and seeds; fitted = share of folds with enough patients
    "thresholds": _METHOD | {"group": S, "threshold": F} | _INTERVAL | {"fitted": F},
    # every weighting: Kish share, largest weight, the earlier weighting it equals here, or why it cannot be used
    "catalogue": {"weighting": S, "effective_share": F, "largest": F, "same_as": S, "refused": S},
    # last layers re-trained under the catalogue on the features of the uniform runs; as `metrics` and `changes`
    "head_metrics": _METRICS,
    "head_changes": _CHANGES,
    # the change that noise alone stays under in 19 of 20 cases: "full" between means of `n` networks, "head" from `n`
    # placebo weights; contrast "all" or "max - min"
    "noise_floor": {"trained": S, "attribute": S, "metric": S, "contrast": S, "floor": F, "n": I},
    # share of images of a group: of everyone's (other "overall"), of another attribute's group, of the sick or healthy
    # (other "label"); patient-clustered interval
    "shares": {"split": S, "attribute": S, "group": S, "other": S, "other_group": S, "share": F}
    | _INTERVAL
    | {"images": I},
    # patients, and their images, by how many images a patient has: `least` to `most`, null in the open last row
    "visits": {"split": S, "least": I, "most": I, "patients": I, "images": I},
    # one figure for each demand of fairness, and the group that fares worst ("worst_<metric>"), over `groups` groups
    "parity": _METHOD
    | {"attribute": S, "measure": S, "group": S, "value": F}
    | _INTERVAL
    | {"groups": I, "estimable": B},
    # two attributes crossed ("sex x view", "F, AP"); difference = the group's rate - everyone's, tested for tpr and fpr
    "intersections": _METHOD
    | {"attribute": S, "group": S, "metric": S, "value": F}
    | _INTERVAL
    | {"difference": F, "difference_low": F, "difference_high": F, "p": F, "p_holm": F, "verdict": S}
    | {"images": I, "patients": I, "estimable": B},
    # `group - reference` in the data (shares of sick), in the model (shares called sick) and their excess; under
    # "all groups" the directional bias amplification, the only one with a verdict
    "amplification": _METHOD | {"attribute": S, "contrast": S, "quantity": S, "value": F} | _INTERVAL | _TESTED,
    # scores of a weighting: brier, mean_error, ece (debiased), slope, intercept
    "calibration": {"weighting": S, "attribute": S, "group": S, "measure": S, "value": F}
    | _INTERVAL
    | {"seed_sd": F, "p": F, "p_holm": F, "verdict": S, "images": I, "patients": I, "estimable": B},
    # mean score and share of sick in ten bins with as many images each, numbered from 0; the interval is of the share
    "calibration_curve": {"weighting": S, "attribute": S, "group": S, "bin": I, "score": F, "observed": F} | _INTERVAL,
    # differences in prevalence (data) and of the untouched baseline (tpr, fpr, selection_rate): "aggregate", within each
    # stratum of the stratifier, and "standardised" to common strata; `reversal` repeats on every row of a question
    "simpson": {"split": S, "metric": S, "attribute": S, "contrast": S, "stratifier": S, "stratum": S, "value": F}
    | _INTERVAL
    | {"images": I, "reversal": B, "estimable": B},
    # AUC of a linear probe of the last features for an attribute ("all": mean over groups, each from the others) and,
    # for comparison, for the "label"
    "probes": {"weighting": S, "attribute": S, "group": S, "value": F}
    | _INTERVAL
    | {"seed_sd": F, "images": I, "patients": I, "estimable": B},
    # the same for the baseline's weighting with an interval; optimism = how much the naive figure promises too much
    "flattery": _METHOD
    | {"attribute": S, "metric": S, "contrast": S, "naive": F, "cross_fitted": F, "optimism": F}
    | _INTERVAL,
    # balanced accuracy (balanced_) and gap of every method; metric "odds" is the larger of the TPR gap and the FPR gap;
    # off the front: by_ is better at both beyond noise (p adjusted for the number of rivals)
    "front": _METHOD
    | {"attribute": S, "metric": S, "balanced_accuracy": F, "balanced_low": F, "balanced_high": F, "disparity": F}
    | _INTERVAL
    | {"on_front": B, "p": F, "by_weighting": S, "by_postprocessing": S, "by_target": S},
    # how a gap narrowed: groups whose own rate improves (gained) or worsens (lost) beyond noise, and the word for it
    "closures": _METHOD | {"attribute": S, "metric": S, "change": F, "verdict": S, "gained": I, "lost": I, "how": S},
    # the best that randomised thresholds by group do while the metric may differ by `slack` between groups; cross-fitted;
    # intervals for the baseline's weighting
    "relaxation": {"weighting": S, "attribute": S, "metric": S, "slack": F}
    | {"balanced_accuracy": F, "balanced_low": F, "balanced_high": F, "disparity": F}
    | _INTERVAL,
    # rules that ask for the group, when it is wrong for a share of the patients; change is against right groups
    "wrong_groups": _METHOD
    | {"wrong": F, "attribute": S, "metric": S, "contrast": S, "value": F}
    | _INTERVAL
    | {"change": F, "change_low": F, "change_high": F},
    # every method that the preferences permit: loss of balanced accuracy and change of the odds gap against the
    # untouched baseline, and how far its gap lies from the recommended one's (apart)
    "recommendation": _METHOD
    | {"role": S, "keeps_accuracy": B, "narrows": B, "loss": F, "loss_low": F, "loss_high": F, "disparity": F}
    | _INTERVAL
    | {"change": F, "change_low": F, "change_high": F, "apart": F, "apart_low": F, "apart_high": F},
    # the baseline's intervals, by patient and (too narrow) by image
    "interval_levels": {"attribute": S, "group": S, "metric": S, "level": S, "value": F} | _INTERVAL,
    "odd_networks": odd_networks.SCHEMA,
    "without_failed": odd_networks.WITHOUT,
} | PICTURES

LATER: frozenset[str] = frozenset(
    (
        "shares",
        "visits",
        "parity",
        "intersections",
        "amplification",
        "calibration",
        "calibration_curve",
        "simpson",
        "probes",
        "flattery",
        "front",
        "closures",
        "relaxation",
        "wrong_groups",
        "recommendation",
        "odd_networks",
        "without_failed",
        *PICTURES,
    )
)
"""Tables that bundles made before they were thought of lack: read as empty there, and the report says that they are."""


class BundleError(ValueError):
    """A results bundle is missing, older than this code, or damaged; the message is one sentence for the user."""


@dataclass(frozen=True)
class Results:
    """A loaded bundle: `manifest` (study.json) and `tables` (one frame per entry of `TABLES`)."""

    manifest: dict[str, Any]
    tables: dict[str, pl.DataFrame]

    def __getattr__(self, name: str) -> pl.DataFrame:
        try:
            return self.__dict__["tables"][name]
        except KeyError:
            raise AttributeError(f"a results bundle has no table {name!r}; it has {', '.join(TABLES)}") from None

    @property
    def n_seeds(self) -> int:
        """Networks trained for each weighting."""
        return len(self.manifest["settings"]["training"]["seeds"])


def load(cohort: str | Path | None = None, root: Path = ROOT) -> Results:
    """Read and check the bundle of a cohort (name or path; default: the chosen one). Raises `BundleError` with one sentence.

    Tables of `LATER` that the manifest does not list are empty.
    """
    folder = bundle_folder(cohort, root)
    again = f"run `make study COHORT=path/to/{folder.parent.name}` to make it again"
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} holds no results ({MANIFEST} is missing): {again}.")
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        version, hashes = manifest["schema_version"], dict(manifest["files"])
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{folder / MANIFEST} is damaged (not a manifest): {again}.") from None
    if version != SCHEMA_VERSION:
        raise BundleError(f"{folder} has schema version {version}, this code reads {SCHEMA_VERSION}: {again}.")
    return Results(manifest, {name: _read_table(folder, name, hashes, again) for name in TABLES})


def _read_table(folder: Path, name: str, hashes: dict[str, str], again: str) -> pl.DataFrame:
    path = folder / f"{name}.parquet"
    if name in LATER and path.name not in hashes:
        return pl.DataFrame(schema=TABLES[name])
    if not path.is_file():
        raise BundleError(f"{path} is missing from the results: {again}.")
    if _sha256(path) != hashes.get(path.name):
        raise BundleError(f"{path} is not the file that {MANIFEST} describes (its hash differs): {again}.")
    frame = pl.read_parquet(path)
    _check_schema(name, frame)
    return frame


def _check_schema(name: str, frame: pl.DataFrame) -> None:
    if dict(frame.schema) != TABLES[name]:
        raise BundleError(f"table {name!r} has columns {dict(frame.schema)}, allowed is exactly {TABLES[name]}.")


def save(
    folder: Path, manifest: dict[str, Any], tables: dict[str, pl.DataFrame], predictions: pl.DataFrame | None = None
) -> None:
    """Write a bundle whole or not at all: it is built beside `folder` and then takes its place.

    `tables` has exactly the entries of `TABLES`, with their columns (extra columns are an error);
    `manifest` gains `schema_version` and the SHA-256 of every file. `predictions` (`lib.published`) become
    `predictions.parquet`, which no table of the report needs. Raises `BundleError` for a wrong table.
    """
    if tables.keys() != TABLES.keys():
        raise BundleError(
            f"a bundle has the tables {', '.join(TABLES)}; these differ: {tables.keys() ^ TABLES.keys()}."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".results-", dir=folder.parent))
    previous = building.with_name(f"{building.name}-previous")
    try:
        for name, frame in tables.items():
            _check_schema(name, frame)
            frame.write_parquet(building / f"{name}.parquet", compression="zstd")
        if predictions is not None:
            predictions.write_parquet(building / PREDICTIONS, compression="zstd")
        files = {p.name: _sha256(p) for p in sorted(building.glob("*.parquet"))}
        text = json.dumps({"schema_version": SCHEMA_VERSION, **manifest, "files": files}, indent=2, ensure_ascii=False)
        (building / MANIFEST).write_text(text + "\n", "utf-8")
        building.chmod(0o755)
        if folder.exists():
            folder.rename(previous)
        building.rename(folder)
    finally:
        if previous.exists() and not folder.exists():
            previous.rename(folder)
        for leftover in (building, previous):
            shutil.rmtree(leftover, ignore_errors=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
