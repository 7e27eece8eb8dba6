"""What an audit of predictions prints: methods, groups, gaps and changes, each with its interval and its verdict."""

from collections.abc import Iterator, Sequence

import polars as pl

from lib import names
from lib.names import english
from lib.predictions.question import Audited
from lib.tabular import for_terminal
from lib.tabular.values import counted

FIGURES = ("balanced_accuracy", "auc", "tpr", "fpr")
MOST_NOTES = 5
COMPARED = ("tpr", "fpr", "balanced_accuracy")
_METHOD = ("weighting", "postprocessing", "target")
_BASELINE = dict(zip(_METHOD, names.BASELINE, strict=True))
_LABELS = tuple(english("metrics")[m] for m in FIGURES)


def summary(audit: Audited) -> str:
    """Plain text, a terminal wide: rates in percent with 95 % intervals, differences in points, verdicts in words."""
    images, patients = audit.rows.height, audit.rows["patient"].n_unique()
    lines = [f"{images:,} images of {patients:,} patients{', validation only' if audit.held_out else ''}"]
    lines += [f"Warning: {warning}" for warning in audit.warnings]
    lines += [f"Note: {notice}" for notice in shortened(audit.notices)]
    for part in (_methods, _groups, _gaps, _changes, _rules):
        lines += ["", *shown] if (shown := [*part(audit)]) else []
    alone = "; with one network each, retraining is not in them."
    lines += [
        "",
        f"In brackets: 95 % intervals by patient{', and by network.' if max(audit.networks.values()) > 1 else alone} Every patient "
        "counts once. “Shown” holds for all comparisons of its kind together, “suggested” for a single one.",
    ]
    return for_terminal("\n".join(lines))


def shortened(notices: Sequence[str]) -> list[str]:
    """At most five: the last then counts those that are left for the report."""
    if len(notices) <= MOST_NOTES:
        return list(notices)
    more = len(notices) - MOST_NOTES + 1
    return [*notices[: MOST_NOTES - 1], f"{more} more stand in what --out and --report write."]


def _methods(audit: Audited) -> Iterator[str]:
    rows = []
    overall = audit.tables["metrics"].filter(attribute=names.OVERALL, unit=names.PATIENT)
    for method, part in overall.group_by(*_METHOD, maintain_order=True):
        name = _name(audit, method) + " (baseline)" * (method == names.BASELINE)
        rows.append((name, counted(audit.networks[method[0]], "network"), *_levels(part)))
    return _table(("method", "", *_LABELS), rows)


def _name(audit: Audited, method: Sequence[str]) -> str:
    """A method in words: its own name, and the post-processing where there is one."""
    weighting, postprocessing, target = method
    called = audit.methods[weighting]
    if postprocessing == names.BASELINE_POSTPROCESSING:
        return called
    words = english("postprocessings").get(postprocessing, postprocessing.replace("_", " "))
    return f"{called}, {words}" + ("" if target == names.NO_TARGET else f" by {audit.attributes[target].label}")


def _groups(audit: Audited) -> Iterator[str]:
    rows = []
    metrics = audit.tables["metrics"].filter(pl.col("attribute") != names.OVERALL, **_BASELINE, unit=names.PATIENT)
    for (attribute, group), part in metrics.group_by("attribute", "group", maintain_order=True):
        patients = part.filter(metric="selection_rate")["patients"].item()
        rows.append((f"{audit.attributes[attribute].label} {group}", f"{patients:,} patients", *_levels(part)))
    return _table(("baseline, by group", "", *_LABELS), rows)


def _gaps(audit: Audited) -> Iterator[str]:
    compared = pl.col("metric").is_in(COMPARED) & (pl.col("contrast") != names.MAX_MIN)
    rows = [
        (
            f"{audit.attributes[row['attribute']].label} {row['contrast']}",
            english("metrics")[row["metric"]],
            _points(row),
            _verdict(row, audit),
        )
        for row in audit.tables["gaps"].filter(compared, **_BASELINE, unit=names.PATIENT).to_dicts()
    ]
    return _table(("baseline, differences", "", "points", "verdict"), rows)


