"""The bundle of an audit of predictions: the tables that were made, and empty ones where nothing was trained."""

import hashlib
import platform
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from lib import results
from lib.names import BASELINE_POSTPROCESSING, told
from lib.predictions.audited import Audited
from lib.settings import ROOT, bundle_folder
from lib.tables import RECORDED, TABLES


def save_bundle(found: Audited, name: str, source: str, *, root: Path = ROOT, margin: float = 0.05) -> Path:
    """Write `data/<name>/results` and return it. Raises `results.BundleError` when a study's own results are there."""
    target = bundle_folder(name, root)
    if (target / results.MANIFEST).is_file() and not _is_of_predictions(target):
        raise results.BundleError(f"{target} holds the results of a study, which are kept: choose another --name.")
    empty = {table: pl.DataFrame(schema=schema) for table, schema in TABLES.items()}
    tables = empty | found.tables | {"checks": _checks(found)}
    results.save(target, _manifest(found, name, source, margin), tables, TABLES)
    return target


def _is_of_predictions(target: Path) -> bool:
    try:
        return results.load(target.parent.name, target.parent.parent.parent).manifest.get("of_predictions", False)
    except results.BundleError:
        return True


def _checks(found: Audited) -> pl.DataFrame:
    rows = [(notice, found.rows.height, "told") for notice in found.notices]
    rows.append(("images audited", found.rows.height, "kept"))
    return pl.DataFrame(rows, schema=RECORDED["checks"], orient="row")


def _manifest(found: Audited, name: str, source: str, margin: float) -> dict[str, Any]:
    rows = found.rows
    sizes = {"images": rows.height, "patients": rows["patient"].n_unique()}
    key = hashlib.blake2b(rows.select("image", "label", "score").write_csv().encode(), digest_size=16).hexdigest()
    cohort: Mapping[str, Any] = {"name": name, "source": source, "key": key, **sizes} | {
        "train_images": 0,
        "train_patients": 0,
        "valid_images": sizes["images"],
        "valid_patients": sizes["patients"],
        "sick_share": float(rows["label"].mean()),
        "unknown": {attribute: rows[attribute].null_count() for attribute in found.attributes},
    }
    audited = {"margin": margin, "folds": 0, "smallest_cell": 20, "attributes": list(found.attributes)}
    seeds = list(range(1, found.networks["uniform"] + 1))
    return {
        "of_predictions": True,
        "notices": list(found.notices),
        "cohort": dict(cohort),
        "attributes": told(found.attributes.values()),
        "settings": {
            "training": {"seeds": seeds, "weightings": list(found.methods), "named": found.methods},
            "audit": audited | {"postprocessings": [BASELINE_POSTPROCESSING]},
        },
        "made": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in ("polars", "numpy")},
        "hardware": {},
        "durations": {},
    }
