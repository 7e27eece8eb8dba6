"""The Pareto front with its intervals: what cannot be ruled out, and what can."""

from typing import Any

import altair as alt
import polars as pl

from lib.report import words
from lib.report.figures.marks import (
    BASELINE,
    GAP,
    METHOD,
    PERCENT,
    Chart,
    bars_are,
    framed,
    judged_on,
    key,
    nothing,
    over,
    span,
)
from lib.report.focus import aimed, focus
from lib.report.theme import GREY, INK, MEASURES, VERDICTS, Look, Measure, Size
from lib.report.words import gap_label, method_words
from lib.results import Results

LOOKS = {
    "on the front": Look(VERDICTS["improves"].colour, "circle"),
    "another is better at both": Look(GREY, "cross"),
    "untouched baseline": Look(INK, "diamond"),
}
LEFT_OUT = "these results were made before the front was part of a study"


def front(results: Results, metric: str = "odds", attribute: str | None = None, *, size: Size = "page") -> Chart:
    """Balanced accuracy against the gap: methods that no other beats at both beyond noise, and those that one does."""
    measure, attribute = MEASURES[size], attribute or focus(results)
    gap = gap_label(attribute, metric)
    if results.pareto.is_empty():
        return nothing(LEFT_OUT, size=size)
    rows = results.pareto.filter(aimed(attribute), metric=metric, attribute=attribute).to_dicts()
    if not rows:
        return nothing(f"the {gap} is not estimable", size=size)
    finding = front_finding(rows, gap)
    named = [row | _look(row) for row in rows]
    marks = [(word, look) for word, look in LOOKS.items() if any(row["kind"] == word for row in named)]
    return framed(
        over(_scatter(named, measure, size, gap), key(marks, measure), spacing=20),
        title=finding,
        subtitle=[
            f"Every weighting with the post-processings that act on these groups or on none · {judged_on(results)}",
            f"{bars_are(results)}, of the baseline and of what is ruled out. Better: up and left.",
        ],
        description=f"Scatter of balanced accuracy against the {gap}, with intervals. {finding}. {_listed(named)}",
        size=size,
    )


def front_finding(rows: list[dict[str, Any]], gap: str) -> str:
    """How many methods the front holds."""
    kept = sum(row["on_front"] for row in rows)
    if len(rows) == 1:
        return "Only the untouched baseline was tried"
    if kept == len(rows):
        return f"None of {len(rows)} methods can be ruled out: none is beaten beyond noise in balanced accuracy and {gap} at once"
    return (
        f"{len(rows) - kept} of {len(rows)} methods can be ruled out: another is better beyond noise in balanced accuracy and "
        f"in the {gap}"
    )


def _look(row: dict[str, Any]) -> dict[str, str]:
    untouched = all(row[name] == BASELINE[name] for name in METHOD)
    kind = "untouched baseline" if untouched else "on the front" if row["on_front"] else "another is better at both"
    tip = (
        f"{method_words(row)}: gap {words.percent(row['disparity'])}, balanced accuracy "
        f"{words.percent(row['balanced_accuracy'])}; {kind}"
    )
    return {"kind": kind, "colour": LOOKS[kind].colour, "shape": LOOKS[kind].shape, "tip": tip}


def _scatter(rows: list[dict[str, Any]], measure: Measure, size: Size, gap: str) -> alt.LayerChart:
    drawn = pl.DataFrame(rows, infer_schema_length=None).sort(pl.col("kind") == "untouched baseline")
    ends = (("disparity", "low", "high"), ("balanced_accuracy", "balanced_low", "balanced_high"))
    bounds = [
        span(
            [row[c] for row in rows for c in (names if row["kind"] != "on the front" else names[:1])],
            step=0.02,
            least=0.06,
        )
        for names in ends
    ]
    x = {"scale": alt.Scale(domain=list(bounds[0]), nice=False), "title": f"{gap}, points"}
    y = {"scale": alt.Scale(domain=list(bounds[1]), nice=False, zero=False), "title": "balanced accuracy"}
    base = alt.Chart(drawn).encode(
        alt.X("disparity:Q", axis=alt.Axis(tickCount=5, **GAP), **x),
        alt.Y("balanced_accuracy:Q", axis=alt.Axis(tickCount=5, grid=True, **PERCENT), **y),
        color=alt.Color("colour:N", scale=None),
    )
    # hundreds of intervals would hide each other
    barred = base.transform_filter("datum.kind != 'on the front'")
    faint = alt.condition("datum.kind == 'untouched baseline'", alt.value(0.8), alt.value(0.3))
    return alt.layer(
        barred.mark_rule().encode(alt.X("low:Q", **x), x2=alt.X2("high:Q"), opacity=faint),
        barred.mark_rule().encode(alt.Y("balanced_low:Q", **y), y2=alt.Y2("balanced_high:Q"), opacity=faint),
        base.mark_point(size=measure.dot * 0.8, strokeWidth=1.5, aria=True).encode(
            fill=alt.Fill("colour:N", scale=None), shape=alt.Shape("shape:N", scale=None), description="tip:N"
        ),
        width=measure.width - 90,
        height=300 if size == "slide" else 340,
    )


def _listed(rows: list[dict[str, Any]]) -> str:
    out = [row for row in rows if not row["on_front"]]
    told = [
        f"{method_words(row)}, beaten by {method_words({name: row[f'by_{name}'] for name in METHOD})}"
        for row in out[:8]
    ]
    more = f" and {len(out) - 8} more" if len(out) > 8 else ""
    return f"Ruled out: {words.listed(told)}{more}."
