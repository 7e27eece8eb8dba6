"""An audit for machines: every table as CSV and parquet, one JSON with everything, and a model card."""

import json
from math import inf
from pathlib import Path
from typing import Any

import polars as pl

from lib import names
from lib.files import write_whole
from lib.names import english
from lib.predictions.question import Audited
from lib.tabular import for_csv

CARD_VERSION = "0.0.2"
"""Of the schema of Google's Model Card Toolkit, after Mitchell et al. 2019, arXiv 1810.03993."""


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
    baseline = audit.methods[names.BASELINE_WEIGHTING]
    return {
        "format": "fairness audit of predictions",
        "format_version": 1,
        "images": audit.rows.height,
        "patients": audit.rows["patient"].n_unique(),
        "sick_share": float(audit.rows["label"].mean()),
        "held_out": audit.held_out,
        "files": list(audit.files),
        "baseline": baseline,
        "methods": [
            {"name": name, "networks": audit.networks[inner], "baseline": inner == names.BASELINE_WEIGHTING}
            for inner, name in audit.methods.items()
        ],
        "attributes": [
            attribute | {"unknown_images": audit.rows[attribute["name"]].null_count()}
            for attribute in names.attributes_as_json(audit.attributes.values())
        ],
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
                    "description": f"{audit.rows.height} images of {audit.rows['patient'].n_unique()} patients"
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
    wide = [row for row in gaps.to_dicts() if row["estimate"] > limit]
    if not wide:
        return None
    named = ", ".join(
        f"{english('metrics')[row['metric']]} by {row['attribute']} {row['estimate']:.3f}" for row in wide
    )
    return f"--fail-over {limit:g}: the baseline's gaps are larger: {named}."


def _baseline(frame: pl.DataFrame) -> pl.DataFrame:
    """Of the baseline by patient, what can be estimated."""
    return frame.filter(
        pl.col("estimate").is_not_null(),
        weighting=names.BASELINE_WEIGHTING,
        postprocessing=names.BASELINE_POSTPROCESSING,
        unit=names.PATIENT,
    )
