"""What weightings and post-processings do: changes against the untouched baseline, and how much judging in place flatters."""

from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    ERRORS,
    NO_TARGET,
    OVERALL,
    postprocessing_label,
    weighting_label,
)
from lib.report import evidence, words
from lib.report.figures.marks import (
    GAP,
    PERCENT,
    Chart,
    attribute_label,
    dot,
    dot_panel,
    framed,
    in_lines,
    judged_on,
    key,
    label_width,
    nothing,
    over,
    span,
    under_headings,
)
from lib.report.focus import aimed, focus, foremost, of_them
from lib.report.theme import LABELS, MEASURES, Size
from lib.report.words import method_words, outcome_words
from lib.results import Results

DECIDED = ("improves", "worsens", "turns", "moves", "differs")
BALANCED = (OVERALL, "balanced_accuracy")


"""Weightings of the catalogue that a figure shows at most."""


def method_row(row: dict[str, Any], kind: str = "post-processing") -> str:
    """The row of a method: a weighting, or a post-processing under the attribute that it acts on."""
    if kind == "weighting":
        return f"|{weighting_label(row['weighting'])}"
    label = postprocessing_label(row["postprocessing"])
    return f"everyone alike|{label}" if row["target"] == NO_TARGET else f"by {attribute_label(row['target'])}|{label}"


def optimism(results: Results, weighting: str = BASELINE_WEIGHTING, *, size: Size = "page") -> Chart:
    """From the figure on the patients that chose the thresholds to the figure on held-out ones."""
    measure = MEASURES[size]
    frame = evidence.optimism(results).filter(pl.col("postprocessing") != BASELINE_POSTPROCESSING, weighting=weighting)
    frame = frame.filter(aimed(focus(results)))
    # of a method that acts on no attribute, balanced accuracy alone: its gaps by every attribute would crowd the row
    frame = frame.filter(
        ((pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy"))
        | ((pl.col("attribute") == pl.col("target")) & pl.col("metric").is_in(ERRORS))
    )
    if frame.is_empty():
        return nothing("no post-processing was fitted", size=size)
    everything, finding = frame, _optimism_finding(frame)
    frame = foremost(frame, results, focus(results)) if size == "slide" else frame
    rows = under_headings(method_row(row) for row in frame.to_dicts())
    across = measure.width - label_width(rows, measure)
    width = (across - 48) / 3
    headings = {"balanced_accuracy": "balanced accuracy", "tpr": "TPR gap, same groups", "fpr": "FPR gap, same groups"}
    panels = []
    for metric, heading in headings.items():
        part = frame.filter(metric=metric).to_dicts()
        values = [row[k] for row in part for k in ("naive", "cross_fitted")]
        panels.append(
            dot_panel(
                [mark for row in part for mark in _optimism_dots(row)],
                rows,
                measure=measure,
                width=width,
                domain=span(values, step=0.02, least=0.08),
                heading=heading,
                axis=PERCENT if metric == "balanced_accuracy" else GAP,
                labelled=metric == "balanced_accuracy",
                ticks=3,
            )
        )
    entries = [("fitted where judged", LABELS[0][1]), ("judged on held-out patients", LABELS[1][1])]
    return framed(
        over(in_lines(panels, 3, 24), key(entries, measure, width=across)),
        title=finding,
        subtitle=[
            f"{of_them(frame, everything) or 'Post-processings'} of the networks under {weighting_label(weighting)} weights · "
            f"{judged_on(results)}"
        ],
        description=f"Pairs of dots: the figure where the thresholds were fitted, and on held-out patients. {finding}. "
        f"{_optimism_listed(frame)}",
        size=size,
    )


def _optimism_dots(row: dict[str, Any]) -> list[dict[str, Any]]:
    naive, held_out = row["naive"], row["cross_fitted"]
    if naive is None or held_out is None:
        return [dot(method_row(row), None, None, None, LABELS[1][1])]
    low, high = sorted((naive, held_out))
    return [
        dot(method_row(row), held_out, low, high, LABELS[1][1]),
        dot(method_row(row), naive, naive, naive, LABELS[0][1]),
    ]


def _flattered(frame: pl.DataFrame) -> pl.Series:
    """How much better the naive figure looks: above for balanced accuracy, below for gaps."""
    sign = pl.when(pl.col("attribute") == OVERALL).then(1.0).otherwise(-1.0)
    return frame.select(by=sign * (pl.col("naive") - pl.col("cross_fitted")))["by"].drop_nulls()


def _optimism_finding(frame: pl.DataFrame) -> str:
    by = _flattered(frame)
    if not len(by):
        return "No figure can be estimated"
    better = int((by > 0).sum())
    return (
        f"{better} of {len(by)} figures look better on the patients that chose the thresholds "
        f"(median {words.points(float(by.median()))} points)"
    )


def _optimism_listed(frame: pl.DataFrame) -> str:
    parts = [
        f"{method_words({**row, 'weighting': BASELINE_WEIGHTING})}, {outcome_words(row['attribute'], row['metric'])}: "
        f"{words.percent(row['naive'])} to {words.percent(row['cross_fitted'])}"
        for row in frame.to_dicts()
    ]
    return "; ".join(parts) + "."
