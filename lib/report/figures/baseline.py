"""The untouched classifier: how it does for each group, and which differences stand out from noise."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, METRICS, NO_TARGET, OVERALL
from lib.report import words
from lib.report.figures.marks import (
    ASIDE,
    AUC,
    PERCENT,
    Chart,
    bars_are,
    dot,
    dot_panel,
    framed,
    group_row,
    in_order,
    judged_on,
    label_width,
    span,
    under_headings,
)
from lib.report.theme import MEASURES, Size, group_look
from lib.results import Results

BASELINE = {"weighting": BASELINE_WEIGHTING, "postprocessing": BASELINE_POSTPROCESSING, "target": NO_TARGET}
SHOWN = ("tpr", "fpr", "balanced_accuracy", "auc")


def baseline_groups(results: Results, attributes: Sequence[str] | None = None, *, size: Size = "page") -> Chart:
    """TPR, FPR, balanced accuracy and AUC of each group, with everyone's as a rule; `attributes` defaults to all."""
    measure = MEASURES[size]
    frame = results.metrics.filter(**BASELINE).filter(pl.col("metric").is_in(SHOWN))
    if attributes is not None:
        frame = frame.filter(pl.col("attribute").is_in([OVERALL, *attributes]))
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in in_order(frame))
    width = (measure.width - label_width(rows, measure) - ASIDE - 3 * 24) / 4
    panels = []
    for metric in SHOWN:
        part = in_order(frame.filter(metric=metric))
        panels.append(
            dot_panel(
                [_level(row) for row in part],
                rows,
                measure=measure,
                width=width,
                domain=_domain(frame, metric),
                heading=METRICS[metric].label,
                axis=AUC if metric == "auc" else PERCENT,
                labelled=metric == SHOWN[0],
                at=next((row["value"] for row in part if row["attribute"] == OVERALL), None),
                asides="patients" if metric == SHOWN[-1] else "",
                ticks=3,
            )
        )
    finding = gaps_finding(results, attributes)
    return framed(
        alt.hconcat(*panels, spacing=24),
        title=finding,
        subtitle=[
            f"Untouched baseline, by group · {judged_on(results)}",
            f"{bars_are(results)}. Dashed: everyone. TPR: share of the sick called sick; FPR: share of the healthy.",
        ],
        description=f"Dots with intervals: performance of the baseline by group. {_levels_listed(frame)} {finding}.",
        size=size,
    )


def gaps_finding(results: Results, attributes: Sequence[str] | None = None) -> str:
    """How many differences between groups the audit decided, and the largest of them; or that none could be."""
    gaps = results.gaps.filter(**BASELINE).filter(pl.col("p").is_not_null(), pl.col("metric").is_in(SHOWN))
    if attributes is not None:
        gaps = gaps.filter(pl.col("attribute").is_in(attributes))
    if gaps.is_empty():
        return "No difference between groups can be estimated"
    decided = gaps.filter(pl.col("verdict").is_in(["higher", "lower"]))
    if decided.is_empty():
        return f"None of {gaps.height} differences between groups can be told from noise"
    widest = max(decided.to_dicts(), key=lambda row: abs(row["value"]))
    group, reference = widest["contrast"].split(" - ")
    size = words.difference(widest["metric"], widest["value"]) + words.unit(widest["metric"])
    return (
        f"{decided.height} of {gaps.height} differences between groups stand out from noise; the widest: "
        f"{METRICS[widest['metric']].label} of {group} against {reference}, {size}"
    )


def _level(row: dict[str, Any]) -> dict[str, Any]:
    look = group_look(row["attribute"], row["group"])
    return dot(
        group_row(row["attribute"], row["group"]),
        row["value"],
        row["low"],
        row["high"],
        look,
        aside=words.count(row["patients"]),
    )


def _domain(frame: pl.DataFrame, metric: str) -> tuple[float, float]:
    """One scale for the two rates, one for the two summaries, so that panels can be compared."""
    together = ("tpr", "fpr") if metric in ("tpr", "fpr") else ("balanced_accuracy", "auc")
    part = frame.filter(pl.col("metric").is_in(together))
    low, high = span([v for c in ("value", "low", "high") for v in part[c]], step=0.05, least=0.2)
    return max(0.0, low), min(1.0, high)


def _levels_listed(frame: pl.DataFrame) -> str:
    parts = []
    for metric in SHOWN:
        values = [f"{r['group']} {words.level(metric, r['value'])}" for r in in_order(frame.filter(metric=metric))]
        parts.append(f"{METRICS[metric].label}: {', '.join(values)}.")
    return " ".join(parts)
