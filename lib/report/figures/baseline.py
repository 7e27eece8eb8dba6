"""The untouched classifier: how it does for each group, and which differences stand out from noise."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from lib.names import METRICS, OVERALL
from lib.report import evidence, words
from lib.report.evidence import WIDEST
from lib.report.figures.marks import (
    AUC,
    AUC_CHANGE,
    BASELINE,
    PERCENT,
    POINTS,
    Chart,
    around_zero,
    attribute_label,
    bars_are,
    dot,
    dot_panel,
    framed,
    group_row,
    in_lines,
    in_order,
    judged_on,
    key,
    label_width,
    nothing,
    over,
    span,
    under_headings,
    verdict_key,
)
from lib.report.theme import LABELS, MEASURES, PALE, Look, Size, group_look, verdict_look
from lib.results import Results

MINUS = "\N{MINUS SIGN}"
SHOWN = ("tpr", "fpr", "balanced_accuracy", "auc")


def baseline_groups(results: Results, attributes: Sequence[str] | None = None, *, size: Size = "page") -> Chart:
    """TPR, FPR, balanced accuracy and AUC of each group, with everyone's as a rule; `attributes` defaults to all."""
    measure = MEASURES[size]
    frame = evidence.metrics(results).filter(**BASELINE).filter(pl.col("metric").is_in(SHOWN))
    if attributes is not None:
        frame = frame.filter(pl.col("attribute").is_in([OVERALL, *attributes]))
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in in_order(frame))
    width = (measure.width - label_width(rows, measure) - measure.aside - 3 * 24) / 4
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


def gaps_finding(results: Results, attributes: Sequence[str] | None = None, metrics: Sequence[str] = SHOWN) -> str:
    """The widest of the differences between groups that the audit decided; or that none could be."""
    gaps = evidence.gaps(results).filter(**BASELINE).filter(pl.col("p").is_not_null(), pl.col("metric").is_in(metrics))
    if attributes is not None:
        gaps = gaps.filter(pl.col("attribute").is_in(attributes))
    if gaps.is_empty():
        return "No difference between groups can be estimated"
    decided = gaps.filter(pl.col("verdict").is_in(["higher", "lower"]))
    if decided.is_empty():
        return "No difference between groups can be told from noise"
    widest = max(decided.to_dicts(), key=lambda row: abs(row["value"]))
    group, reference = widest["contrast"].split(" - ")
    size = words.difference(widest["metric"], widest["value"]) + words.unit(widest["metric"])
    return f"{METRICS[widest['metric']].label} differs most: {group} against {reference}, {size}"


def baseline_gaps(results: Results, attributes: Sequence[str] | None = None, *, size: Size = "page") -> Chart:
    """Differences between groups of the untouched baseline, each with its verdict; on a slide the two error rates."""
    measure = MEASURES[size]
    metrics = SHOWN if size == "page" else SHOWN[:2]
    gaps = (
        evidence.gaps(results).filter(**BASELINE).filter(pl.col("contrast") != WIDEST, pl.col("metric").is_in(metrics))
    )
    if attributes is not None:
        gaps = gaps.filter(pl.col("attribute").is_in(attributes))
    if gaps.is_empty():
        return nothing("there are no two groups to compare", size=size)
    rows = under_headings(_gap_row(row) for row in gaps.to_dicts())
    spread = 24 * (len(metrics) - 1)
    width = (measure.width - label_width(rows, measure) - spread) / len(metrics)
    domain = around_zero([v for c in ("value", "low", "high") for v in gaps[c]])
    panels = [
        dot_panel(
            [_gap_dot(row) for row in gaps.filter(metric=metric).to_dicts()],
            rows,
            measure=measure,
            width=width,
            domain=domain,
            heading=METRICS[metric].label,
            axis=AUC_CHANGE if metric == "auc" else POINTS,
            labelled=metric == metrics[0],
            at=0,
            ticks=4,
        )
        for metric in metrics
    ]
    finding = gaps_finding(results, attributes, metrics)
    across = measure.width - label_width(rows, measure)
    return framed(
        over(in_lines(panels, len(panels), 24), verdict_key(measure, across, gaps["verdict"])),
        title=finding,
        subtitle=[
            f"Untouched baseline, group - reference, in points · {judged_on(results)}".replace(" - ", f" {MINUS} "),
            f"{bars_are(results)}. Verdicts hold for all differences of a family together (max-T).",
        ],
        description=f"Dots with intervals: differences between groups, baseline. {_gaps_listed(gaps)} {finding}.",
        size=size,
    )


