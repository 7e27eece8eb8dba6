"""Do scores mean what they say? The share of sick at each score, group by group."""

from typing import Any

import altair as alt
import polars as pl

from lib.names import BASELINE_WEIGHTING, OVERALL, weighting_label
from lib.report import evidence, words
from lib.report.figures.marks import (
    Chart,
    attribute_label,
    caption,
    framed,
    in_lines,
    in_order,
    judged_on,
    key,
    nothing,
    over,
)
from lib.report.findings import miscalibrated, miscalibrated_words
from lib.report.theme import GREY, MEASURES, Measure, Size, group_look
from lib.results import Results

SCALE = alt.Scale(domain=[0, 1], nice=False)
TICKS = {"values": [0, 0.5, 1], "labelExpr": "format(100 * datum.value, 'd') + '\u00a0%'"}


def calibration(results: Results, weighting: str = BASELINE_WEIGHTING, *, size: Size = "page") -> Chart:
    """Share of sick against mean score in ten bins, a panel for each attribute, a line for each group."""
    measure = MEASURES[size]
    curve = results.calibration_curve.filter(weighting=weighting)
    attributes = [name for name in results.attributes if name in set(curve["attribute"])]
    if not attributes:
        return nothing(f"no group is large enough for its calibration under {weighting_label(weighting)}", size=size)
    spacing, axis = 30, 7 * measure.small  # beside a panel: nothing, or the values and the name of its axis
    width = min(measure.width * 0.4, (measure.width - axis - spacing * (len(attributes) - 1)) / len(attributes))
    panels = [_panel(curve, name, measure, width, first=name == attributes[0]) for name in attributes]
    shown = in_order(curve.unique(["attribute", "group"]).filter(pl.col("attribute").is_in([OVERALL, *attributes])))
    entries = [
        ("everyone" if row["attribute"] == OVERALL else row["group"], group_look(row["attribute"], row["group"]))
        for row in shown
    ]
    finding = calibration_finding(results, weighting)
    return framed(
        over(in_lines(panels, len(panels), spacing), key(entries, measure, width=measure.width - axis)),
        title=finding,
        subtitle=[
            f"Share of sick against mean score, ten bins of as many images each · {judged_on(results)}",
            f"{weighting_label(weighting)}. Bars: 95 % intervals. Dashed: scores that mean what they say.",
        ],
        description="Lines: share of sick by mean score, a line for each group. "
        f"{_listed(results, weighting)} {finding}.",
        size=size,
    )


def calibration_finding(results: Results, weighting: str = BASELINE_WEIGHTING) -> str:
    """How many groups are miscalibrated beyond noise, and the furthest of them."""
    decided, total = miscalibrated(results, weighting)
    if not total:
        return "Calibration cannot be estimated"
    if not decided:
        return "No group's scores can be told from calibrated ones"
    groups = len({(row["attribute"], row["group"]) for row in decided})
    return (
        f"Scores are miscalibrated beyond noise in {groups} of {words.counted(total, 'group')}, everyone included: "
        f"{miscalibrated_words(decided[0])}"
    )


def _panel(curve: pl.DataFrame, attribute: str, measure: Measure, width: float, *, first: bool) -> alt.LayerChart:
    frame = curve.filter(pl.col("attribute").is_in([attribute, OVERALL])).drop("weighting")
    looks = {(a, g): group_look(a, g) for a, g in frame.select("attribute", "group").unique().rows()}
    rows = [
        row
        | {"colour": looks[row["attribute"], row["group"]].colour, "shape": looks[row["attribute"], row["group"]].shape}
        for row in in_order(frame)
    ]
    x = alt.X("score:Q", scale=SCALE, axis=alt.Axis(title="mean score", **TICKS))
    y_axis = alt.Axis(**TICKS, **({"title": "share of sick"} if first else {"title": None, "labels": False}))
    y = alt.Y("observed:Q", scale=SCALE, axis=y_axis)
    base = alt.Chart(pl.DataFrame(rows)).encode(x=x, color=alt.Color("colour:N", scale=None, legend=None))
    ends = alt.Chart(pl.DataFrame({"at": [0.0, 1.0]})).mark_line(color=GREY, strokeWidth=1.2, strokeDash=[4, 3])
    diagonal = ends.encode(x=alt.X("at:Q", scale=SCALE), y=alt.Y("at:Q", scale=SCALE))
    bars = base.mark_rule(opacity=0.45).encode(y=alt.Y("low:Q", scale=SCALE, axis=y_axis), y2="high:Q")
    lines = base.mark_line(strokeWidth=1.6).encode(y=y, detail="group:N", order="bin:Q")
    dots = base.mark_point(size=measure.dot * 0.55).encode(
        y=y,
        shape=alt.Shape("shape:N", scale=None, legend=None),
        fill=alt.Fill("colour:N", scale=None, legend=None),
    )
    heading = caption(attribute_label(attribute), 0, "left", measure=measure)
    return alt.layer(diagonal, bars, lines, dots, heading, width=width, height=width)


def _listed(results: Results, weighting: str) -> str:
    table = evidence.calibration(results).filter(weighting=weighting)
    by_group: dict[str, dict[str, Any]] = {}
    for row in in_order(table.filter(pl.col("measure").is_in(["slope", "ece"]))):
        name = "everyone" if row["attribute"] == OVERALL else row["group"]
        by_group.setdefault(name, {})[row["measure"]] = words.number(row["value"], 2)
    return "; ".join(f"{name}: slope {own['slope']}, ECE {own['ece']}" for name, own in by_group.items()) + "."
