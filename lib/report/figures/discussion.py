"""Weightings crossed with post-processings: every combination, what it costs, and who gains or loses by it."""

from typing import Any

import altair as alt
import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    MAX_MIN,
    METRICS,
    NO_TARGET,
    NOT_ESTIMABLE,
    OVERALL,
    weighting_label,
)
from lib.report import words
from lib.report.figures.changes import DECIDED, ERRORS, method_row, method_words, outcome_words
from lib.report.figures.marks import (
    GAP,
    PERCENT,
    Chart,
    bars_are,
    caption,
    framed,
    group_row,
    in_lines,
    in_order,
    judged_on,
    key,
    label_width,
    nothing,
    over,
    row_axis,
    span,
    under_headings,
    verdict_key,
    wrapped,
)
from lib.report.theme import CELLS, FAINT, GREY, INK, MEASURES, VERDICTS, Measure, Size, group_look, verdict_look
from lib.results import Results

METHOD = ["weighting", "postprocessing", "target"]
BASELINE = {"weighting": BASELINE_WEIGHTING, "postprocessing": BASELINE_POSTPROCESSING, "target": NO_TARGET}
OUTLINE = "#e39d1c"
LEAST = 0.1
"""Reach of the shades: differences smaller than this never look large."""
KEPT = 8
"""Combinations that the trade-off names; the others are drawn without a name."""


def combinations(results: Results, metric: str, attribute: str) -> pl.DataFrame:
    """One row per weighting, post-processing and target: `gap` and `balanced` with bounds, and the verdicts of both."""
    bounds = {"value": "{}", "low": "{}_low", "high": "{}_high"}
    gap = results.gaps.filter(metric=metric, attribute=attribute, contrast=MAX_MIN)
    balanced = results.metrics.filter(metric="balanced_accuracy", attribute=OVERALL)
    parts = [
        frame.select(*METHOD, *(pl.col(column).alias(name.format(what)) for column, name in bounds.items()))
        for frame, what in ((balanced, "balanced"), (gap, "gap"))
    ]
    changes = results.changes
    verdicts = [
        changes.filter(metric=metric, attribute=attribute, contrast=MAX_MIN).select(*METHOD, gap_verdict="verdict"),
        changes.filter(metric="balanced_accuracy", attribute=OVERALL).select(*METHOD, balanced_verdict="verdict"),
    ]
    joined = parts[0]
    for other in (parts[1], *verdicts):
        joined = joined.join(other, on=METHOD, how="left", maintain_order="left")
    return joined


def combinations_finding(frame: pl.DataFrame, metric: str, attribute: str) -> str:
    """How many combinations narrow the gap beyond noise, and how many of them at a proven price."""
    tried = frame.filter(pl.col("gap_verdict").is_not_null(), pl.col("gap").is_not_null())
    gap = outcome_words(attribute, metric)
    if tried.is_empty():
        return f"No combination can be compared with the baseline in its {gap}"
    narrow = tried.filter(gap_verdict="improves")
    if narrow.is_empty():
        return f"None of {tried.height} combinations narrows the {gap} by more than noise"
    price = narrow.filter(balanced_verdict="worsens").height
    lost = "none of them" if not price else f"{price} of them"
    return f"{narrow.height} of {tried.height} combinations narrow the {gap} beyond noise, {lost} at a proven loss of balanced accuracy"


