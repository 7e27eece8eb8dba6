"""What weightings and post-processings do: changes against the untouched baseline, and how much judging in place flatters."""

from collections.abc import Sequence
from typing import Any

import altair as alt
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
from lib.report.evidence import WIDEST
from lib.report.figures.marks import (
    GAP,
    PERCENT,
    POINTS,
    Chart,
    around_zero,
    attribute_label,
    bars_are,
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
    verdict_key,
    wrapped,
)
from lib.report.focus import aimed, focus, foremost, foremost_weightings, of_them
from lib.report.theme import LABELS, MEASURES, Measure, Size, verdict_look
from lib.report.words import method_words, outcome_words
from lib.results import Results

DECIDED = ("improves", "worsens", "turns", "moves", "differs")
BALANCED = (OVERALL, "balanced_accuracy")


def weighting_changes(results: Results, attributes: Sequence[str] | None = None, *, size: Size = "page") -> Chart:
    """Change of balanced accuracy and of the gaps in TPR and FPR, by weighting, decisions at 0.5.

    On a slide, of the gaps by the attribute of interest only, unless `attributes` are named.
    """
    everything = evidence.changes(results).filter(postprocessing=BASELINE_POSTPROCESSING)
    if size == "page":
        return _changes(results, everything, everything, attributes, size, "weighting", trained="full")
    attributes = attributes or [focus(results)]
    changes = foremost_weightings(everything, results, attributes[0])
    return _changes(results, changes, everything, attributes, size, "weighting", trained="full")


def catalogue(results: Results, *, size: Size = "page") -> Chart:
    """The same for every weighting of the catalogue, last layer re-trained; balanced accuracy and the TPR gaps."""
    measure = MEASURES[size]
    changes = evidence.head_changes(results)
    if changes.is_empty():
        return nothing("no last layer was re-trained under another weighting", size=size)
    attributes = changes.filter(pl.col("attribute") != OVERALL)["attribute"].unique(maintain_order=True)
    outcomes = [BALANCED, *((attribute, "tpr") for attribute in attributes)]
    everything = pl.concat([_of(changes, outcome) for outcome in outcomes])
    kept = _foremost_heads(everything)
    changes = changes.filter(pl.col("weighting").is_in(kept))
    shown = everything.filter(pl.col("weighting").is_in(kept))
    left_out = everything["weighting"].n_unique() - len(kept)
    rows = under_headings(_family_row(row["weighting"]) for row in _of(changes, BALANCED).to_dicts())
    across = measure.width - label_width(rows, measure)
    width = (across - 20 * (len(outcomes) - 1)) / len(outcomes)
    domain = around_zero([v for c in ("change", "low", "high") for v in shown[c]], step=0.01, least=0.02)
    panels = [
        dot_panel(
            [
                dot(_family_row(r["weighting"]), r["change"], r["low"], r["high"], verdict_look(r["verdict"]))
                for r in _of(changes, outcome).to_dicts()
            ],
            rows,
            measure=measure,
            width=width,
            domain=domain,
            heading=wrapped(outcome_words(*outcome), measure.characters(width, measure.small)),
            axis=POINTS,
            labelled=k == 0,
            at=0,
            band=noise_floor(results, "head", outcome),
            ticks=3,
        )
        for k, outcome in enumerate(outcomes)
    ]
    finding = changes_finding(everything)
    return framed(
        over(in_lines(panels, len(panels), 20), verdict_key(measure, across, shown["verdict"])),
        title=finding,
        subtitle=[
            "Last layer re-trained under each weighting: change against the uniform one, in points · "
            f"{judged_on(results)}",
            f"{bars_are(results)}. Grey: what 19 of 20 placebo weightings stay within.",
            f"Shown are the {len(kept)} weightings that change most; {words.spelled(left_out, 'other')} "
            f"{'changes' if left_out == 1 else 'change'} less."
            if left_out
            else "",
        ],
        description="Dots with intervals: changes of balanced accuracy and of TPR gaps by weighting of the catalogue. "
        f"{_changes_listed(shown)} {finding}.",
        size=size,
    )


HEADS = 12
"""Weightings of the catalogue that a figure shows at most."""


