"""The weightings themselves: the weights they give, the networks trained under them, how far seeds lie apart."""

from dataclasses import replace
from typing import Any

import polars as pl

from lib.names import BASELINE_WEIGHTING, weighting_label
from lib.report import words
from lib.report.figures.marks import (
    AUC,
    PERCENT,
    Chart,
    dot,
    dot_panel,
    framed,
    group_row,
    in_lines,
    in_order,
    key,
    label_width,
    nothing,
    over,
    people,
    span,
    under_headings,
    wrapped,
)
from lib.report.focus import focus, foremost_weightings, of_them
from lib.report.theme import GREY, LABELS, MEASURES, Look, Size, group_look
from lib.results import Results

COLUMNS = 4


def weights(results: Results, *, size: Size = "page") -> Chart:
    """Mean weight of the sick and of the healthy of each group, for each weighting but the uniform one."""
    measure = MEASURES[size]
    frame = results.weights.filter(pl.col("weighting") != BASELINE_WEIGHTING)
    if frame.is_empty():
        return nothing("only the uniform weighting was trained, and it gives every image the weight 1", size=size)
    names = frame["weighting"].unique(maintain_order=True).to_list()
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in in_order(frame))
    columns = min(COLUMNS if len(names) <= 2 * COLUMNS else COLUMNS + 1, len(names))
    width = (measure.width - label_width(rows, measure) - 24 * (columns - 1)) / columns
    domain = span([1.0, *frame["weight"]], step=0.1, least=0.4)
    panels = [
        dot_panel(
            [_weight_dot(row) for row in in_order(frame.filter(weighting=name))],
            rows,
            measure=measure,
            width=width,
            domain=(max(0.0, domain[0]), domain[1]),
            heading=wrapped(weighting_label(name), measure.characters(width, measure.small)),
            axis={"format": ".1f"},
            labelled=k % columns == 0,
            at=1,
            ticks=3,
        )
        for k, name in enumerate(names)
    ]
    finding = _weights_finding(frame)
    across = measure.width - label_width(rows, measure)
    return framed(
        over(in_lines(panels, columns, 24), key([label for label in LABELS.values()], measure, width=across)),
        title=finding,
        subtitle=["Mean weight of the training images of each group and label. Dashed: 1, the weight of the baseline."],
        description=f"Dots: mean weight by weighting, group and label. {finding}. {_weights_listed(frame)}",
        size=size,
    )


def _weight_dot(row: dict[str, Any]) -> dict[str, Any]:
    look = replace(group_look(row["attribute"], row["group"]), hollow=LABELS[row["label"]][1].hollow)
    missing = "no image" if row["weight"] is None and row["label"] else ""
    value, shift = row["weight"], -4.0 if row["label"] else 4.0
    return dot(group_row(row["attribute"], row["group"]), value, value, value, look, missing=missing, shift=shift)


def _weights_finding(frame: pl.DataFrame) -> str:
    rows = frame.drop_nulls("weight").to_dicts()
    if not rows:
        return "No group has training images to weight"
    top = max(rows, key=lambda row: max(row["weight"], 1 / row["weight"] if row["weight"] else 1.0))
    return (
        f"The mean weight farthest from 1 is {words.number(top['weight'], 2)}: {LABELS[top['label']][0]} images of "
        f"{top['group']} under {weighting_label(top['weighting'])}"
    )


def _weights_listed(frame: pl.DataFrame) -> str:
    parts = []
    for name in frame["weighting"].unique(maintain_order=True):
        part = frame.filter(weighting=name)["weight"].drop_nulls()
        if len(part):
            parts.append(f"{weighting_label(name)}: {words.number(part.min(), 2)} to {words.number(part.max(), 2)}.")
    return " ".join(parts)


def seed_spread(results: Results, *, size: Size = "page") -> Chart:
    """Balanced accuracy and AUC of every trained network: what another seed does to the same weighting.

    On a slide, of the weightings that change most.
    """
    measure = MEASURES[size]
    runs = foremost_weightings(results.runs, results, focus(results)) if size == "slide" else results.runs
    metrics = {"balanced_accuracy": "balanced accuracy", "auc": "AUC"}
    means = runs.group_by("weighting", maintain_order=True).agg(pl.col("balanced_accuracy").mean())
    order = means.sort("balanced_accuracy", descending=True, nulls_last=True)["weighting"].to_list()
    rows = [f"|{weighting_label(name)}" for name in order]
    width = (measure.width - label_width(rows, measure) - 30) / 2
    look = LABELS[1][1]
    panels = []
    for metric, words_of in metrics.items():
        dots = []
        for run in runs.to_dicts():
            value = run[metric]
            dots.append(dot(f"|{weighting_label(run['weighting'])}", value, value, value, look))
        for name, row in zip(order, rows, strict=True):
            values = runs.filter(weighting=name)[metric].drop_nulls()
            mean = values.mean()
            dots.insert(0, dot(row, mean, values.min(), values.max(), Look(GREY, "stroke"), missing=""))
        panels.append(
            dot_panel(
                dots,
                rows,
                measure=measure,
                width=width,
                domain=span(list(runs[metric]), step=0.01, least=0.04),
                heading=words_of,
                axis=AUC if metric == "auc" else PERCENT,
                labelled=metric == "balanced_accuracy",
            )
        )
    finding = _seeds_finding(results)
    note = "Line: from the lowest to the highest seed." if results.n_seeds > 1 else ""
    return framed(
        in_lines(panels, 2, 30),
        title=finding,
        subtitle=[
            f"Each dot is one trained network, at threshold 0.5 · {people(results)}",
            note,
            of_them(runs, results.runs, "weighting"),
        ],
        description=f"Dots: balanced accuracy and AUC of each network, by weighting. {finding}.",
        size=size,
    )


def _seeds_finding(results: Results) -> str:
    if results.n_seeds < 2:
        return "One network for each weighting: what retraining alone does cannot be seen"
    by = results.runs.group_by("weighting").agg(
        mean=pl.col("balanced_accuracy").mean(),
        spread=pl.col("balanced_accuracy").max() - pl.col("balanced_accuracy").min(),
    )
    apart = words.points(by["spread"].max()).lstrip("+")
    if by.height < 2:
        return f"The same weighting, trained again, moves balanced accuracy by up to {apart} points"
    means = words.points(by["mean"].max() - by["mean"].min()).lstrip("+")
    less = by["mean"].max() - by["mean"].min() <= by["spread"].max()
    return (
        f"Seeds of one weighting lie up to {apart} points of balanced accuracy apart, "
        f"{'the means of all weightings only' if less else 'the means of weightings up to'} {means}"
    )
