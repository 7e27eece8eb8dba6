"""The bundle of an audit of predictions: the tables that were made, and empty ones where nothing was trained."""

import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from lib import results
from lib.files import alone_with, writing_to
from lib.names import attributes_as_json
from lib.predictions.question import Audited
from lib.settings import ROOT, bundle_folder
from lib.tables import RECORDED, TABLES

DEFAULT = "predictions"


def save_bundle(audit: Audited, name: str | None, source: str, *, root: Path = ROOT) -> Path:
    """Write `data/<name>/results` and return it.

    Without a `name` it is `predictions`, or `predictions-<key>` where another audit is kept under that one. Raises
    `results.BundleError` when a study's results, or those of other predictions, are under the `name` that is given.
    """
    key = audit.key
    for own in (name,) if name else (DEFAULT, f"{DEFAULT}-{key[:8]}"):
        target = bundle_folder(own, root)
        with writing_to(target.parent), alone_with(target):
            why = _kept(target, key)
            if why is None:
                empty = {table: pl.DataFrame(schema=schema) for table, schema in TABLES.items()}
                made = empty | audit.tables | {"checks": _checks(audit)}
                results.save(target, _manifest(audit, own, source, key), made, TABLES)
                return target
    raise results.BundleError(f"{target} holds {why}, which are kept: choose another --name.")


def _kept(target: Path, key: str) -> str | None:
    """What is there and must not be written over, or None: these predictions may be audited again."""
    manifest = target / results.MANIFEST
    if not manifest.is_file():
        return None
    try:
        there = json.loads(manifest.read_text("utf-8"))
        of_predictions, own = there.get("of_predictions", False), there.get("cohort", {}).get("key")
    except (ValueError, AttributeError):
        return "results that cannot be read"
    if not of_predictions:
        return "the results of a study"
    return None if own == key else "the results of other predictions"


def _checks(audit: Audited) -> pl.DataFrame:
    rows = [(warning, 1, "a warning") for warning in audit.warnings]
    rows += [(notice, 1, "told") for notice in audit.notices]
    rows.append(("images audited", audit.rows.height, "kept"))
    return pl.DataFrame(rows, schema=RECORDED["checks"], orient="row")


def _manifest(audit: Audited, name: str, source: str, key: str) -> dict[str, Any]:
    rows = audit.rows
    images, patients = rows.height, rows["patient"].n_unique()
    cohort = {
        "name": name,
        "source": source,
        "key": key,
        "images": images,
        "patients": patients,
        "train_images": 0,
        "train_patients": 0,
        "valid_images": images,
        "valid_patients": patients,
        "sick_share": float(rows["label"].mean()),
        "unknown": {attribute: rows[attribute].null_count() for attribute in audit.attributes},
    }
    seeds = list(range(1, audit.networks["uniform"] + 1))
    return {
        "of_predictions": True,
        "held_out": audit.held_out,
        "notices": list(audit.notices),
        "warnings": list(audit.warnings),
        "attributes": attributes_as_json(audit.attributes.values()),
        "cohort": cohort,
        "settings": {
            "training": {"seeds": seeds, "weightings": list(audit.methods), "named": audit.methods},
            "audit": {k: v for k, v in audit.settings.items() if k != "preferences"}
            | {"attributes": list(audit.attributes)},
            "preferences": audit.settings["preferences"],
        },
        "made": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("polars", "numpy")},
        "hardware": {},
        "durations": {},
    }
