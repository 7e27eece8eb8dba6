"""Who gains and who loses: the rates of each group, from the untouched baseline to a method."""

from typing import Any

import altair as alt
import polars as pl

from lib.names import ERRORS, METRICS, NO_TARGET, NOT_ESTIMABLE, OVERALL
from lib.report import evidence, words
from lib.report.evidence import WIDEST
from lib.report.figures.changes import DECIDED
from lib.report.figures.marks import (
    BASELINE,
    PERCENT,
    Chart,
    caption,
    framed,
    group_row,
    in_lines,
    in_order,
    judged_on,
    label_width,
    nothing,
    over,
    row_axis,
    span,
    under_headings,
    verdict_key,
)
from lib.report.theme import FAINT, MEASURES, Measure, Size, group_look, verdict_look
from lib.report.words import method_words
from lib.results import Results


def who_gains(
    results: Results, weighting: str, postprocessing: str, target: str = NO_TARGET, *, size: Size = "page"
) -> Chart:
    """From the untouched baseline to a method: TPR and FPR of each group, and which of the changes stand out from noise.

    On a slide, the groups that the method acts on, if it acts on any.
    """
    measure = MEASURES[size]
    method = {"weighting": weighting, "postprocessing": postprocessing, "target": target}
    own = [OVERALL, target] if size == "slide" and target != NO_TARGET else None
    if method == BASELINE or evidence.changes(results).filter(**method).is_empty():
        return nothing("there is no method to compare with the untouched baseline", size=size)
    rows_of = {metric: _moves(results, method, metric, own) for metric in ERRORS}
    rows = under_headings(group_row(r["attribute"], r["group"]) for r in rows_of["tpr"])
    note = 10 * 0.54 * measure.small
    width = (measure.width - label_width(rows, measure) - 40) / 2 - note
    values = [row[k] for part in rows_of.values() for row in part for k in ("before", "after")]
    domain = span(values, step=0.05, least=0.2)
    domain = max(0.0, domain[0]), min(1.0, domain[1])
    panels = [
        _arrows(part, rows, measure, width, note, domain, METRICS[metric], labelled=metric == ERRORS[0])
        for metric, part in rows_of.items()
    ]
    finding = _moves_finding(rows_of, method)
    verdicts = [row["verdict"] for part in rows_of.values() for row in part]
    return framed(
        over(in_lines(panels, 2, 40), verdict_key(measure, measure.width - label_width(rows, measure), verdicts)),
        title=finding,
        subtitle=[
            f"From the untouched baseline (bar) to {method_words(method)} (mark) · {judged_on(results)}",
            "Numbers: change in points. A higher TPR is better, a higher FPR worse.",
        ],
        description=f"Arrows from the baseline to {method_words(method)}, TPR and FPR of each group. {finding}. "
        f"{_moves_listed(rows_of)}",
        size=size,
    )


def _moves(results: Results, method: dict[str, str], metric: str, attributes: list[str] | None) -> list[dict[str, Any]]:
    keys = ["attribute", "group"]
    before = evidence.metrics(results).filter(**BASELINE, metric=metric).select(*keys, before="value")
    after = evidence.metrics(results).filter(**method, metric=metric).select(*keys, after="value")
    change = evidence.changes(results).filter(**method, metric=metric).filter(pl.col("contrast") != WIDEST)
    change = change.select("attribute", "change", "low", "high", "verdict", group="contrast")
    joined = before.join(after, on=keys, how="left", maintain_order="left")
    if attributes is not None:
        joined = joined.filter(pl.col("attribute").is_in(attributes))
    return in_order(joined.join(change, on=keys, how="left", maintain_order="left"))


def _arrows(
    part: list[dict[str, Any]],
    rows: list[str],
    measure: Measure,
    width: float,
    note: float,
    domain: tuple[float, float],
    metric: Any,
    *,
    labelled: bool,
) -> alt.LayerChart:
    drawn = []
    for row in part:
        look, group = verdict_look(row["verdict"]), group_look(row["attribute"], row["group"])
        known = row["before"] is not None and row["after"] is not None
        drawn.append(
            {
                "row": group_row(row["attribute"], row["group"]),
                "before": row["before"] if known else None,
                "after": row["after"] if known else None,
                "group": group.colour,
                "colour": look.colour,
                "fill": "transparent" if look.hollow else look.colour,
                "shape": look.shape,
                "aside": words.points(row["change"]) if known else "",
                "missing": "" if known else NOT_ESTIMABLE,
            }
        )
    schema = {name: pl.Float64 if name in ("before", "after") else pl.String for name in drawn[0]}
    scale = alt.Scale(domain=list(domain), nice=False, zero=False)
    axis = alt.Axis(title=None, tickCount=4, **PERCENT)
    y = alt.Y("row:N", sort=None, scale=alt.Scale(domain=rows), axis=row_axis(rows, measure, labelled))
    base = alt.Chart(pl.DataFrame(drawn, schema=schema)).encode(y=y)
    known = base.transform_filter("isValid(datum.before)")
    as_group = alt.Color("group:N", scale=None)
    layers = [
        known.mark_rule(strokeWidth=3).encode(
            alt.X("before:Q", scale=scale, axis=axis), x2=alt.X2("after:Q"), color=as_group
        ),
        known.mark_point(shape="stroke", angle=90, strokeWidth=3, size=measure.dot * 2).encode(
            alt.X("before:Q", scale=scale, axis=axis), stroke=alt.Stroke("group:N", scale=None)
        ),
        known.mark_point(strokeWidth=2).encode(
            alt.X("after:Q", scale=scale, axis=axis),
            fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
        ),
        base.mark_text(align="left", opacity=FAINT).encode(x=alt.XValue(4), text=alt.Text("missing:N")),
        base.mark_text(align="right", opacity=FAINT + 0.15).encode(
            x=alt.XValue(width + note), text=alt.Text("aside:N")
        ),
        caption(metric.label, 0, "left", measure=measure),
    ]
    return alt.layer(*layers, width=width, height=measure.height(len(rows)))


def _moves_finding(rows_of: dict[str, list[dict[str, Any]]], method: dict[str, str]) -> str:
    parts = []
    for verdict in DECIDED:
        groups = [
            f"{METRICS[metric].label} of {'everyone' if row['attribute'] == OVERALL else row['group']}"
            for metric, part in rows_of.items()
            for row in part
            if row["verdict"] == verdict
        ]
        if groups:
            parts.append(
                f"{words.listed(groups[:4])}{' and more' if len(groups) > 4 else ''} {verdict[:-1] if len(groups) > 1 else verdict}"
            )
    if not parts:
        return f"Under {method_words(method)}, no group's change can be told from noise"
    return words.sentence("; ".join(parts) + ", beyond noise")


def _moves_listed(rows_of: dict[str, list[dict[str, Any]]]) -> str:
    parts = []
    for metric, part in rows_of.items():
        moves = [f"{row['group']} {words.percent(row['before'])} to {words.percent(row['after'])}" for row in part]
        parts.append(f"{METRICS[metric].label}: {', '.join(moves)}.")
    return " ".join(parts)
