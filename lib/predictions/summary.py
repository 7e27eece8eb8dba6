"""What an audit of predictions prints: methods, groups, gaps and changes, each with its interval and its verdict."""

from collections.abc import Iterator, Sequence

import polars as pl

from lib.audit import BASELINE
from lib.names import BASELINE_POSTPROCESSING, METRICS, NO_TARGET, NOT_ESTIMABLE, OVERALL, POSTPROCESSINGS
from lib.predictions.audited import Audited
from lib.tabular import for_terminal

SHOWN = ("balanced_accuracy", "auc", "tpr", "fpr")
MOST_NOTES = 5
COMPARED = ("tpr", "fpr", "balanced_accuracy")
_METHOD = ("weighting", "postprocessing", "target")
_BASELINE = dict(zip(_METHOD, BASELINE, strict=True))


def summary(found: Audited) -> str:
    """Plain text, a terminal wide: rates in percent with 95 % intervals, differences in points, verdicts in words."""
    images, patients = found.rows.height, found.rows["patient"].n_unique()
    lines = [f"{images:,} images of {patients:,} patients{', validation only' if found.held_out else ''}"]
    lines += [f"Warning: {warning}" for warning in found.warnings]
    lines += [f"Note: {notice}" for notice in shortened(found.notices)]
    lines += ["", *_methods(found), "", *_groups(found), "", *_gaps(found)]
    if found.tables["changes"].height:
        lines += ["", *_changes(found)]
    lines += [
        "",
        "In brackets: 95 % intervals by patient"
        + (
            ", and by network."
            if max(found.networks.values()) > 1
            else "; with one file each, retraining is not in them."
        )
        + " Verdicts hold for all comparisons together (Holm).",
    ]
    return for_terminal("\n".join(lines))


def shortened(notices: Sequence[str]) -> list[str]:
    """At most five: the last then counts those that are left for the report."""
    if len(notices) <= MOST_NOTES:
        return list(notices)
    more = len(notices) - MOST_NOTES + 1
    return [*notices[: MOST_NOTES - 1], f"{more} more, of the same kind, stand in what --out and --report write."]


def _methods(found: Audited) -> Iterator[str]:
    overall = found.tables["metrics"].filter(attribute=OVERALL)
    rows = []
    for method, own in overall.group_by(*_METHOD, maintain_order=True):
        levels = {row["metric"]: row for row in own.to_dicts()}
        role = " (baseline)" if method == BASELINE else ""
        files = found.networks[method[0]]
        shown = (_level(levels[m]) if m in levels else "" for m in SHOWN)
        rows.append((_name(found, method) + role, f"{files} network{'s' * (files > 1)}", *shown))
    yield from _table(("method", "", *(METRICS[m].label for m in SHOWN)), rows)


def _name(found: Audited, method: Sequence[str]) -> str:
    """A method in words: its own name, and the post-processing where there is one."""
    weighting, postprocessing, target = method
    own = found.methods[weighting]
    if postprocessing == BASELINE_POSTPROCESSING:
        return own
    words = POSTPROCESSINGS.get(postprocessing, postprocessing.replace("_", " "))
    return f"{own}, {words}" + ("" if target == NO_TARGET else f" by {_label(found, target)}")


def _groups(found: Audited) -> Iterator[str]:
    metrics = found.tables["metrics"].filter(**_BASELINE).filter(pl.col("attribute") != OVERALL)
    rows = []
    for (attribute, group), own in metrics.group_by("attribute", "group", maintain_order=True):
        levels = {row["metric"]: row for row in own.to_dicts()}
        patients = f"{levels['selection_rate']['patients']:,} patients"
        rows.append((f"{_label(found, attribute)} {group}", patients, *(_level(levels[m]) for m in SHOWN)))
    yield from _table(("baseline, by group", "", *(METRICS[m].label for m in SHOWN)), rows)


def _gaps(found: Audited) -> Iterator[str]:
    gaps = (
        found.tables["gaps"]
        .filter(**_BASELINE)
        .filter(pl.col("metric").is_in(COMPARED), pl.col("verdict").is_not_null())
    )
    yield from _table(
        ("baseline, differences", "", "points", "verdict"),
        [
            (f"{_label(found, row['attribute'])} {row['contrast']}", METRICS[row["metric"]].label)
            + (_points(row["value"], row["low"], row["high"]), row["verdict"])
            for row in gaps.to_dicts()
        ],
    )


def _changes(found: Audited) -> Iterator[str]:
    rows = []
    for row in found.tables["changes"].filter(pl.col("metric").is_in(COMPARED)).to_dicts():
        if row["attribute"] == OVERALL or row["contrast"] == "max - min":
            where = "" if row["attribute"] == OVERALL else f" gap by {_label(found, row['attribute'])}"
            change = _points(row["change"], row["low"], row["high"])
            rows.append(
                (_name(found, [row[c] for c in _METHOD]), METRICS[row["metric"]].label + where, change, row["verdict"])
            )
    yield from _table(("change against the baseline", "", "points", "verdict"), rows)


def _label(found: Audited, attribute: str) -> str:
    return found.attributes[attribute].label


def _level(row: dict) -> str:
    if row["value"] is None:
        return NOT_ESTIMABLE
    if row["metric"] == "auc":
        return f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    return f"{100 * row['value']:.1f} ({100 * row['low']:.1f} to {100 * row['high']:.1f})"


def _points(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return NOT_ESTIMABLE
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[k]) for row in (heads, *rows)) for k in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
