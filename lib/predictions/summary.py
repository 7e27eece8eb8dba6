"""What an audit of predictions prints: methods, groups, gaps and changes, each with its interval and its verdict."""

from collections.abc import Iterator, Sequence

import polars as pl

from lib.names import (
    AT_MOST,
    BASELINE,
    BASELINE_POSTPROCESSING,
    MAX_MIN,
    NO_TARGET,
    NOT_ESTIMABLE,
    OVERALL,
    PATIENT,
    SHOWN,
    SUGGESTED,
    english,
)
from lib.predictions.question import Audited
from lib.tabular import for_terminal
from lib.tabular.values import counted

FIGURES = ("balanced_accuracy", "auc", "tpr", "fpr")
MOST_NOTES = 5
COMPARED = ("tpr", "fpr", "balanced_accuracy")
_METHOD = ("weighting", "postprocessing", "target")
_BASELINE = dict(zip(_METHOD, BASELINE, strict=True))


def summary(audit: Audited) -> str:
    """Plain text, a terminal wide: rates in percent with 95 % intervals, differences in points, verdicts in words."""
    images, patients = audit.rows.height, audit.rows["patient"].n_unique()
    lines = [f"{images:,} images of {patients:,} patients{', validation only' if audit.held_out else ''}"]
    lines += [f"Warning: {warning}" for warning in audit.warnings]
    lines += [f"Note: {notice}" for notice in shortened(audit.notices)]
    lines += ["", *_methods(audit), "", *_groups(audit), "", *_gaps(audit)]
    if audit.tables["effects"].height:
        lines += ["", *_changes(audit)]
    if audit.deployed:
        lines += ["", *_rules(audit)]
    lines += [
        "",
        "In brackets: 95 % intervals by patient"
        + (
            ", and by network."
            if max(audit.networks.values()) > 1
            else "; with one network each, retraining is not in them."
        )
        + " Every patient counts once. “Shown” holds for all comparisons of its kind together, “suggested” for a single one.",
    ]
    return for_terminal("\n".join(lines))


def shortened(notices: Sequence[str]) -> list[str]:
    """At most five: the last then counts those that are left for the report."""
    if len(notices) <= MOST_NOTES:
        return list(notices)
    more = len(notices) - MOST_NOTES + 1
    return [*notices[: MOST_NOTES - 1], f"{more} more stand in what --out and --report write."]


def _methods(audit: Audited) -> Iterator[str]:
    overall = audit.tables["metrics"].filter(attribute=OVERALL, unit=PATIENT)
    rows = []
    for method, part in overall.group_by(*_METHOD, maintain_order=True):
        levels = {row["metric"]: row for row in part.to_dicts()}
        role = " (baseline)" if method == BASELINE else ""
        files = audit.networks[method[0]]
        shown = (_level(levels[m]) if m in levels else "" for m in FIGURES)
        rows.append((_name(audit, method) + role, counted(files, "network"), *shown))
    yield from _table(("method", "", *(english("metrics")[m] for m in FIGURES)), rows)


def _name(audit: Audited, method: Sequence[str]) -> str:
    """A method in words: its own name, and the post-processing where there is one."""
    weighting, postprocessing, target = method
    called = audit.methods[weighting]
    if postprocessing == BASELINE_POSTPROCESSING:
        return called
    words = english("postprocessings").get(postprocessing, postprocessing.replace("_", " "))
    return f"{called}, {words}" + ("" if target == NO_TARGET else f" by {audit.attributes[target].label}")


def _groups(audit: Audited) -> Iterator[str]:
    metrics = audit.tables["metrics"].filter(**_BASELINE, unit=PATIENT).filter(pl.col("attribute") != OVERALL)
    rows = []
    for (attribute, group), part in metrics.group_by("attribute", "group", maintain_order=True):
        levels = {row["metric"]: row for row in part.to_dicts()}
        patients = f"{levels['selection_rate']['patients']:,} patients"
        rows.append(
            (f"{audit.attributes[attribute].label} {group}", patients, *(_level(levels.get(m)) for m in FIGURES))
        )
    yield from _table(("baseline, by group", "", *(english("metrics")[m] for m in FIGURES)), rows)


