"""What the rules that ask for the group do when they are told a wrong one."""

from typing import Any

import polars as pl

from lib.names import METRICS
from lib.report import evidence, words
from lib.report.evidence import WIDEST
from lib.report.figures.changes import method_row
from lib.report.figures.marks import (
    GAP,
    POINTS,
    Chart,
    around_zero,
    bars_are,
    dot,
    dot_panel,
    framed,
    in_lines,
    judged_on,
    label_width,
    nothing,
    span,
    under_headings,
)
from lib.report.focus import focus
from lib.report.theme import GREY, MEASURES, VERDICTS, Look, Size
from lib.report.words import attribute_words, method_words
from lib.results import Results

LEFT_OUT = "no rule that asks for the group was tried with wrong groups in these results"
SHOWN, PLAIN = Look(VERDICTS["worsens"].colour, "square"), Look(GREY, "circle", hollow=True)
WORST = 0.2


def wrong_groups(results: Results, metric: str = "tpr", attribute: str | None = None, *, size: Size = "page") -> Chart:
    """The gap with right groups, and its change when 5, 10 and 20 % of the patients are taken for another group."""
    measure = MEASURES[size]
    attribute = attribute or focus(results)
    gap = f"{METRICS[metric].label} gap by {attribute_words(attribute)}"
    frame = evidence.misclassified(results).filter(target=attribute, metric=metric, contrast=WIDEST).drop_nulls("value")
    if evidence.misclassified(results).filter(target=attribute).is_empty():
        return nothing(LEFT_OUT, size=size)
    if frame.is_empty():
        return nothing(f"the {gap} is not estimable", size=size)
    rows = under_headings(method_row(row) for row in frame.to_dicts())
    shares = sorted(set(frame["wrong"]))
    across = measure.width - label_width(rows, measure)
    width = (across - 16 * (len(shares) - 1)) / len(shares)
    levels = span([v for c in ("value", "low", "high") for v in frame.filter(wrong=0.0)[c]], step=0.05, least=0.1)
    changes = around_zero([v for c in ("change", "change_low", "change_high") for v in frame[c]])
    panels = [
        dot_panel(
            [_dot(row) for row in frame.filter(wrong=share).to_dicts()],
            rows,
            measure=measure,
            width=width,
            domain=changes if share else levels,
            heading=["gap,", "all right"] if not share else ["change,", f"{words.percent(share, 0)} wrong"],
            axis=POINTS if share else GAP,
            labelled=k == 0,
            at=0 if share else None,
            ticks=3,
        )
        for k, share in enumerate(shares)
    ]
    finding = wrong_finding(frame, gap)
    return framed(
        in_lines(panels, len(panels), 16),
        title=finding,
        subtitle=[
            f"Post-processings of the unweighted networks, in points; expected over who is mistaken · {judged_on(results)}",
            f"{bars_are(results)}. Filled: interval of the change above 0.",
        ],
        description=f"Dots with intervals: the {gap} with right groups, and its change when a share of the patients is taken "
        f"for another group. {finding}. {_listed(frame)}",
        size=size,
    )


def _dot(row: dict[str, Any]) -> dict[str, Any]:
    if not row["wrong"]:
        return dot(method_row(row), row["value"], row["low"], row["high"], PLAIN)
    look = SHOWN if row["change_low"] > 0 else PLAIN
    return dot(method_row(row), row["change"], row["change_low"], row["change_high"], look)


def wrong_finding(frame: pl.DataFrame, gap: str) -> str:
    """For how many rules the gap grows, interval above 0, when a fifth of the groups is wrong."""
    at = frame.filter(pl.col("wrong") == WORST)
    wider = at.filter(pl.col("change_low") > 0)
    share = words.percent(WORST, 0)
    if wider.is_empty():
        return f"With {share} of the groups wrong, no rule's {gap} can be shown to grow"
    return f"With {share} of the groups wrong, the {gap} grows under {wider.height} of {at.height} rules (single intervals above 0)"


def _listed(frame: pl.DataFrame) -> str:
    at = frame.filter(pl.col("wrong") == WORST).to_dicts()
    return "; ".join(f"{method_words(r)}: {words.points(r['change'])} points" for r in at) + "."
