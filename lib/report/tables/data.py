"""Tables of the cohort and of the weightings: what went in."""

from typing import Any

import polars as pl
from great_tables import GT

from lib.names import BASELINE_WEIGHTING, weighting_label
from lib.report import evidence, words
from lib.report.figures.marks import attribute_label, in_order
from lib.report.tables.cells import bounded, share, table
from lib.results import Results

SMALL_SHARE = 0.5
"""Kish effective share under which a weighting rests on few images."""

FLAT = 1.05
"""Largest weight under which a weighting hardly differs from none."""


def checks(results: Results) -> GT:
    """What was looked for in the folder and the CSV, how often it was found, and what was done."""
    found = results.checks.filter(pl.col("rows") > 0)
    rows = [{"check": r["check"], "rows": words.count(r["rows"]), "action": r["action"]} for r in found.to_dicts()]
    shown = table(rows, {"check": "looked for", "rows": "found", "action": "what was done"}, right=["rows"])
    rest = results.checks.filter(rows=0)["check"].to_list()
    return shown.tab_source_note(f"Looked for and not found: {'; '.join(rest)}.") if rest else shown


def composition(results: Results) -> GT:
    """Images, patients and share of sick images of each group, in train and in valid."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in in_order(evidence.composition(results)):
        own = rows.setdefault(
            (row["attribute"], row["group"]), {"heading": attribute_label(row["attribute"]), "group": row["group"]}
        )
        own |= {
            f"{row['split']}_images": words.count(row["images"]),
            f"{row['split']}_patients": words.count(row["patients"]),
            f"{row['split']}_sick": bounded(row["prevalence"], row["low"], row["high"], share, missing="no image"),
        }
    splits = evidence.composition(results)["split"].unique(maintain_order=True).to_list()
    labels = {
        f"{split}_{what}": "sick, %" if what == "sick" else what
        for split in splits
        for what in ("images", "patients", "sick")
    }
    gt = table(list(rows.values()), labels, stub="group", heading="heading", right=list(labels))
    for split in splits:
        gt = gt.tab_spanner(split, [f"{split}_{what}" for what in ("images", "patients", "sick")])
    return gt


def catalogue(results: Results) -> GT:
    """Every weighting of the catalogue: effective share, largest weight, and whether it is worth trying here."""
    rows = [
        {
            "weighting": weighting_label(r["weighting"]),
            "share": share(r["effective_share"]),
            "largest": words.number(r["largest"], 2),
            "note": _catalogue_note(r),
        }
        for r in results.catalogue.to_dicts()
    ]
    labels = {"share": "effective share of images, %", "largest": "largest weight", "note": "note"}
    return table(rows, labels, stub="weighting", right=["share", "largest"])


def _catalogue_note(row: dict[str, Any]) -> str:
    if row["refused"]:
        return "not possible here: " + row["refused"].split(": ", 1)[-1]
    notes = [f"here the same as {weighting_label(row['same_as'])}"] if row["same_as"] else []
    if row["effective_share"] < SMALL_SHARE:
        notes.append("few images carry most of the weight")
    elif row["largest"] < FLAT and row["weighting"] != BASELINE_WEIGHTING:
        notes.append("nearly uniform here")
    return words.sentence("; ".join(notes))