def grid(results: Results, metric: str = "tpr", attribute: str = "view", *, size: Size = "page") -> Chart:
    """The gap and the balanced accuracy of every combination, as a table of shades; darker is worse.

    On a slide, of the post-processings that act on no attribute or on this one.
    """
    measure = MEASURES[size]
    frame = combinations(results, metric, attribute)
    if size == "slide":
        frame = frame.filter(pl.col("target").is_in([NO_TARGET, attribute]))
    cells = frame.to_dicts()
    rows = under_headings(method_row(row) for row in cells)
    columns = list(dict.fromkeys(row["weighting"] for row in cells))
    across = measure.width - label_width(rows, measure)
    finding = combinations_finding(frame, metric, attribute)
    side_by_side = size == "slide"
    width = (across - 30) / 2 if side_by_side else across
    panels = [
        _shades(cells, rows, columns, measure, width, what, heading, worse, labelled=k == 0 or not side_by_side)
        for k, (what, heading, worse) in enumerate(
            (
                ("gap", f"{outcome_words(attribute, metric)}, points", 1),
                ("balanced", "balanced accuracy, %", -1),
            )
        )
    ]
    marks = [(words_of, VERDICTS[words_of]) for words_of in DECIDED]
    found = {row[f"{what}_verdict"] for row in cells for what in ("gap", "balanced")}
    marks = [(f"{word}, beyond noise", look) for word, look in marks if word in found]
    return framed(
        over(
            in_lines(panels, 2 if side_by_side else 1, 30 if side_by_side else 50),
            key(marks, measure, width=across) if marks else None,
        ),
        title=finding,
        subtitle=[
            f"Every weighting (columns) with every post-processing (rows) · {judged_on(results)}",
            "Darker is worse. Outlined: the untouched baseline. " + ("" if marks else "No change is beyond noise."),
        ],
        description=f"Two tables of shades: {outcome_words(attribute, metric)} and balanced accuracy of every weighting "
        f"with every post-processing. {finding}. {_grid_listed(frame)}",
        size=size,
    )


def _shades(
    cells: list[dict[str, Any]],
    rows: list[str],
    columns: list[str],
    measure: Measure,
    width: float,
    what: str,
    heading: str,
    worse: int,
    *,
    labelled: bool,
) -> alt.LayerChart:
    shown = _shaded(cells, what, worse)
    each = width / len(columns)
    names = [weighting_label(name) for name in columns]
    # narrow columns have smaller heads, so that the longest word of a weighting fits
    head = min(measure.small, each / 5)
    split = {
        name: wrapped(name.replace("(baseline)", ""), measure.characters(each, head), hyphens=True) for name in names
    }
    # an axis label of several lines is an expression that gives a list
    choice = " : ".join(f"datum.label == {name!r} ? {lines!r}" for name, lines in split.items()) + " : datum.label"
    lines = alt.Axis(
        title=None,
        labelExpr=choice,
        labelAngle=0,
        grid=False,
        orient="bottom",
        labelLineHeight=head * 1.15,
        labelFontSize=head,
    )
    x = alt.X("column:N", sort=None, scale=alt.Scale(domain=names, paddingInner=0.03, paddingOuter=0), axis=lines)
    y = alt.Y(
        "row:N",
        sort=None,
        scale=alt.Scale(domain=rows, paddingInner=0.06, paddingOuter=0),
        axis=row_axis(rows, measure, labelled),
    )
    base = alt.Chart(pl.DataFrame(shown)).encode(x=x, y=y)
    layers = [
        base.mark_rect().encode(fill=alt.Fill("fill:N", scale=None)),
        base.transform_filter("datum.baseline").mark_rect(fillOpacity=0, stroke=OUTLINE, strokeWidth=3.5),
        base.mark_text().encode(text="text:N", color=alt.Color("ink:N", scale=None)),
        base.transform_filter("datum.shape != ''")
        .mark_point(xOffset=-min(34, each / 2 - 8), size=measure.dot * 0.8, filled=True)
        .encode(fill=alt.Fill("ink:N", scale=None), shape=alt.Shape("shape:N", scale=None)),
        caption(heading, 0, "left", measure=measure),
    ]
    return alt.layer(*layers).properties(width=width, height=(measure.row + 2) * len(rows))


def _shaded(cells: list[dict[str, Any]], what: str, worse: int) -> list[dict[str, Any]]:
    known = [row[what] for row in cells if row[what] is not None] or [0.0]
    low, reach = min(known), max(LEAST, max(known) - min(known))
    start = low if worse > 0 else max(known) - reach
    shown = []
    for row in cells:
        value, verdict = row[what], row[f"{what}_verdict"]
        place = 0.0 if value is None else (value - start) / reach
        step = round((place if worse > 0 else 1 - place) * (len(CELLS) - 1))
        fill, ink = CELLS[step] if value is not None else ("#e4e4e4", "#555555")
        shown.append(
            {
                "row": method_row(row),
                "column": weighting_label(row["weighting"]),
                "fill": fill,
                "ink": ink,
                "text": "n. e." if value is None else f"{100 * value:.1f}",
                "shape": verdict_look(verdict).shape if verdict in DECIDED else "",
                "baseline": all(row[name] == BASELINE[name] for name in METHOD),
            }
        )
    return shown