def _foremost_heads(shown: pl.DataFrame) -> list[str]:
    """The weightings that do most: decided changes first, then the largest."""
    ranked = shown.group_by("weighting", maintain_order=True).agg(
        decided=pl.col("verdict").is_in(DECIDED).any(), largest=pl.col("change").abs().max()
    )
    ranked = ranked.sort("decided", "largest", descending=True, nulls_last=True, maintain_order=True)
    return ranked["weighting"].head(HEADS).to_list()


def _family_row(weighting: str) -> str:
    """`balanced groups|by sex × view`; a weighting of one form only has no heading."""
    family, by, groups = weighting_label(weighting).partition(" by ")
    return f"{family}|{by.strip()} {groups}" if by else f"|{family}"


def noise_floor(results: Results, trained: str, outcome: tuple[str, str]) -> float | None:
    """The change of an outcome (attribute, metric) that noise alone stays under in 19 of 20 cases, or None."""
    contrast = "all" if outcome[0] == OVERALL else WIDEST
    found = evidence.noise_floor(results).filter(
        trained=trained, attribute=outcome[0], metric=outcome[1], contrast=contrast
    )["floor"]
    return found[0] if len(found) else None


def postprocessing_changes(results: Results, attributes: Sequence[str] | None = None, *, size: Size = "page") -> Chart:
    """The same by post-processing, on the networks trained with uniform weights, every decision on held-out patients.

    Of the gaps by the attribute of interest, unless `attributes` are named, and of the rules that act on them or on none.
    """
    attributes = attributes or [focus(results)]
    own = pl.col("target").is_in([NO_TARGET, *attributes])
    everything = evidence.changes(results).filter(own, weighting=BASELINE_WEIGHTING)
    changes = foremost(everything, results, attributes[0]) if size == "slide" else everything
    return _changes(results, changes, everything, attributes, size, "post-processing")


def _changes(
    results: Results,
    changes: pl.DataFrame,
    everything: pl.DataFrame,
    attributes: Sequence[str] | None,
    size: Size,
    kind: str,
    trained: str = "",
) -> Chart:
    """Of `changes` the rows are drawn, of `everything` the title speaks: a slide draws fewer than were tried."""
    measure = MEASURES[size]
    if changes.is_empty():
        return nothing(f"no {kind} was tried beside the baseline", size=size)
    what = of_them(changes, everything, kind) or f"{words.sentence(kind)}s"
    what += ", decisions at 0.5" if kind == "weighting" else ", unweighted networks"
    outcomes = _outcomes(results, attributes)
    shown = pl.concat([_of(changes, outcome) for outcome in outcomes])
    rows = under_headings(_method_rows(shown, kind))
    beside_first = size == "slide" or len(outcomes) <= 3
    across = measure.width - label_width(rows, measure)
    columns = 3
    width = (across - 24 * (columns - 1)) / columns
    domains = {own: _reach(shown, own) for own in (True, False)}
    panels = [
        dot_panel(
            [_change_dot(row, kind) for row in _of(changes, outcome).to_dicts()],
            rows,
            measure=measure,
            width=width,
            domain=domains[outcome == BALANCED],
            heading=outcome_words(*outcome),
            axis=POINTS,
            labelled=k == 0 or (not beside_first and (k - 1) % columns == 0),
            at=0,
            band=noise_floor(results, trained, outcome),
            ticks=4,
        )
        for k, outcome in enumerate(outcomes)
    ]
    marks = verdict_key(measure, across if beside_first else across - width - 24, shown["verdict"])
    if beside_first:
        body = over(in_lines(panels, columns, 24), marks)
    else:
        beside = alt.hconcat(panels[0], _signpost(measure, width, marks), spacing=40)
        body = over(
            beside,
            *[in_lines(panels[k : k + columns], columns, 24) for k in range(1, len(panels), columns)],
            spacing=26,
        )
    finding = changes_finding(pl.concat([_of(everything, outcome) for outcome in outcomes]))
    return framed(
        body,
        title=finding,
        subtitle=[
            f"{what}: change against the untouched baseline, in points · {judged_on(results)}",
            f"{bars_are(results)}. {_reading(beside_first)}",
            "Grey: what networks of the baseline trained again stay within in 19 of 20 cases."
            if trained and noise_floor(results, trained, BALANCED) is not None
            else "",
        ],
        description=f"Dots with intervals: changes of balanced accuracy and of gaps by {kind}. {_changes_listed(shown)} {finding}.",
        size=size,
    )


