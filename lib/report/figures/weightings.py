"""The weightings themselves: the weights they give, the networks trained under them, how far seeds lie apart."""

import altair as alt
import polars as pl

from lib.names import weighting_label
from lib.report.figures.marks import (
    Chart,
    caption,
    framed,
    in_lines,
    nothing,
    span,
    wrapped,
)
from lib.report.theme import LABELS, MEASURES, Size
from lib.results import Results


def history(results: Results, *, size: Size = "page") -> Chart:
    """Training loss, and AUC on the tuning patients, by epoch, for every network."""
    measure = MEASURES[size]
    frame = results.history.join(
        results.runs.select("weighting", "seed", "best_epoch"), on=["weighting", "seed"], how="left"
    )
    names = frame["weighting"].unique(maintain_order=True).to_list()
    if not names:
        return nothing("no training history was kept", size=size)
    columns = min(5, len(names))
    width = (measure.width - 60 - 16 * (columns - 1)) / columns
    panels = []
    for start in range(0, len(names), columns):
        line = names[start : start + columns]
        for metric, label in (("tune_auc", "AUC, tuning"), ("train_loss", "training loss")):
            domain = span(list(frame[metric]), step=0.05)
            for name in line:
                heading = wrapped(weighting_label(name), measure.characters(width, measure.small))
                panel = _curves(frame.filter(weighting=name), metric, domain, width, label if name == line[0] else None)
                if metric == "tune_auc":
                    panel = alt.layer(panel, caption(heading, 0, "left", measure=measure))
                panels.append(panel)
            # a last line that is not full keeps its two metrics apart
            missing = columns - len(line)
            panels += [alt.Chart(pl.DataFrame({"x": [0]})).mark_point(opacity=0).properties(width=width)] * missing
    finding = _history_finding(results)
    return framed(
        in_lines(panels, columns, 16),
        title=finding,
        subtitle=[
            "One line for each seed; the dot is the epoch that was kept, chosen on patients of train set aside for it."
        ],
        description=f"Lines over epochs for each weighting: AUC on the tuning patients, and training loss. {finding}.",
        size=size,
    )


def _curves(
    frame: pl.DataFrame, metric: str, domain: tuple[float, float], width: float, label: str | None
) -> alt.LayerChart:
    axis = alt.Axis(title=label, labels=label is not None, format=".2f", tickCount=3, grid=True)
    below = metric == "train_loss"
    epochs = alt.Axis(
        title="epoch" if below else None, labels=below, tickCount=4, tickMinStep=1, grid=False, format="d"
    )
    base = alt.Chart(frame).encode(
        x=alt.X("epoch:Q", axis=epochs),
        y=alt.Y(f"{metric}:Q", axis=axis, scale=alt.Scale(domain=list(domain), nice=False)),
        detail=alt.Detail("seed:N"),
    )
    colour = LABELS[1][1].colour
    kept = base.transform_filter("datum.epoch == datum.best_epoch").mark_point(fill=colour, stroke=colour, size=45)
    return alt.layer(base.mark_line(color=colour, strokeWidth=1.6), kept).properties(width=width, height=110)


def _history_finding(results: Results) -> str:
    kept, last = results.runs["best_epoch"].drop_nulls(), results.runs["epochs"].drop_nulls()
    if not len(kept):
        return "How training went, epoch by epoch"
    epochs = f"epoch {kept.min()}" if kept.min() == kept.max() else f"epochs {kept.min()} to {kept.max()}"
    return f"The best AUC on the tuning patients comes at {epochs} of {last.max()}"