def _grid_listed(frame: pl.DataFrame) -> str:
    parts = []
    for what, name in (("gap", "Gap"), ("balanced", "Balanced accuracy")):
        known = frame.drop_nulls(what)
        if known.height:
            baseline = known.filter(**BASELINE)
            start = f", {words.percent(baseline[what].item())} at the baseline" if baseline.height else ""
            parts.append(
                f"{name} from {words.percent(known[what].min())} to {words.percent(known[what].max())}{start}."
            )
    return " ".join(parts)


def tradeoff(results: Results, metric: str = "tpr", attribute: str = "view", *, size: Size = "page") -> Chart:
    """Balanced accuracy against the gap for every combination, the best of both named, the upper left corner the better."""
    measure = MEASURES[size]
    frame = combinations(results, metric, attribute).drop_nulls(["gap", "balanced"])
    gap = outcome_words(attribute, metric)
    if frame.is_empty():
        return nothing(f"the {gap} is not estimable", size=size)
    points = _named(frame.to_dicts())
    plot_width = measure.width * 0.56
    bounds = [
        span([row[f"{what}{end}"] for row in points for end in ("", "_low", "_high")], step=0.02, least=0.06)
        for what in ("gap", "balanced")
    ]
    finding = combinations_finding(frame, metric, attribute)
    return framed(
        alt.hconcat(
            _scatter(points, bounds, measure, plot_width, gap),
            _names(points, measure, measure.width - plot_width - 110),
            spacing=24,
        ),
        title=finding,
        subtitle=[
            f"Every weighting with every post-processing · {judged_on(results)}",
            f"{bars_are(results)}. Named: the baseline, and whatever no other beats in both by point estimate.",
        ],
        description=f"Scatter of balanced accuracy against the {gap}, with intervals. {finding}. {_points_listed(points)}",
        size=size,
    )


