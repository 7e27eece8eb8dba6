"""Does the model make more of a group than the data do?"""

from typing import Any

import polars as pl

from lib.names import NOT_ESTIMABLE, NOT_TOLD
from lib.report import evidence, words
from lib.report.figures.marks import (
    BASELINE,
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
    under_headings,
)
from lib.report.findings import MINUS, amplified, with_minus
from lib.report.theme import LABELS, MEASURES, VERDICTS, Look, Size
from lib.results import Results

LOOKS = {
    "amplifies": VERDICTS["higher"],
    "dampens": VERDICTS["lower"],
    NOT_TOLD: VERDICTS[NOT_TOLD],
    NOT_ESTIMABLE: VERDICTS[NOT_ESTIMABLE],
}
SOURCES: dict[str, tuple[str, Look]] = {
    "data": ("sick, in the data", Look(LABELS[0][1].colour, "square", hollow=True)),
    "model": ("called sick, by the model", Look(LABELS[1][1].colour, "circle")),
}
SHIFT = 0.18


def amplification(results: Results, *, size: Size = "page") -> Chart:
    """Differences between groups in the data and in the decisions on the same images, and the bias amplification."""
    measure = MEASURES[size]
    frame = evidence.amplification(results).filter(**BASELINE)
    if frame.is_empty():
        return nothing("bias amplification was not measured in this study", size=size)
    pairs = frame.filter(pl.col("quantity").is_in(list(SOURCES))).to_dicts()
    rows = under_headings(_row(row) for row in pairs)
    totals = frame.filter(quantity="amplification").to_dicts()
    heads = {f"{attribute_label(row['attribute'])}|": row for row in totals}
    width = (measure.width - label_width(rows, measure) - 30) / 2
    differences = dot_panel(
        [_pair_dot(row, measure.row) for row in pairs],
        rows,
        measure=measure,
        width=width,
        domain=around_zero([row[k] for row in pairs for k in ("value", "low", "high")]),
        heading="difference between groups",
        axis=POINTS,
        at=0,
    )
    amplifications = dot_panel(
        [_total_dot(name, row) for name, row in heads.items()],
        rows,
        measure=measure,
        width=width,
        domain=around_zero([row[k] for row in totals for k in ("value", "low", "high")]),
        heading="bias amplification",
        axis=POINTS,
        labelled=False,
        at=0,
    )
    verdicts = {row["verdict"] for row in totals}
    entries = [*SOURCES.values(), *((word, look) for word, look in LOOKS.items() if word in verdicts)]
    finding = amplification_finding(results)
    return framed(
        over(
            in_lines([differences, amplifications], 2, 30),
            key(entries, measure, width=measure.width - label_width(rows, measure)),
        ),
        title=finding,
        subtitle=[
            f"Untouched baseline, group {MINUS} reference, in points, labels and decisions of the same images · {judged_on(results)}",
            f"{bars_are(results)}. Bias amplification above 0: decisions depend on the group more than the labels do.",
        ],
        description=f"Dots with intervals: differences in the data and in the model, and bias amplification. "
        f"{_listed(pairs)} {_totals(totals)} {finding}.",
        size=size,
    )


def amplification_finding(results: Results) -> str:
    """What the audit decided about amplification, attribute by attribute."""
    rows = amplified(results)
    if not rows:
        return "Bias amplification cannot be estimated"
    parts = []
    for verdict, verb in (("amplifies", "amplifies"), ("dampens", "dampens")):
        names = [attribute_label(row["attribute"]) for row in rows if row["verdict"] == verdict]
        if names:
            parts.append(f"{verb} what the data hold by {words.listed(names)}")
    if not parts:
        return "By no attribute can the model be shown to amplify or dampen what the data hold"
    return f"The model {' and '.join(parts)}"


def _row(row: dict[str, Any]) -> str:
    return f"{attribute_label(row['attribute'])}|{with_minus(row['contrast'])}"


def _pair_dot(row: dict[str, Any], height: int) -> dict[str, Any]:
    shift = -SHIFT * height if row["quantity"] == "data" else SHIFT * height
    missing = "" if row["quantity"] == "data" or row["value"] is not None else NOT_ESTIMABLE
    return dot(
        _row(row), row["value"], row["low"], row["high"], SOURCES[row["quantity"]][1], shift=shift, missing=missing
    )


def _total_dot(name: str, row: dict[str, Any]) -> dict[str, Any]:
    return dot(name, row["value"], row["low"], row["high"], LOOKS[row["verdict"]])


def _listed(pairs: list[dict[str, Any]]) -> str:
    parts = [
        f"{with_minus(row['contrast'])}, {row['quantity']}: {words.points(row['value'])}{' points' * (row['value'] is not None)}"
        for row in pairs
    ]
    return "; ".join(parts) + "."


def _totals(totals: list[dict[str, Any]]) -> str:
    parts = [f"{attribute_label(row['attribute'])} {words.points(row['value'])}, {row['verdict']}" for row in totals]
    return f"Bias amplification: {'; '.join(parts)}."