def _gaps(audit: Audited) -> Iterator[str]:
    gaps = (
        audit.tables["gaps"]
        .filter(**_BASELINE)
        .filter(pl.col("metric").is_in(COMPARED), pl.col("contrast") != MAX_MIN, unit=PATIENT)
    )
    yield from _table(
        ("baseline, differences", "", "points", "verdict"),
        [
            (f"{audit.attributes[row['attribute']].label} {row['contrast']}", english("metrics")[row["metric"]])
            + (_points(row["estimate"], row["low"], row["high"]), _verdict(row, audit))
            for row in gaps.to_dicts()
        ],
    )


def _changes(audit: Audited) -> Iterator[str]:
    """What every method does to the gaps, and, where a gap changes, what its groups meet."""
    table = audit.tables["effects"].filter(pl.col("metric").is_in(COMPARED), unit=PATIENT)
    rows = []
    for _, part in table.group_by(*_METHOD, maintain_order=True):
        effects = sorted(part.to_dicts(), key=lambda row: not _everyone(row))
        moved = {(row["attribute"], row["metric"]) for row in effects if _is_gap(row) and _told(row)}
        for row in effects:
            if _everyone(row) or _is_gap(row):
                rows.append(_change(row, audit))
            if _is_gap(row) and (key := (row["attribute"], row["metric"])) in moved:
                moved.remove(key)
                groups = (r for r in effects if (r["attribute"], r["metric"]) == key and " - " not in r["contrast"])
                rows += [_change(group, audit) for group in groups]
    yield from _table(("against the baseline", "", "from", "to", "points", "verdict"), rows)
    if len(audit.methods) > 1 and max(audit.networks.values()) == 1:
        yield "With one network each, a verdict says that these two networks differ, not that a method does."


def _change(row: dict, audit: Audited) -> tuple[str, ...]:
    where = "" if row["attribute"] == OVERALL else f", {audit.attributes[row['attribute']].label} {row['contrast']}"
    shown = "{:+.1f}" if _is_gap(row) else "{:.1f}"
    levels = [NOT_ESTIMABLE if row[c] is None else shown.format(100 * row[c]) for c in ("before", "left")]
    points = _points(row["estimate"], row["low"], row["high"])
    name = _name(audit, [row[c] for c in _METHOD])
    return name, english("metrics")[row["metric"]] + where, *levels, points, _word(row, audit)


def _everyone(row: dict) -> bool:
    return row["attribute"] == OVERALL and row["metric"] == "balanced_accuracy"


def _is_gap(row: dict) -> bool:
    return " - " in row["contrast"] and row["contrast"] != MAX_MIN


def _told(row: dict) -> bool:
    return row["outcome_verdict"] in (SHOWN, SUGGESTED)


def _rules(audit: Audited) -> Iterator[str]:
    """The rules of the baseline's first network as they would be deployed, fitted on everyone."""
    rows = []
    for rule in audit.deployed:
        if rule["weighting"] == BASELINE[0] and rule["network"] == 1 and "by_group" in rule:
            cuts = rule["by_group"] or {"all": rule["threshold"]}
            thresholds = "; ".join(f"{group} {_threshold(cut)}" for group, cut in cuts.items())
            name = _name(audit, (rule["weighting"], rule["postprocessing"], rule["target"]))
            rows.append((name, thresholds))
    if rows:
        yield from _table(("as deployed, fitted on everyone", "sick from this score on"), rows)


def _threshold(cut: float | list | None) -> str:
    if isinstance(cut, list):
        return " or ".join(f"{_threshold(part['threshold'])} ({100 * part['chance']:.0f} %)" for part in cut)
    return "never" if cut is None else f"{cut:.3g}"


def _word(row: dict, audit: Audited) -> str:
    """What the effect amounts to, and how surely; of single networks, how the two differ."""
    change = row["outcome"] or row["change"]
    return f"{change}, {row['outcome_verdict']}" if change else _verdict(row, audit)


def _verdict(row: dict, audit: Audited) -> str:
    return f"{AT_MOST} {100 * audit.settings['margin']:g} points" if row["verdict"] == AT_MOST else row["verdict"]


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
