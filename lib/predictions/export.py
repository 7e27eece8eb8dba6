"""An audit as files: the bundle that the report reads; tables as CSV and parquet, one JSON with everything, and a model card."""

import json
import platform
from datetime import date
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import Any

import polars as pl

from lib import names, results
from lib.files import alone_with, write_whole, writing_to
from lib.names import english
from lib.predictions.question import Audited
from lib.settings import ROOT, bundle_folder
from lib.tables import RECORDED, TABLES
from lib.tabular import for_csv

BUNDLE = "predictions"
"""Name in `data/` of a bundle that is not named otherwise."""

CARD_VERSION = "0.0.2"
"""Of the schema of Google's Model Card Toolkit, after Mitchell et al. 2019, arXiv 1810.03993."""


def save_bundle(audit: Audited, name: str | None, source: str, *, root: Path = ROOT) -> Path:
    """Write `data/<name>/results` and return it; tables of what was not trained are empty.

    Without a `name` it is `predictions`, or `predictions-<key>` where another audit is kept under that one. Raises
    `results.BundleError` when a study's results, or those of other predictions, are under the `name` that is given.
    """
    for place in (name,) if name else (BUNDLE, f"{BUNDLE}-{audit.key[:8]}"):
        target = bundle_folder(place, root)
        with writing_to(target.parent), alone_with(target):
            why = _kept(target, audit.key)
            if why is None:
                tables = {table: pl.DataFrame(schema=schema) for table, schema in TABLES.items()}
                tables |= audit.tables | {"checks": _checks(audit)}
                results.save(target, _manifest(audit, place, source), tables, TABLES)
                return target
    raise results.BundleError(f"{target} holds {why}, which are kept: choose another --name.")


def _kept(target: Path, key: str) -> str | None:
    """What is there and must not be written over, or None: these predictions may be audited again."""
    try:
        manifest = results.read_manifest(target)
    except results.BundleError:
        return "results that cannot be read"
    if manifest is None:
        return None
    if not manifest.get("of_predictions"):
        return "the results of a study"
    return None if manifest.get("cohort", {}).get("key") == key else "the results of other predictions"


def _checks(audit: Audited) -> pl.DataFrame:
    rows = [(warning, 1, "a warning") for warning in audit.warnings]
    rows += [(notice, 1, "told") for notice in audit.notices]
    rows.append(("images audited", audit.rows.height, "kept"))
    return pl.DataFrame(rows, schema=RECORDED["checks"], orient="row")


def _manifest(audit: Audited, name: str, source: str) -> dict[str, Any]:
    size, seeds = audit.size, list(range(1, audit.networks[names.BASELINE_WEIGHTING] + 1))
    valid = {"valid_images": size["images"], "valid_patients": size["patients"]}
    settings = dict(audit.settings)
    preferences = settings.pop("preferences")
    return {
        "of_predictions": True,
        "held_out": audit.held_out,
        "notices": list(audit.notices),
        "warnings": list(audit.warnings),
        "attributes": names.attributes_as_json(audit.attributes.values()),
        "cohort": {"name": name, "source": source, "key": audit.key, "unknown": audit.unknown, **size, **valid}
        | {"train_images": 0, "train_patients": 0},
        "settings": {
            "training": {"seeds": seeds, "weightings": list(audit.methods), "named": audit.methods},
            "audit": settings | {"attributes": list(audit.attributes)},
            "preferences": preferences,
        },
        "made": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("polars", "numpy")},
        "hardware": {},
        "durations": {},
    }