def _reach(shown: pl.DataFrame, balanced: bool) -> tuple[float, float]:
    """Bounds of the axis of balanced accuracy, or of that of gaps, which are wider: each has its own."""
    own = shown.filter((pl.col("attribute") == OVERALL) == balanced)
    return around_zero([v for c in ("change", "low", "high") for v in own[c]])


def _reading(beside_first: bool) -> str:
    if beside_first:  # where nothing stands beside the panels
        return "Better: balanced accuracy to the right, gaps to the left; a gap is the widest difference from the reference."
    return "A gap is the baseline's widest difference from the reference group, above 0 there; to the left is towards none."


def _outcomes(results: Results, attributes: Sequence[str] | None) -> list[tuple[str, str]]:
    """(attribute, metric) of each panel: balanced accuracy, then the TPR gaps, then the FPR gaps."""
    known = [
        a
        for a in evidence.gaps(results)["attribute"].unique(maintain_order=True)
        if attributes is None or a in attributes
    ]
    return [BALANCED, *((attribute, metric) for metric in ERRORS for attribute in known)]


def _of(changes: pl.DataFrame, outcome: tuple[str, str]) -> pl.DataFrame:
    contrast = "all" if outcome[0] == OVERALL else WIDEST
    return changes.filter(attribute=outcome[0], metric=outcome[1], contrast=contrast)


def method_row(row: dict[str, Any], kind: str = "post-processing") -> str:
    """The row of a method: a weighting, or a post-processing under the attribute that it acts on."""
    if kind == "weighting":
        return f"|{weighting_label(row['weighting'])}"
    label = postprocessing_label(row["postprocessing"])
    return f"everyone alike|{label}" if row["target"] == NO_TARGET else f"by {attribute_label(row['target'])}|{label}"


def _method_rows(shown: pl.DataFrame, kind: str) -> list[str]:
    """Weightings by what they do to balanced accuracy, best first; post-processings in the order of the study."""
    first = _of(shown, BALANCED)
    if kind == "weighting":
        first = first.sort("change", descending=True, nulls_last=True)
    return [method_row(row, kind) for row in first.to_dicts()]


def _change_dot(row: dict[str, Any], kind: str) -> dict[str, Any]:
    return dot(method_row(row, kind), row["change"], row["low"], row["high"], verdict_look(row["verdict"]))


def _signpost(measure: Measure, width: float, marks: alt.LayerChart) -> alt.VConcatChart:
    """Beside the only panel in which higher is better: which way is good, and what the marks mean."""
    lines = ["Balanced accuracy: better to the right.", "Gaps, below: better to the left."]
    text = alt.Chart(pl.DataFrame({"x": [0]})).mark_text(
        align="left", baseline="top", text=lines, lineHeight=measure.small * 1.5
    )
    note = text.encode(x=alt.XValue(0), y=alt.YValue(0)).properties(width=width, height=measure.small * 3)
    return alt.vconcat(note, marks, spacing=10)


def changes_finding(shown: pl.DataFrame) -> str:
    """The largest of the changes that the audit decided; or that none could be."""
    estimable = shown.drop_nulls("change")
    if estimable.is_empty():
        return "No change can be estimated"
    decided = estimable.filter(pl.col("verdict").is_in(DECIDED)).to_dicts()
    if not decided:
        return "No change can be told from noise"
    top = max(decided, key=lambda row: abs(row["change"]))
    verb = {"improves": ("rises", "narrows"), "worsens": ("falls", "widens")}[top["verdict"]][
        top["attribute"] != OVERALL
    ]
    return (
        f"{words.sentence(method_words(top))} does most: {outcome_words(top['attribute'], top['metric'])} {verb} by "
        f"{words.points(abs(top['change'])).lstrip('+')} points"
    )


def _changes_listed(shown: pl.DataFrame) -> str:
    decided = shown.filter(pl.col("verdict").is_in(DECIDED)).to_dicts()
    parts = [
        f"{method_words(row)}: {outcome_words(row['attribute'], row['metric'])} {words.points(row['change'])} points, {row['verdict']}"
        for row in decided[:12]
    ]
    return "; ".join(parts) + "." if parts else ""


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
