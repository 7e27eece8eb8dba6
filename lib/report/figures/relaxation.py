"""Balanced accuracy against the gap as the constraint is loosened: what the scores of each weighting allow."""

from typing import Any

import altair as alt
import polars as pl

from lib.names import BASELINE_WEIGHTING, weighting_label
from lib.report import evidence, words
from lib.report.figures.marks import (
    GAP,
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
from lib.report.focus import focus, foremost_weightings
from lib.report.theme import MEASURES, PALE, SPARE, VERDICTS, Look, Measure, Size
from lib.report.words import gap_label
from lib.results import Results

BASE = Look(VERDICTS["improves"].colour, "diamond")
OTHER = Look(PALE, "stroke")
LEFT_OUT = "these results were made before relaxation curves were part of a study"


def relaxation(results: Results, metric: str = "odds", attribute: str | None = None, *, size: Size = "page") -> Chart:
    """A curve per weighting, from parity (left) to no constraint (right); the baseline's with intervals."""
    measure, attribute = MEASURES[size], attribute or focus(results)
    frame = evidence.relaxation(results).filter(metric=metric, attribute=attribute)
    gap = gap_label(attribute, metric)
    if evidence.relaxation(results).is_empty():
        return nothing(LEFT_OUT, size=size)
    frame = frame.drop_nulls(["balanced_accuracy", "disparity"]).sort("weighting", "slack", maintain_order=True)
    if frame.is_empty():
        return nothing(f"the {gap} is not estimable", size=size)
    finding = relaxation_finding(frame)
    names = [
        BASELINE_WEIGHTING,
        *(w for w in frame["weighting"].unique(maintain_order=True) if w != BASELINE_WEIGHTING),
    ]
    # as many weightings as there are looks to tell apart, those that change most; the others without a name
    told = foremost_weightings(frame, results, attribute, len(SPARE))["weighting"].unique(maintain_order=True).to_list()
    told = [name for name in names if name in told or len(names) <= 1 + len(SPARE)]
    looks = dict(zip(told, (BASE, *SPARE), strict=False)) | {name: OTHER for name in names if name not in told}
    entries = [(weighting_label(name), looks[name]) for name in told]
    if len(told) < len(names):
        entries.append((f"{words.few(len(names) - len(told))} other{'s' if len(names) - len(told) > 1 else ''}", OTHER))
    return framed(
        over(
            _curves(frame, looks, measure, size, gap),
            key(entries, measure),
            spacing=20,
        ),
        title=finding,
        subtitle=[
            f"Randomised thresholds by group, held-out patients; allowed difference 0 to 1 · {judged_on(results)}",
            f"{bars_are(results)} (baseline weighting only; of balanced accuracy). Better: up and left.",
        ],
        description=f"Curves of balanced accuracy against the {gap}, one for each weighting, as the allowed difference is "
        f"loosened. {finding}. {_listed(frame)}",
        size=size,
    )


def relaxation_finding(frame: pl.DataFrame) -> str:
    """What parity costs in balanced accuracy under the baseline's weighting, if its intervals are apart."""
    own = frame.filter(weighting=BASELINE_WEIGHTING).sort("slack").to_dicts()
    tight, free = own[0], own[-1]
    if None in (tight["balanced_low"], free["balanced_low"]):
        return "What parity costs cannot be estimated"
    if tight["balanced_high"] < free["balanced_low"]:
        return (
            f"Parity costs balanced accuracy: {words.percent(tight['balanced_accuracy'])} against "
            f"{words.percent(free['balanced_accuracy'])} without constraint, intervals apart"
        )
    return "Whatever difference is allowed, the intervals of balanced accuracy overlap: no price of parity is shown"


def _curves(frame: pl.DataFrame, looks: dict[str, Look], measure: Measure, size: Size, gap: str) -> alt.LayerChart:
    rows: list[dict[str, Any]] = [
        row | {"colour": looks[row["weighting"]].colour, "shape": looks[row["weighting"]].shape}
        for row in frame.to_dicts()
    ]
    drawn = pl.DataFrame(rows, infer_schema_length=None)
    ends = {"gap": ("disparity",), "balanced": ("balanced_accuracy", "balanced_low", "balanced_high")}
    bounds = {k: span([r[c] for r in rows for c in names], step=0.02, least=0.06) for k, names in ends.items()}
    x = {"scale": alt.Scale(domain=list(bounds["gap"]), nice=False), "title": f"{gap}, points"}
    y = {"scale": alt.Scale(domain=list(bounds["balanced"]), nice=False, zero=False), "title": "balanced accuracy"}
    colour = alt.Color("colour:N", scale=None)
    base = alt.Chart(drawn).encode(
        alt.X("disparity:Q", axis=alt.Axis(tickCount=5, **GAP), **x),
        alt.Y("balanced_accuracy:Q", axis=alt.Axis(tickCount=5, grid=True, **PERCENT), **y),
        color=colour,
    )
    bars = base.transform_filter("isValid(datum.balanced_low)")
    height = 300 if size == "slide" else 340
    return alt.layer(
        bars.mark_rule(opacity=0.3).encode(alt.Y("balanced_low:Q", **y), y2=alt.Y2("balanced_high:Q")),
        base.mark_line(strokeWidth=1.8, opacity=0.8).encode(order=alt.Order("slack:Q"), detail="weighting:N"),
        base.mark_point(size=measure.dot * 0.6).encode(
            fill=alt.Fill("colour:N", scale=None), shape=alt.Shape("shape:N", scale=None)
        ),
        width=measure.width - 90,
        height=height,
    )


def _listed(frame: pl.DataFrame) -> str:
    own = frame.filter(weighting=BASELINE_WEIGHTING).to_dicts()
    return " ".join(
        f"Allowed {words.percent(r['slack'], 0)}: gap {words.percent(r['disparity'])}, balanced accuracy "
        f"{words.percent(r['balanced_accuracy'])}."
        for r in own
    )
