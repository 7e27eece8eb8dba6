"""The aggregate beside the strata: does a difference between groups keep its sign within another attribute?"""

from collections.abc import Sequence
from typing import Any

from lib.names import AGGREGATE, STANDARDISED
from lib.report import evidence, words
from lib.report.figures.marks import (
    POINTS,
    Chart,
    around_zero,
    attribute_label,
    dot,
    dot_panel,
    framed,
    in_lines,
    judged_on,
    key,
    label_width,
    nothing,
    over,
    under_headings,
)
from lib.report.findings import MINUS, TOLD, reversal_words, reversals, simpson_rows, with_minus
from lib.report.focus import focus
from lib.report.theme import LABELS, MEASURES, Look, Size, group_look
from lib.results import Results

WHOLE = Look(LABELS[1][1].colour, "diamond"), Look(LABELS[1][1].colour, "diamond", hollow=True)
"""The aggregate and the standardised difference; strata have the look of their group."""
METRICS = ("prevalence", "tpr", "fpr")


def simpson(
    results: Results, attribute: str | None = None, metrics: Sequence[str] = METRICS, *, size: Size = "page"
) -> Chart:
    """Differences between the groups of an attribute, in aggregate, in each stratum and with strata alike."""
    measure, attribute = MEASURES[size], attribute or focus(results)
    by_metric = {metric: simpson_rows(results, attribute, metric) for metric in metrics}
    if not any(by_metric.values()):
        return nothing(f"no difference by {attribute_label(attribute)} was stratified in this study", size=size)
    rows = under_headings(_row(row) for rows in by_metric.values() for row in rows)
    spacing = 24
    width = (measure.width - label_width(rows, measure) - spacing * (len(metrics) - 1)) / len(metrics)
    domain = around_zero([row[k] for own in by_metric.values() for row in own for k in ("value", "low", "high")])
    panels = [
        dot_panel(
            [_dot(row) for row in own],
            rows,
            measure=measure,
            width=width,
            domain=domain,
            heading=TOLD[metric] + (" (data)" if metric == "prevalence" else ""),
            axis=POINTS,
            labelled=metric == metrics[0],
            at=0,
        )
        for metric, own in by_metric.items()
    ]
    entries = [(AGGREGATE, WHOLE[0]), ("with strata alike (standardised)", WHOLE[1])]
    finding = simpson_finding(results, attribute)
    return framed(
        over(
            in_lines(panels, len(panels), spacing),
            key(entries, measure, width=measure.width - label_width(rows, measure)),
        ),
        title=finding,
        subtitle=[
            f"Untouched baseline, group {MINUS} reference, in points, aggregate and within strata · {judged_on(results)}",
            "Bars: 95 % intervals. A reversal needs the aggregate and the standardised difference on opposite sides of 0.",
        ],
        description=f"Dots with intervals: differences by {attribute_label(attribute)}, in aggregate and within strata. "
        f"{_listed(by_metric)} {finding}.",
        size=size,
    )


def simpson_finding(results: Results, attribute: str) -> str:
    """The reversal by an attribute, or that there is none, or that none could be seen."""
    pairs, _ = reversals(results)
    own = [pair for pair in pairs if pair[0]["attribute"] == attribute and pair[0]["split"] == "valid"]
    if own:
        return words.sentence(reversal_words(*own[0]))
    answered = evidence.plain(results.simpson).filter(attribute=attribute, split="valid")["reversal"].drop_nulls()
    if answered.is_empty():
        return f"Too few patients to compare strata by {attribute_label(attribute)}"
    return f"No difference by {attribute_label(attribute)} can be shown to turn round within strata"


def _row(row: dict[str, Any]) -> str:
    heading = f"{with_minus(row['contrast'])} within {words.attribute_words(row['stratifier'])}"
    return f"{heading}|{row['stratum']}"


def _dot(row: dict[str, Any]) -> dict[str, Any]:
    whole = dict(zip((AGGREGATE, STANDARDISED), WHOLE, strict=True))
    look = whole.get(row["stratum"]) or group_look(row["stratifier"], row["stratum"])
    return dot(_row(row), row["value"], row["low"], row["high"], look)


def _listed(by_metric: dict[str, list[dict[str, Any]]]) -> str:
    parts = []
    for metric, rows in by_metric.items():
        for row in rows:
            if row["stratum"] in (AGGREGATE, STANDARDISED):
                name = (
                    f"{TOLD[metric]}, {with_minus(row['contrast'])} within {words.attribute_words(row['stratifier'])}"
                )
                parts.append(f"{name}, {row['stratum']}: {words.points(row['value'])}")
    return "; ".join(parts) + "."
