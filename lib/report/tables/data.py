"""The table of the weightings."""

from collections.abc import Sequence

import polars as pl
from great_tables import GT

from lib.names import weighting_label
from lib.report import words
from lib.report.tables.cells import share, table
from lib.results import Results

SMALL_SHARE = 0.5
"""Kish effective share under which a weighting rests on few images."""


def weightings(results: Results) -> GT:
    """Effective share of the images, range of the mean weights, and what is worth knowing of each weighting."""
    shares = dict(results.runs.group_by("weighting", maintain_order=True).agg(pl.col("effective_share").mean()).rows())
    rows = []
    for name, effective in shares.items():
        cells = results.weights.filter(weighting=name)["weight"].drop_nulls()
        low, high = (words.number(value, 2) for value in (cells.min(), cells.max()))
        rows.append(
            {
                "weighting": weighting_label(name),
                "share": share(effective),
                "range": f"{low} to {high}" if len(cells) else "unknown",
                "note": _weighting_note(results, name, effective, list(shares)),
            }
        )
    labels = {"share": "effective share of images, %", "range": "mean weights of groups"}
    labels |= {"note": "note"} if any(row["note"] for row in rows) else {}
    return table(rows, labels, stub="weighting", right=["share", "range"])


def _weighting_note(results: Results, name: str, effective: float | None, names: Sequence[str]) -> str:
    own = results.weights.filter(weighting=name).sort("attribute", "group", "label")
    notes = []
    for other in names[: names.index(name)]:
        theirs = results.weights.filter(weighting=other).sort("attribute", "group", "label")
        apart = (own["weight"] - theirs["weight"]).abs().max() if own.height == theirs.height else 1.0
        if own.height and (apart is None or apart < 0.005):
            notes.append(f"here the same in every group as {weighting_label(other)}")
    if effective is not None and effective < SMALL_SHARE:
        notes.append("few images carry most of the weight")
    return words.sentence("; ".join(notes))
