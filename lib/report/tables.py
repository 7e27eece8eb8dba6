"""Tables of the report: results in, one great-tables table out."""

import html

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
            "group": html.escape(r["group"]),
            "images": words.count(r["images"]),
            "patients": words.count(r["patients"]),
            "sick": words.percent(r["prevalence"]),
        }
        for r in in_order(results.composition.filter(split=split))
    ]
    return GT(pl.DataFrame(rows), rowname_col="group", groupname_col="attribute").pipe(tidy)


def tidy(gt: GT) -> GT:
    """The look of every table: the page's own type and ink."""
    return gt.tab_options(
        table_font_names="inherit",
        table_font_size="inherit", table_font_color="inherit", table_background_color="transparent",
        column_labels_font_weight="bold", row_group_font_weight="bold", stub_font_weight="normal",heading_title_font_weight="bold", heading_subtitle_font_weight="normal"
    )