def interval_levels(results: Results, metrics: Sequence[str] = ("tpr", "fpr", "auc"), *, size: Size = "page") -> Chart:
    """The baseline's intervals by patient, and by image, which takes images of one patient for strangers."""
    measure = MEASURES[size]
    frame = evidence.plain(results.interval_levels).filter(pl.col("metric").is_in(metrics))
    by_level = {level: in_order(frame.filter(level=level)) for level in ("patient", "image")}
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in by_level["patient"])
    width = (measure.width - label_width(rows, measure) - 24 * (len(metrics) - 1)) / len(metrics)
    patient, image = Look(PALE, "circle"), Look(LABELS[1][1].colour, "circle")
    panels = []
    for metric in metrics:
        dots = [_level_dot(r, patient, thick=9.0) for r in by_level["patient"] if r["metric"] == metric]
        dots += [_level_dot(r, image, thick=2.0) for r in by_level["image"] if r["metric"] == metric]
        panels.append(
            dot_panel(
                dots,
                rows,
                measure=measure,
                width=width,
                domain=_domain(frame, metric),
                heading=METRICS[metric].label,
                axis=AUC if metric == "auc" else PERCENT,
                labelled=metric == metrics[0],
                ticks=3,
            )
        )
    finding = _levels_finding(frame)
    entries = [("by patient", Look(PALE, "square")), ("by image: too narrow", image)]
    return framed(
        over(
            in_lines(panels, len(panels), 24), key(entries, measure, width=measure.width - label_width(rows, measure))
        ),
        title=finding,
        subtitle=[f"95 % intervals of the untouched baseline · {judged_on(results)}"],
        description=f"Two intervals for each group, one resampling patients, one resampling images. {finding}.",
        size=size,
    )


def _levels_finding(frame: pl.DataFrame) -> str:
    keys = ["attribute", "group", "metric"]
    width = frame.drop_nulls("value").with_columns(width=pl.col("high") - pl.col("low"))
    pairs = width.filter(level="image").join(width.filter(level="patient"), on=keys, suffix="_patient")
    pairs = pairs.filter(pl.col("width_patient") > 0)
    if pairs.is_empty():
        return "No interval can be estimated"
    ratio = float((pairs["width"] / pairs["width_patient"]).median())
    if ratio > 0.97:
        return "Here, intervals by image are about as wide as those by patient"
    return f"Intervals by image are {words.percent(1 - ratio, 0)} narrower than those by patient (median)"


def _level_dot(row: dict[str, Any], look: Look, *, thick: float) -> dict[str, Any]:
    return dot(group_row(row["attribute"], row["group"]), row["value"], row["low"], row["high"], look, thick=thick)


def _gap_row(row: dict[str, Any]) -> str:
    return f"{attribute_label(row['attribute'])}|{row['contrast'].replace(' - ', f' {MINUS} ')}"


def _gap_dot(row: dict[str, Any]) -> dict[str, Any]:
    return dot(_gap_row(row), row["value"], row["low"], row["high"], verdict_look(row["verdict"]))


def _gaps_listed(gaps: pl.DataFrame) -> str:
    parts = []
    for row in gaps.to_dicts():
        name = f"{METRICS[row['metric']].label} {row['contrast'].replace(' - ', ' minus ')}"
        value = words.difference(row["metric"], row["value"]) + (
            words.unit(row["metric"]) if row["value"] is not None else ""
        )
        parts.append(name + f" {value}" + (f", {row['verdict']}" if row["verdict"] in ("higher", "lower") else ""))
    return "; ".join(parts) + "."


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