def export(audit: Audited, folder: Path) -> list[Path]:
    """Write `<table>.csv`, `<table>.parquet`, `audit.json` and `model_card.json` into `folder`; returns the two JSON files.

    Methods go by their own names there. In CSV, text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_name = pl.col("^(by_)?weighting$").replace(audit.methods)
    tables = {name: frame.with_columns(by_name) for name, frame in audit.tables.items()}
    for name, frame in tables.items():
        write_whole(folder / f"{name}.csv", for_csv(frame).write_csv())
        write_whole(folder / f"{name}.parquet", frame.write_parquet)
    # JSON has no infinity: null, as where no number of patients is enough
    finite = pl.selectors.float().replace({inf: None, -inf: None})
    whole = _facts(audit) | {"tables": {name: frame.with_columns(finite).to_dicts() for name, frame in tables.items()}}
    written = {"audit.json": whole, "model_card.json": model_card(audit)}
    for name, content in written.items():
        write_whole(folder / name, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return [folder / name for name in written]


def _facts(audit: Audited) -> dict[str, Any]:
    """What was audited, how it was decided, and what is to be kept in mind."""
    attributes = names.attributes_as_json(audit.attributes.values())
    return {
        "format": "fairness audit of predictions",
        "format_version": 1,
        **audit.size,
        "held_out": audit.held_out,
        "files": list(audit.files),
        "baseline": audit.methods[names.BASELINE_WEIGHTING],
        "methods": [
            {"name": name, "networks": audit.networks[key], "baseline": key == names.BASELINE_WEIGHTING}
            for key, name in audit.methods.items()
        ],
        "attributes": [one | {"unknown_images": audit.unknown[one["name"]]} for one in attributes],
        "settings": audit.settings,
        "key": audit.key,
        "warnings": list(audit.warnings),
        "notes": list(audit.notices),
        "deployed_rules": [rule | {"weighting": audit.methods[rule["weighting"]]} for rule in audit.deployed],
    }


def model_card(audit: Audited) -> dict[str, Any]:
    """The baseline as a model card that programs can read: figures by group with their intervals, limits, risks."""
    figures = [
        {
            "type": row["metric"],
            "value": row["estimate"],
            "confidence_interval": {"lower_bound": row["low"], "upper_bound": row["high"]},
            "slice": "overall" if row["attribute"] == names.OVERALL else f"{row['attribute']} = {row['group']}",
        }
        for row in _baseline(audit.tables["metrics"]).to_dicts()
    ]
    return {
        "schema_version": CARD_VERSION,
        "model_details": {
            "name": audit.methods[names.BASELINE_WEIGHTING],
            "overview": "A classifier of chest radiographs, sick or healthy, audited from its predictions alone.",
            "references": [{"reference": "https://doi.org/10.48550/arXiv.1810.03993"}],
        },
        "model_parameters": {
            "data": [
                {
                    "name": "audited images",
                    "description": "{images} images of {patients} patients".format(**audit.size)
                    + (", held out from training" if audit.held_out else ", of which some may have been trained on"),
                }
            ],
            "output_format": "score of sick in 0 to 1",
        },
        "quantitative_analysis": {"performance_metrics": figures},
        "considerations": {
            "limitations": [{"description": warning} for warning in audit.warnings],
            "tradeoffs": [
                {
                    "description": f"{english('metrics')[row['metric']]} by {row['attribute']}, {row['contrast']}: {row['estimate']:+.3f}"
                }
                for row in _baseline(audit.tables["gaps"]).filter(pl.col("metric").is_in(names.ERRORS)).to_dicts()
            ],
        },
    }


def too_wide(audit: Audited, limit: float) -> str | None:
    """One sentence that names the baseline's TPR and FPR gaps beyond `limit` (largest minus smallest rate over the groups of
    an attribute, as estimated), or says that none can be estimated; None when all are within."""
    gaps = _baseline(audit.tables["gaps"]).filter(pl.col("metric").is_in(names.ERRORS), contrast=names.MAX_MIN)
    if gaps.is_empty():
        return f"--fail-over {limit:g}: no TPR or FPR gap can be estimated: too few patients."
    wide = [
        f"{english('metrics')[row['metric']]} by {row['attribute']} {row['estimate']:.3f}"
        for row in gaps.filter(pl.col("estimate") > limit).to_dicts()
    ]
    return f"--fail-over {limit:g}: the baseline's gaps are larger: {', '.join(wide)}." if wide else None


def _baseline(frame: pl.DataFrame) -> pl.DataFrame:
    """Of the baseline by patient, what can be estimated."""
    return frame.filter(
        pl.col("estimate").is_not_null(),
        weighting=names.BASELINE_WEIGHTING,
        postprocessing=names.BASELINE_POSTPROCESSING,
        unit=names.PATIENT,
    )