def _changes(audit: Audited) -> Iterator[str]:
    """What every method does to the gaps, and, where a gap changes, what its groups meet."""
    table = audit.tables["effects"].filter(pl.col("metric").is_in(COMPARED), unit=names.PATIENT)
    if table.is_empty():
        return
    rows = []
    for _, part in table.group_by(*_METHOD, maintain_order=True):
        effects = sorted(part.to_dicts(), key=lambda row: not _everyone(row))
        changed = []
        for row in filter(lambda row: _everyone(row) or _is_gap(row), effects):
            rows.append(_change(row, audit))
            key = row["attribute"], row["metric"]
            alike = [r for r in effects if (r["attribute"], r["metric"]) == key]
            verdicts = {r["outcome_verdict"] for r in alike if _is_gap(r)}
            if _is_gap(row) and key not in changed and verdicts & {names.SHOWN, names.SUGGESTED}:
                changed.append(key)
                rows += [_change(r, audit) for r in alike if " - " not in r["contrast"]]
    yield from _table(("against the baseline", "", "from", "to", "points", "verdict"), rows)
    if len(audit.methods) > 1 and max(audit.networks.values()) == 1:
        yield "With one network each, a verdict says that these two networks differ, not that a method does."


def _change(row: dict, audit: Audited) -> tuple[str, ...]:
    where = (
        "" if row["attribute"] == names.OVERALL else f", {audit.attributes[row['attribute']].label} {row['contrast']}"
    )
    shown = "{:+.1f}" if _is_gap(row) else "{:.1f}"
    levels = [names.NOT_ESTIMABLE if row[c] is None else shown.format(100 * row[c]) for c in ("before", "left")]
    name = _name(audit, [row[c] for c in _METHOD])
    return name, english("metrics")[row["metric"]] + where, *levels, _points(row), _word(row, audit)


def _everyone(row: dict) -> bool:
    return row["attribute"] == names.OVERALL and row["metric"] == "balanced_accuracy"


def _is_gap(row: dict) -> bool:
    return " - " in row["contrast"] and row["contrast"] != names.MAX_MIN


def _rules(audit: Audited) -> Iterator[str]:
    """The rules of the baseline's first network as they would be deployed, fitted on everyone."""
    rows = []
    for rule in audit.deployed:
        if rule["weighting"] == names.BASELINE[0] and rule["network"] == 1 and "by_group" in rule:
            cuts = rule["by_group"] or {"all": rule["threshold"]}
            thresholds = "; ".join(f"{group} {_threshold(cut)}" for group, cut in cuts.items())
            rows.append((_name(audit, [rule[c] for c in _METHOD]), thresholds))
    return _table(("as deployed, fitted on everyone", "sick from this score on"), rows) if rows else iter(())


def _threshold(cut: float | list | None) -> str:
    if isinstance(cut, list):
        return " or ".join(f"{_threshold(part['threshold'])} ({100 * part['chance']:.0f} %)" for part in cut)
    return "never" if cut is None else f"{cut:.3g}"


def _word(row: dict, audit: Audited) -> str:
    """What the effect amounts to, and how surely; of single networks, how the two differ."""
    change = row["outcome"] or row["change"]
    return f"{change}, {row['outcome_verdict']}" if change else _verdict(row, audit)


def _verdict(row: dict, audit: Audited) -> str:
    return (
        f"{names.AT_MOST} {100 * audit.settings['margin']:g} points"
        if row["verdict"] == names.AT_MOST
        else row["verdict"]
    )


def _levels(part: pl.DataFrame) -> list[str]:
    """The figures of everyone, or of a group, with their intervals."""
    rows = {row["metric"]: row for row in part.to_dicts()}
    return [
        _with_interval(rows.get(m), "{:.3f}" if m == "auc" else "{:.1f}", 1 if m == "auc" else 100) for m in FIGURES
    ]


def _points(row: dict) -> str:
    return _with_interval(row, "{:+.1f}", 100)


def _with_interval(row: dict | None, shown: str, scale: float) -> str:
    """`61.0 (58.2 to 63.9)`; not estimable where one of the three is not known."""
    values = [row and row[c] for c in ("estimate", "low", "high")]
    if None in values:
        return names.NOT_ESTIMABLE
    return "{} ({} to {})".format(*(shown.format(scale * value) for value in values))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
