"""Tables of the report: results in, one great-tables table out."""

import polars as pl
from great_tables import GT

from lib.report import words
from lib.report.figures.marks import attribute_label, in_order
from lib.results import Results


def composition(results: Results, split: str = "train") -> GT:
    """Images, patients and share of sick by group."""
    rows = [
        {
            "attribute": attribute_label(r["attribute"]),
            "group": r["group"],
            "images": words.count(r["images"]),
            "patients": words.count(r["patients"]),
            "sick": words.percent(r["prevalence"]),
        }
        for r in in_order(results.composition.filter(split=split))
    ]
    return GT(pl.DataFrame(rows), rowname_col="group", groupname_col="attribute").cols_align(
        "right", ["images", "patients", "sick"]
    )
