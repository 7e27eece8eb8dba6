"""What an audit of predictions prints: methods, groups, gaps and changes, each with its interval and its verdict."""

from collections.abc import Iterator, Sequence

import polars as pl

from lib.names import BASELINE, BASELINE_WEIGHTING, MAX_MIN, METRICS, NOT_ESTIMABLE, OVERALL, PATIENT
from lib.predictions.audited import Audited

SHOWN = ("balanced_accuracy", "auc", "tpr", "fpr")
COMPARED = ("tpr", "fpr", "balanced_accuracy")
_BASELINE = dict(zip(("weighting", "postprocessing", "target"), BASELINE, strict=True))


def summary(found: Audited) -> str:
    """Plain text, a terminal wide: rates in percent with 95 % intervals, differences in points, verdicts in words."""
    images, patients = found.rows.height, found.rows["patient"].n_unique()
    lines = [f"{images:,} images of {patients:,} patients{', validation only' if found.held_out else ''}"]
    lines += [f"Note: {notice}" for notice in found.notices]
    lines += ["", *_methods(found), "", *_groups(found), "", *_gaps(found)]
    if len(found.methods) > 1:
        lines += ["", *_changes(found)]
    lines += [
        "",
        "In brackets: 95 % intervals by patient"
        + (
            ", and by network."
            if max(found.networks.values()) > 1
            else "; with one file each, retraining is not in them."
        )
        + " Every patient counts once. “Shown” holds for all comparisons of its kind together, “suggested” for a single one.",
    ]
    return "\n".join(lines)


def _methods(found: Audited) -> Iterator[str]:
    overall = found.tables["metrics"].filter(attribute=OVERALL, unit=PATIENT)
    rows = []
    for inner, method in found.methods.items():
        levels = {row["metric"]: row for row in overall.filter(weighting=inner).to_dicts()}
        role = " (baseline)" if inner == BASELINE_WEIGHTING else ""
        files = found.networks[inner]
        rows.append((method + role, f"{files} file{'s' * (files > 1)}", *(_level(levels.get(m)) for m in SHOWN)))
    yield from _table(("method", "", *(METRICS[m].label for m in SHOWN)), rows)


def _groups(found: Audited) -> Iterator[str]:
    metrics = found.tables["metrics"].filter(**_BASELINE, unit=PATIENT).filter(pl.col("attribute") != OVERALL)
    rows = []
    for (attribute, group), own in metrics.group_by("attribute", "group", maintain_order=True):
        levels = {row["metric"]: row for row in own.to_dicts()}
        patients = f"{levels['selection_rate']['patients']:,} patients"
        rows.append((f"{found.attributes[attribute].label} {group}", patients, *(_level(levels.get(m)) for m in SHOWN)))
    yield from _table(("baseline, by group", "", *(METRICS[m].label for m in SHOWN)), rows)


def _gaps(found: Audited) -> Iterator[str]:
    gaps = (
        found.tables["gaps"]
        .filter(**_BASELINE)
        .filter(pl.col("metric").is_in(COMPARED), pl.col("contrast") != MAX_MIN, unit=PATIENT)
    )
    yield from _table(
        ("baseline, differences", "", "points", "verdict"),
        [
            (f"{found.attributes[row['attribute']].label} {row['contrast']}", METRICS[row["metric"]].label)
            + (_points(row["estimate"], row["low"], row["high"]), row["verdict"])
            for row in gaps.to_dicts()
        ],
    )


def _changes(found: Audited) -> Iterator[str]:
    rows = []
    for row in found.tables["effects"].filter(pl.col("metric").is_in(COMPARED), unit=PATIENT).to_dicts():
        gap = " - " in row["contrast"] and row["contrast"] != MAX_MIN
        if gap or (row["attribute"] == OVERALL and row["metric"] == "balanced_accuracy"):
            where = f" of {row['contrast']}" if gap else ""
            change = _points(row["estimate"], row["low"], row["high"])
            rows.append((found.methods[row["weighting"]], METRICS[row["metric"]].label + where, change, _word(row)))
    yield from _table(("against the baseline", "", "points", "verdict"), rows)
    if max(found.networks.values()) == 1:
        yield "With one file each, a verdict says that these two networks differ, not that a method does."


def _word(row: dict) -> str:
    """What the effect amounts to, and how surely."""
    return f"{row['outcome']}, {row['outcome_verdict']}" if row["outcome"] else row["verdict"]


def _level(row: dict) -> str:
    if row is None or row["estimate"] is None:
        return NOT_ESTIMABLE
    if row["metric"] == "auc":
        return f"{row['estimate']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    return f"{100 * row['estimate']:.1f} ({100 * row['low']:.1f} to {100 * row['high']:.1f})"


def _points(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return NOT_ESTIMABLE
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[k]) for row in (heads, *rows)) for k in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
