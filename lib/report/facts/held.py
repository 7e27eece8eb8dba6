"""The gap of the page when one thing is held fixed at a time: the same patient, the same findings, the tie with the label, ..."""

from collections.abc import Iterator
from typing import Any

from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, ERRORS, NO_TARGET, STANDARDISED, Attribute, Method
from lib.report.facts.decision import Decision, decide
from lib.report.facts.gaps import LABELS, Gap, compared, gaps_of, of_method, within
from lib.report.facts.options import ONE_CUT
from lib.report.facts.values import Row, figure, row
from lib.report.facts.weightings import weights
from lib.results import Results

RECALIBRATED = ("platt", "isotonic")
"""Rules that make a score mean the same in each group, and then take the one level that is best for all: the first that was tried is told."""


def held(results: Results) -> dict[str, Any] | None:
    """The facts of the table `held`: `lines`, the untouched gaps first. None where the page has no gap, or nothing was held fixed."""
    d = decide(results)
    if d.main is None or d.main.attribute != d.attribute:
        return None
    lines = [line | {"gaps": dict.fromkeys(ERRORS) | line["gaps"]} for line in _lines(results, d, d.main.contrast)]
    lines = [line for line in lines if any(line["gaps"].values())]
    return {"d": d, "lines": lines} if len(lines) > 1 else None


def _lines(results: Results, d: Decision, contrast: str) -> Iterator[Row]:
    """What is held (`what`), the `gaps` that then stay, by metric, and what names it: `method`, `patients` by metric, `other`, `share`."""
    attribute = d.attribute

    def under(method: Method) -> dict[str, Gap | None]:
        return of_method(results, method, attribute, contrast)

    yield {"what": "nothing", "gaps": under((BASELINE_WEIGHTING, BASELINE_POSTPROCESSING, NO_TARGET))}
    if same := within(results, attribute, contrast):
        told = {metric: same[label]["called"] for metric, label in LABELS.items() if label in same}
        patients = {metric: same[label]["patients"] for metric, label in LABELS.items() if label in same}
        yield {"what": "patient", "gaps": gaps_of(attribute, contrast, told), "patients": patients}
    if tie := breaking(results):
        yield {"what": "tie", "gaps": under((tie, BASELINE_POSTPROCESSING, NO_TARGET)), "method": tie}
    yield {"what": "cut", "gaps": under(ONE_CUT)}
    if told := recalibrated(results, attribute, contrast):
        yield {"what": "meaning", "gaps": told["left"], "method": told["rule"]}
    where = {"attribute": attribute.name, "contrast": contrast}
    same_findings = figure(results, "gap_by_findings", **where, metric="tpr", part="same findings")
    share = compared(results, attribute, contrast)
    yield {"what": "findings", "gaps": gaps_of(attribute, contrast, {"tpr": same_findings}), "share": share}
    for other in (other for other in results.attributes.values() if other != attribute):
        place = {"stratifier": other.name, "stratum": STANDARDISED, "split": "valid"}
        alike = {metric: figure(results, "simpson", **where, **place, metric=metric) for metric in ERRORS}
        told = {"gaps": gaps_of(attribute, contrast, alike), "other": other}
        unknown = [metric for metric in ERRORS if alike[metric] is None and row(results, "simpson", **where, **place)]
        yield {"what": "other", "unknown": unknown} | told
    for what, part in (("ranking", "operating point"), ("errors", "discrimination")):
        told = {metric: figure(results, "gap_parts", **where, metric=metric, part=part) for metric in ERRORS}
        yield {"what": what, "gaps": gaps_of(attribute, contrast, told)}


def breaking(results: Results) -> str | None:
    """The weighting that breaks the tie of the group with the label, of several the one that is best by its effect."""
    w = weights(results)
    known = [seen for seen in w["breaking"] if seen["effect"]] if w and w["tied"] else []
    first = [seen for seen in known if seen["narrows"]] or known
    widest = {seen["weighting"]: seen["effect"]["widest"] for seen in first if seen["effect"]["widest"] is not None}
    offered = [option.weighting for option in decide(results).options if option.weighting in widest and not option.rule]
    return next(iter(offered), min(widest, key=widest.__getitem__, default=None))


def recalibrated(results: Results, attribute: Attribute, contrast: str) -> dict[str, Any] | None:
    """What a `rule` that corrects the scores in each group and then takes one cut-off leaves (`left`, by metric); None where none was tried."""
    for rule in RECALIBRATED:
        gaps = of_method(results, (BASELINE_WEIGHTING, rule, attribute.name), attribute, contrast)
        if all(gaps.values()):
            return {"rule": rule, "left": gaps}
    return None
