"""What is wrong, for whom, how sure, and why: the differences between groups that the baseline is shown to have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.audit.questions.gap_by_findings import FEWEST
from lib.names import AT_MOST, BASELINE_GAPS, ERRORS, PATIENT, Attribute
from lib.report.facts.gaps import Gap
from lib.report.facts.values import UNTREATED, Estimate, estimate, figure, parts, rate, row, rows, turned
from lib.results import Results

OPERATING_POINT, DISCRIMINATION, BOTH = "operating point", "discrimination", "both"
AS_OTHERS, ERRORS_FIRST = "as the others", "errors first"
INVERTED, CHANCE, WEAK, MODERATE, STRONG = "inverted", "chance", "weak", "moderate", "strong"


@dataclass(frozen=True)
class Ability:
    """How well the baseline ranks the sick above the healthy: its AUC, and which class the interval lies in.

    inverted: surely below .5; chance: not told from it; weak, moderate, strong: below .7, below .9, from .9 on
    (Hosmer, Lemeshow & Sturdivant 2013, doi 10.1002/9781118548387, section 5.2.4), by the estimate.
    """

    auc: Estimate
    level: str

    @classmethod
    def of(cls, results: Results) -> "Ability | None":
        auc = rate(results, "auc")
        if auc is None or auc.low is None:
            return None
        if auc.high < 0.5:
            return cls(auc, INVERTED)
        if auc.low <= 0.5:
            return cls(auc, CHANCE)
        return cls(auc, WEAK if auc.value < 0.7 else MODERATE if auc.value < 0.9 else STRONG)


class Finding:
    """A difference between two groups in one kind of error, shown or suggested.

    `error`: "missed" (of the sick) or "alarmed" (of the healthy); `worse` and `better` are groups, `often` and `seldom`
    their shares; `gap` the difference, above 0, with the interval that its verdict rests on. `why`: operating point,
    discrimination, both, or None where the parts of the gap cannot be told; `alike`: that both groups' curves differ by at most the margin is
    shown; `auc` of both; `composition`: the part that lies in which findings each group has, `same_findings` the rest, both above 0 where they widen it, `compared` the share of findings that was compared one by one; `split`: by image, the same
    is not found; `sure`: it is shown.
    """

    def __init__(self, results: Results, gap: dict[str, Any]) -> None:
        self.attribute = results.attributes[gap["attribute"]]
        self.metric, self.contrast = gap["metric"], gap["contrast"]
        where = {"attribute": self.attribute.name, "contrast": self.contrast, "metric": self.metric}
        sides = (self.attribute.contrasts[self.contrast], self.attribute.reference)
        whole = estimate(gap)
        told = Gap.of(self.attribute, self.metric, self.contrast, whole)
        self.error, self.worse, self.gap = told.error, told.worse, told.size
        self.better = next(side for side in sides if side != told.worse)
        self.sure, self.split = whole.shown, bool(gap["disagrees"])
        of_group = {"attribute": self.attribute.name, "metric": "auc", "estimable": True}
        levels = [rate(results, self.metric, self.attribute.name, group).value for group in (self.worse, self.better)]
        self.often, self.seldom = (1 - level if self.error == "missed" else level for level in levels)
        parts = {part: figure(results, "gap_parts", **where, part=part) for part in (OPERATING_POINT, DISCRIMINATION)}
        ranking = parts[DISCRIMINATION]
        self.why, self.alike = _why(whole, parts), ranking is not None and ranking.verdict == AT_MOST
        aucs = [row(results, "equal_rates", group=side, **of_group) for side in (self.worse, self.better)]
        self.auc = tuple(auc["estimate"] for auc in aucs) if all(aucs) else None
        # parts of a gap are above 0 where they widen it
        self.composition, self.same_findings = (
            turned(figure(results, "gap_by_findings", **where, part=part), whole.value)
            for part in ("composition", "same findings")
        )
        self.compared = compared(results, self.attribute, self.contrast)
        self.blind = _blind(results, **where)


def findings(results: Results, preferred: str | None) -> list[Finding]:
    """Shown ones first, then those of the preferred attribute, then the widest."""
    gaps = _gaps(results).filter(pl.col("verdict").is_in(["shown", "suggested"]))
    told = [Finding(results, gap) for gap in gaps.to_dicts()]
    return sorted(told, key=lambda finding: (not finding.sure, finding.attribute.name != preferred, -finding.gap.value))


def silences(results: Results, differences: Sequence[Finding]) -> list[dict[str, Any]]:
    """The attributes by which nothing is shown or suggested: `alike` where all gaps are at most the margin, `unknown` where none is estimable.

    `visible`: the widest of the gaps that would have been seen in four of five such cohorts.
    """
    silent = []
    for name, attribute in results.attributes.items():
        if name in {finding.attribute.name for finding in differences}:
            continue
        gaps = _gaps(results).filter(attribute=name)
        known = gaps.filter("estimable")
        alike = known.height == gaps.height > 0 and bool((known["verdict"] == AT_MOST).all())
        told = {"attribute": attribute, "alike": alike, "unknown": known.is_empty()}
        silent.append(told | {"visible": known["detectable"].max()})
    return silent


def compared(results: Results, attribute: Attribute, contrast: str) -> float | None:
    """The share of the findings of the sick of two groups that enough patients of each have, so that they are compared one by one; of the
    others all are taken for one (`gap_by_findings`)."""
    pair = (attribute.contrasts[contrast], attribute.reference)
    by = parts(rows(results, "misses_by_finding", attribute=attribute.name, contrast=None), "finding")
    counts = [[line["patients"] for line in lines if line["group"] in pair] for lines in by.values()]
    every = sum(map(sum, counts))
    return sum(sum(own) for own in counts if len(own) == 2 and min(own) >= FEWEST) / every if every else None


def _gaps(results: Results) -> pl.DataFrame:
    between = pl.col("contrast").str.contains(" - ", literal=True)
    errors = pl.col("metric").is_in(ERRORS)
    return rows(results, "gaps", errors, between, unit=PATIENT, family=BASELINE_GAPS, **UNTREATED)


def _why(gap: Estimate, parts: dict[str, Estimate | None]) -> str | None:
    """Which parts of a gap are told to point where it does."""
    told = [part for part, size in parts.items() if size is not None and size.seen and size.value * gap.value > 0]
    return BOTH if len(told) == 2 else told[0] if told else None


def _blind(results: Results, **where: str) -> dict[str, Any] | None:
    """How many wrong labels of a `group` would make a finding vanish: the `share` of its healthy (or sick), and as many patients, `wrong`, were
    they called sick as often as the others of their true label; `fewest`, `least`: were all of them among the errors. None: none would do.

    `looks` is the share of the healthy of that group whose scores look like those of the sick, with its verdict.
    """
    alike, fewest = (row(results, "label_errors", **where, reading=reading) for reading in (AS_OTHERS, ERRORS_FIRST))
    if alike is None or fewest is None or not (alike["estimable"] or fewest["estimable"]):
        return None
    group = alike["group"]
    shares = [line["estimate"] if line["group"] == group else None for line in (alike, fewest)]
    most, least = (share if share is not None and 0 < share <= 1 else None for share in shares)
    # whether the healthy look sick is asked where false alarms are
    place = {"attribute": where["attribute"], "group": group, "reading": "aligned"}
    looks = figure(results, "label_mixture", **place) if where["metric"] == "fpr" else None
    told = {"group": group, "share": most, "wrong": alike["wrong"], "fewest": least, "least": fewest["wrong"]}
    return told | {"looks": looks}
