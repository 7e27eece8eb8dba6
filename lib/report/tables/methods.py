"""Tables of what methods do: performance, groups, gaps, changes, thresholds."""

import polars as pl
from great_tables import GT

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    NO_TARGET,
    OVERALL,
    postprocessing_label,
    weighting_label,
)
from lib.report import evidence, words
from lib.report.focus import aimed, focus
from lib.report.tables.cells import bounded, share, table
from lib.results import Results


def performance(results: Results) -> GT:
    """Balanced accuracy and AUC of each weighting at the fixed threshold, and how far its networks lie apart."""
    frame = evidence.metrics(results).filter(
        postprocessing=BASELINE_POSTPROCESSING, target=NO_TARGET, attribute=OVERALL, group="all"
    )
    rows = []
    for name in frame["weighting"].unique(maintain_order=True):
        own = {row["metric"]: row for row in frame.filter(weighting=name).to_dicts()}
        balanced, ranked = own["balanced_accuracy"], own["auc"]
        rows.append(
            {
                "weighting": weighting_label(name),
                "balanced": bounded(balanced["value"], balanced["low"], balanced["high"], share),
                "balanced_sd": "one seed" if balanced["network_sd"] is None else share(balanced["network_sd"]),
                "auc": bounded(ranked["value"], ranked["low"], ranked["high"], words.number),
                "auc_sd": "one seed" if ranked["network_sd"] is None else words.number(ranked["network_sd"]),
            }
        )
    labels = {
        "balanced": "balanced accuracy, % (95 % interval)",
        "balanced_sd": "SD of seeds",
        "auc": "AUC (95 % interval)",
        "auc_sd": "SD of seeds",
    }
    return table(rows, labels, stub="weighting", right=list(labels))


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