def _named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with `letter` (empty for the rest), `baseline` and `front`: not beaten in both figures by any other."""

    def beaten(row: dict[str, Any]) -> bool:
        return any(
            other["gap"] <= row["gap"]
            and other["balanced"] >= row["balanced"]
            and (other["gap"], other["balanced"]) != (row["gap"], row["balanced"])
            for other in rows
        )

    marked = []
    for row in rows:
        baseline = all(row[name] == BASELINE[name] for name in METHOD)
        marked.append(row | {"baseline": baseline, "front": not beaten(row), "letter": ""})
    front = sorted((row for row in marked if row["front"] and not row["baseline"]), key=lambda row: row["gap"])
    chosen = [row for row in marked if row["baseline"]] + front[: KEPT - 1]
    for letter, row in zip("ABCDEFGHIJ", chosen, strict=False):
        row["letter"] = letter
        row["colour"] = GREY if row["baseline"] else VERDICTS["improves"].colour
        row["shape"] = "diamond" if row["baseline"] else "circle"
    return [row for row in marked if not row["letter"]] + chosen


def _scatter(
    points: list[dict[str, Any]], bounds: list[Any], measure: Measure, width: float, gap: str
) -> alt.LayerChart:
    drawn = pl.DataFrame([{"colour": GREY, "shape": "circle"} | row for row in points], infer_schema_length=None)
    x = {"scale": alt.Scale(domain=list(bounds[0]), nice=False), "title": f"{gap}, points"}
    y = {"scale": alt.Scale(domain=list(bounds[1]), nice=False, zero=False), "title": "balanced accuracy"}
    base = alt.Chart(drawn).encode(
        alt.X("gap:Q", axis=alt.Axis(tickCount=5, **GAP), **x),
        alt.Y("balanced:Q", axis=alt.Axis(tickCount=5, grid=True, **PERCENT), **y),
        color=alt.Color("colour:N", scale=None),
    )
    faint = alt.condition("datum.letter == ''", alt.value(0.16), alt.value(0.75))
    named = base.transform_filter("datum.letter != ''")
    corner = alt.Chart(pl.DataFrame({"x": [0]})).mark_text(
        align="left", baseline="top", text="better: up and left", fontStyle="italic", opacity=FAINT
    )
    layers = [
        base.mark_rule(strokeWidth=1.6).encode(alt.X("gap_low:Q", **x), x2="gap_high:Q", opacity=faint),
        base.mark_rule(strokeWidth=1.6).encode(alt.Y("balanced_low:Q", **y), y2="balanced_high:Q", opacity=faint),
        base.transform_filter("datum.letter == ''").mark_point(size=measure.dot * 0.4, opacity=0.55, fill=GREY),
        named.mark_point(size=measure.dot * 1.3).encode(
            fill=alt.Fill("colour:N", scale=None), shape=alt.Shape("shape:N", scale=None)
        ),
        named.mark_text(dx=11, dy=-11, fontWeight=600, color=INK).encode(text="letter:N", color=alt.value(INK)),
        corner.encode(x=alt.value(6), y=alt.value(6)),
    ]
    return alt.layer(*layers).properties(width=width, height=330)


def _names(points: list[dict[str, Any]], measure: Measure, width: float) -> alt.Chart:
    """The letters of the plot in words."""
    lines: list[dict[str, Any]] = []
    for row in points:
        if row["letter"]:
            parts = wrapped(f"{row['letter']}  {method_words(row)}", measure.characters(width, measure.small))
            lines += [{"text": part, "y": (len(lines) + k) * measure.small * 1.3} for k, part in enumerate(parts)]
            lines.append({"text": "", "y": len(lines) * measure.small * 1.3})
    chart = alt.Chart(pl.DataFrame(lines)).mark_text(align="left", baseline="top")
    return chart.encode(x=alt.value(0), y=alt.Y("y:Q", scale=None, axis=None), text="text:N").properties(
        width=width, height=330
    )


def _points_listed(points: list[dict[str, Any]]) -> str:
    return " ".join(
        f"{row['letter']}, {method_words(row)}: gap {words.percent(row['gap'])}, balanced accuracy {words.percent(row['balanced'])}."
        for row in points
        if row["letter"]
    )


def who_gains(
    results: Results, weighting: str, postprocessing: str, target: str = NO_TARGET, *, size: Size = "page"
) -> Chart:
    """From the untouched baseline to a method: TPR and FPR of each group, and which of the changes stand out from noise.

    On a slide, the groups that the method acts on, if it acts on any.
    """
    measure = MEASURES[size]
    method = {"weighting": weighting, "postprocessing": postprocessing, "target": target}
    own = [OVERALL, target] if size == "slide" and target != NO_TARGET else None
    if method == BASELINE or results.changes.filter(**method).is_empty():
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
    before = results.metrics.filter(**BASELINE, metric=metric).select(*keys, before="value")
    after = results.metrics.filter(**method, metric=metric).select(*keys, after="value")
    change = results.changes.filter(**method, metric=metric).filter(pl.col("contrast") != MAX_MIN)
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
        known.mark_rule(strokeWidth=3).encode(alt.X("before:Q", scale=scale, axis=axis), x2="after:Q", color=as_group),
        known.mark_point(shape="stroke", angle=90, strokeWidth=3, size=measure.dot * 2).encode(
            alt.X("before:Q", scale=scale, axis=axis), stroke=alt.Stroke("group:N", scale=None)
        ),
        known.mark_point(strokeWidth=2).encode(
            alt.X("after:Q", scale=scale, axis=axis),
            fill=alt.Fill("fill:N", scale=None),
            stroke=alt.Stroke("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
        ),
        base.mark_text(align="left", opacity=FAINT).encode(x=alt.value(4), text="missing:N"),
        base.mark_text(align="right", opacity=FAINT + 0.15).encode(x=alt.value(width + note), text="aside:N"),
        caption(metric.label, 0, "left", measure=measure),
    ]
    return alt.layer(*layers).properties(width=width, height=measure.row * len(rows))


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
