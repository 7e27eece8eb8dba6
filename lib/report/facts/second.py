"""Corrections by a second attribute that has a gap, beside our choice: what each leaves of the gaps by both."""

from typing import Any

import polars as pl

from lib.names import BASELINE, RANDOMISED, Method, by_groups, must_know
from lib.report.facts import values
from lib.report.facts.decision import Decision, decide
from lib.report.facts.effects import BALANCED
from lib.report.facts.gaps import by_metric
from lib.report.facts.values import KEYS, estimate, parts, row, rows
from lib.results import Results


def second(results: Results) -> dict[str, Any] | None:
    """The facts of the table `second`: `lines` of the first attribute but the page's by which a gap is shown (`attribute`), by role.

    Each line has a `role`, its `method`, the `change` of balanced accuracy and the widest `gaps` that are left by both attributes, by name and metric; `needs`, what it must be told:
    nothing; the weighting and the rule that leave least of the second; our choice; and of pairs of a weighting and a rule that go by both, the one that leaves the smallest
    widest gap (`both`), and that of those that need not be told who somebody is (`unasked`). `most`: the widest of them by attribute, `widest` of all; `single`: the rule that goes by the
    second, else the weighting; `least`: the line of which the widest of all gaps is smallest.
    None where there is no such attribute, or no correction by it.
    """
    d = decide(results)
    finding = next((f for f in d.findings if f.sure and f.attribute != d.attribute), None)
    widest = {a: _widest(results, a.name) for a in (d.attribute, finding.attribute)} if finding else {}
    if not finding or not all(widest.values()):
        return None
    mine, other = widest.values()
    by = {method: _goes_by(method) for method in other if not _barred(method, d)}
    weighted = [m for m in by if m[1:] == BASELINE[1:] and finding.attribute.name in by[m]]
    ruled = [m for m in by if m[0] == BASELINE[0] and m[2] == finding.attribute.name]
    crossed = [m for m in by if m[0] != BASELINE[0] and m[1] != BASELINE[1] and m in mine]
    crossed = [m for m in crossed if by[m] >= {a.name for a in widest}]
    people = {attribute.name for attribute in results.attributes.values() if attribute.of_patient}
    unasked = [m for m in crossed if must_know(*m[1:]) not in people]
    told = {
        "none": BASELINE,
        "weighting": min(weighted, key=other.get, default=None),
        "rule": min(ruled, key=other.get, default=None),
        "ours": d.change.method if d.change else None,
        "unasked": min(unasked, key=lambda m: max(mine[m], other[m]), default=None),
        "both": min(crossed, key=lambda m: max(mine[m], other[m]), default=None),
    }
    if not (told["weighting"] or told["rule"]):
        return None
    each = {
        method: role for role, method in reversed(told.items()) if method
    }  # a method that has two roles is told once
    lines = [_line(results, role, method, tuple(widest)) for method, role in reversed(each.items())]
    known = [line for line in lines if line["widest"] is not None]
    least = min(known, key=lambda line: line["widest"], default=None)
    by_role = {line["role"]: line for line in lines}
    single = by_role.get("rule") or by_role["weighting"]
    return {"d": d, "attribute": finding.attribute, "lines": by_role, "single": single, "least": least}


def _widest(results: Results, attribute: str) -> dict[Method, float]:
    """By method, the widest gap in errors by an attribute that it leaves."""
    frame = rows(results, "effects", values.error_gaps(results.attributes[attribute]), pl.col("left").is_not_null())
    return {method: max(abs(line["left"]) for line in lines) for method, lines in parts(frame, *KEYS).items()}


def _goes_by(method: Method) -> set[str]:
    grouped = by_groups(method[0])
    return {*(grouped[1] if grouped else ()), method[2]}


def _barred(method: Method, d: Decision) -> bool:
    return method[1] in RANDOMISED or method[1] in d.rejected


def _line(results: Results, role: str, method: Method, attributes: tuple) -> dict[str, Any]:
    place = {"attribute": values.OVERALL, "contrast": "all", "metric": BALANCED, "unit": values.PATIENT}
    effect = row(results, "effects", **place, **values.keys_of(method))
    gaps = {attribute.name: by_metric(results, method, attribute) for attribute in attributes}
    needs = results.attributes.get(must_know(*method[1:]))
    told = {"role": role, "method": method, "change": estimate(effect), "gaps": gaps, "needs": needs}
    most = {name: max((gap.size.value for gap in own.values()), default=None) for name, own in gaps.items()}
    return told | {"most": most, "widest": max((size for size in most.values() if size is not None), default=None)}
