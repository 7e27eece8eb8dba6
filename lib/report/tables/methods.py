"""Tables of what methods do: performance, groups, gaps, changes, thresholds."""

import polars as pl
from great_tables import GT

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    postprocessing_label,
)
from lib.report import words
from lib.report.focus import aimed, focus
from lib.report.tables.cells import table
from lib.results import Results


def thresholds(results: Results, weighting: str = BASELINE_WEIGHTING, attribute: str | None = None) -> GT:
    """Fitted thresholds of each group: mean, smallest and largest over folds and networks, and how often fitted.

    Of the rules that act on no attribute or on `attribute`, by default the one of interest; randomised rules have no
    threshold of their own.
    """
    frame = results.thresholds.filter(aimed(attribute or focus(results)), weighting=weighting).filter(
        pl.col("postprocessing") != BASELINE_POSTPROCESSING
    )
    whole = bool((frame["fitted"] == 1).all())  # a column that says one thing is none
    rows = [
        {
            "heading": words.sentence(postprocessing_label(r["postprocessing"], r["target"])),
            "group": "everyone" if r["group"] == "all" else r["group"],
            "threshold": words.number(r["threshold"], 2),
            "range": f"{words.number(r['low'], 2)} to {words.number(r['high'], 2)}",
            **({} if whole else {"fitted": words.percent(r["fitted"], 0)}),
        }
        for r in frame.to_dicts()
    ]
    labels = {"threshold": "mean threshold", "range": "smallest to largest"}
    labels |= {} if whole else {"fitted": "fitted on the group's own"}
    return table(rows, labels, stub="group", heading="heading", right=list(labels))
