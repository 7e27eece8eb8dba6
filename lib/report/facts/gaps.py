"""What is wrong, for whom, how sure, and why: gaps from the side of those who fare worse, and those that the baseline is shown to have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lib import names
from lib.audit.questions.gap_by_findings import FEWEST
from lib.names import BASELINE, BASELINE_WEIGHTING, ERRORS, PATIENT, Attribute, Method
from lib.report.facts import values
from lib.report.facts.values import Estimate, alone, error_gaps, estimate, figure, keys_of, rate, row, rows, turned
from lib.results import Results

KINDS = {"tpr": "missed", "fpr": "alarmed"}
LABELS = {"tpr": 1, "fpr": 0}
"""Whom an error rate is about: the sick, the healthy."""
LEAST = 0.0005
"""A smaller share is 0 of 1,000."""


@dataclass(frozen=True)
class Gap:
    """A gap in one kind of error, told from the side of the group that fares worse: `size` is above 0, its interval may not be."""

    attribute: Attribute
    metric: str
    worse: str
    better: str
    size: Estimate

    @property
    def error(self) -> str:
        return KINDS[self.metric]

    @classmethod
    def of(cls, attribute: Attribute, metric: str, contrast: str, told: Estimate | None) -> "Gap | None":
        """From a difference group - reference of the TPR or of the FPR."""
        if told is None:
            return None
        more = -told if metric == "tpr" else told  # of the group, above the reference
        group, reference = attribute.contrasts[contrast], attribute.reference
        if more.value >= 0:
            return cls(attribute, metric, group, reference, more)
        return cls(attribute, metric, reference, group, -more)


def gaps_of(attribute: Attribute, contrast: str, told: Mapping[str, Estimate | None]) -> dict[str, Gap | None]:
    """Differences group - reference by metric as gaps."""
    return {metric: Gap.of(attribute, metric, contrast, value) for metric, value in told.items()}


def widest(gaps: dict[str, Gap | None]) -> Gap | None:
    """The larger of the gaps, by kind of error."""
    return max((gap for gap in gaps.values() if gap), key=lambda gap: gap.size.value, default=None)


def left_of(effect: Mapping[str, Any] | None) -> Estimate | None:
    """What is left of a gap under a method, of a row of `effects`."""
    if effect is None or effect["left"] is None:
        return None
    return Estimate(effect["left"], effect["left_low"], effect["left_high"], effect["left_verdict"])


def of_method(results: Results, method: Method, attribute: Attribute, contrast: str) -> dict[str, Gap | None]:
    """By metric, what a method leaves of a gap, with the interval of what is left: a mean over folds and networks."""
    place = {"attribute": attribute.name, "contrast": contrast, "unit": PATIENT, **keys_of(method)}
    lines = {metric: left_of(row(results, "effects", **place, metric=metric)) for metric in ERRORS}
    told = {metric: left or figure(results, "gaps", **place, metric=metric) for metric, left in lines.items()}
    return gaps_of(attribute, contrast, told)


def by_metric(results: Results, method: Method, attribute: Attribute) -> dict[str, Gap]:
    """By metric, the widest gap of the attribute that a method leaves; without those of which none is estimable."""
    own = [told["gap"] for told in _under(results, method) if told["gap"].attribute == attribute]
    by = {metric: [gap for gap in own if gap.metric == metric] for metric in ERRORS}
    return {metric: max(gaps, key=lambda gap: gap.size.value) for metric, gaps in by.items() if gaps}


def once(results: Results, table: str, attribute: Attribute, contrast: str, **keys: Any) -> dict[str, Gap | None]:
    """By metric, the gap of a table that has one line for it."""
    place = {"attribute": attribute.name, "contrast": contrast, **keys}
    lines = {metric: alone(row(results, table, metric=metric, **place)) for metric in ERRORS}
    return gaps_of(attribute, contrast, lines)


def narrowed(results: Results, method: Method, attribute: Attribute, verdict: str) -> list[str]:
    """The metrics in which a gap by the attribute is told to narrow under a method, with that verdict."""
    place = {**keys_of(method), "outcome": names.NARROWED, "outcome_verdict": verdict}
    told = set(rows(results, "effects", error_gaps(attribute), **place).get_column("metric"))
    return [metric for metric in ERRORS if metric in told]


def widest_gap(results: Results, attribute: Attribute, **keys: str) -> dict[str, Any] | None:
    """The widest gap of the untouched baseline by an attribute, of those that have the `keys`; None where none is estimable."""
    gaps = rows(results, "gaps", error_gaps(attribute), values.KNOWN, **values.UNTREATED, **keys).to_dicts()
    return max(gaps, key=lambda gap: abs(gap["estimate"]), default=None)


Other = dict[str, Any]
"""A `gap` by another attribute than the page's under a method, what it was `before` (both a Gap), and the verdict where it is told to grow (`grows`)."""


def others(results: Results, attribute: Attribute, method: Method) -> list[Other]:
    """Every gap in errors by another attribute under a method, each told from the side of those who then fare worse."""
    return [told for told in _under(results, method) if told["gap"].attribute != attribute]


def _under(results: Results, method: Method) -> list[Other]:
    return results.once("gaps by method", lambda: _by_method(results)).get(method, [])


def _by_method(results: Results) -> dict[Method, list[Other]]:
    """The same by method: the tables are long, and all methods are asked for."""
    told: dict[Method, list[Other]] = {}
    for attribute in results.attributes.values():
        keys = (*values.KEYS, "contrast", "metric")
        changes = values.parts(rows(results, "effects", error_gaps(attribute)), *keys)
        gaps = values.parts(rows(results, "gaps", error_gaps(attribute), values.KNOWN), *keys)
        for (*method, contrast, metric), left in gaps.items():
            (change,) = changes.get((*method, contrast, metric), [None])
            if start := gaps.get((*BASELINE, contrast, metric)):
                gap = Gap.of(attribute, metric, contrast, left_of(change) or estimate(left[0]))
                was = Gap.of(attribute, metric, contrast, estimate(start[0]))
                grows = change and change["outcome"] in names.HARMFUL and change["outcome_verdict"] in values.SEEN
                own = {"gap": gap, "before": was, "grows": change["outcome_verdict"] if grows else None}
                told.setdefault(tuple(method), []).append(own)
    return told


def levelled(results: Results, method: Method, finding: "Finding") -> dict[str, Any] | None:
    """Of a finding's gap under a method: how many `more` of those who fare better and how many `fewer` of the others are got wrong (`seen`: the latter
    is told); the gap `moves` by both, `down` the share of it that the first makes up; `told`: the gap is told to narrow.

    None where it does not narrow, or by fewer errors of those who fare worse alone.
    """
    place = {"attribute": finding.attribute.name, "metric": finding.metric, "unit": PATIENT, **keys_of(method)}
    contrasts = (finding.contrast, finding.better, finding.worse)
    lines = [row(results, "effects", **place, contrast=contrast) for contrast in contrasts]
    if any(line is None or line["estimate"] is None for line in lines):
        return None
    told, _, seen = (line["outcome_verdict"] in values.SEEN for line in lines)
    more, less = (-line["estimate"] if finding.metric == "tpr" else line["estimate"] for line in lines[1:])
    if more < LEAST or more <= less:
        return None
    facts = {"method": method, "finding": finding, "more": more, "fewer": -less, "moves": more - less}
    return facts | {
        "down": min(1.0, more / (more - less)),
        "seen": seen,
        "told": told and lines[0]["outcome"] == names.NARROWED,
    }


def within(results: Results, attribute: Attribute, contrast: str | None) -> dict[int, dict[str, Any]]:
    """By label, of the `patients` imaged in both groups, how much higher the first group's images score, and how much more often
    they are `called` sick; empty where too few patients are (`within_patient`)."""
    told: dict[int, dict[str, Any]] = {}
    place = {"attribute": attribute.name, "contrast": contrast, "estimable": True}
    for label, lines in values.parts(rows(results, "within_patient", **place), "label").items():
        by = {line["metric"]: line for line in lines}
        both = [estimate(by.get(metric)) for metric in ("score", "selection_rate")]
        if all(both):
            told[label] = {"patients": lines[0]["patients"], "score": both[0], "called": both[1]}
    return told


def compared(results: Results, attribute: Attribute, contrast: str) -> float | None:
    """The share of the findings of the sick of two groups that enough patients of each have, so that they are compared one by one; of the
    others all are taken for one (`gap_by_findings`)."""
    pair = (attribute.contrasts[contrast], attribute.reference)
    by_group = values.by_finding(results, attribute).values()
    counts = [[patients for group, patients in by.items() if group in pair] for by in by_group]
    every = sum(map(sum, counts))
    return sum(sum(own) for own in counts if len(own) == 2 and min(own) >= FEWEST) / every if every else None


OPERATING_POINT, DISCRIMINATION = "operating point", "discrimination"
AS_OTHERS, ERRORS_FIRST = "as the others", "errors first"


def ability(results: Results, weighting: str = BASELINE_WEIGHTING) -> dict[str, Any] | None:
    """How well the baseline, or a weighting, ranks the sick above the healthy: its `auc`, and the `level` that the interval lies in.

    inverted: surely below .5; chance: not told from it; weak, moderate, strong: below .7, below .9, from .9 on
    (Hosmer, Lemeshow & Sturdivant 2013, doi 10.1002/9781118548387, section 5.2.4), by the estimate.
    """
    auc = rate(results, "auc", weighting=weighting)
    if auc is None or auc.low is None:
        return None
    told = "weak" if auc.value < 0.7 else "moderate" if auc.value < 0.9 else "strong"
    return {"auc": auc, "level": "inverted" if auc.high < 0.5 else "chance" if auc.low <= 0.5 else told}


class Finding:
    """A difference between two groups in one kind of error, shown or suggested.

    `error`: "missed" (of the sick) or "alarmed" (of the healthy); `worse` and `better` are groups, `often` and `seldom`
    their shares; `gap` the difference, above 0, with the interval that its verdict rests on. `why`: operating point,
    discrimination, both, or None where the parts of the gap cannot be told (`why_sure`: they are shown); `alike`: that both groups' curves differ by at most the margin is
    shown; `auc` of both; `composition`: the part that lies in which findings each group has, `same_findings` the rest, both above 0 where they widen it; `same_patient`: the `gap`
    (above 0 on the same side) among `patients` who are in both groups; `unadjusted`: attributes in which too few patients let the groups be made alike; `by_image`: the gap counted by image (`split`: the same
    is not found then); `sure`: it is shown.
    """

    def __init__(self, results: Results, gap: dict[str, Any]) -> None:
        self.attribute = results.attributes[gap["attribute"]]
        self.metric, self.contrast = gap["metric"], gap["contrast"]
        where = {"attribute": self.attribute.name, "contrast": self.contrast, "metric": self.metric}
        whole = estimate(gap)
        told = Gap.of(self.attribute, self.metric, self.contrast, whole)
        self.error, self.worse, self.better, self.gap = told.error, told.worse, told.better, told.size
        self.sure, self.split = whole.shown, bool(gap["disagrees"])
        of_group = {"attribute": self.attribute.name, "metric": "auc", "estimable": True}
        levels = [rate(results, self.metric, self.attribute.name, group).value for group in (self.worse, self.better)]
        self.often, self.seldom = (1 - level if self.error == "missed" else level for level in levels)
        parts = {part: figure(results, "gap_parts", **where, part=part) for part in (OPERATING_POINT, DISCRIMINATION)}
        told = [part for part, size in parts.items() if size and size.seen and size.value * whole.value > 0]
        self.why = "both" if len(told) == 2 else next(iter(told), None)
        self.why_sure = self.sure and all(parts[part].shown for part in told)
        ranking = parts[DISCRIMINATION]
        self.alike = ranking is not None and ranking.verdict == names.AT_MOST
        aucs = [row(results, "equal_rates", group=side, **of_group) for side in (self.worse, self.better)]
        self.auc = tuple(auc["estimate"] for auc in aucs) if all(aucs) else None
        # parts of a gap are above 0 where they widen it
        parts = [figure(results, "gap_by_findings", **where, part=part) for part in ("composition", "same findings")]
        self.composition, self.same_findings = (turned(part, whole.value) for part in parts)
        same = within(results, self.attribute, self.contrast).get(LABELS[self.metric])
        self.same_patient = same and {"patients": same["patients"], "gap": turned(same["called"], whole.value)}
        strata = rows(results, "simpson", **where, split="valid").to_dicts()
        alike = {
            own["stratifier"] for own in strata if own["stratum"] == names.STANDARDISED and own["estimate"] is not None
        }
        unlike = dict.fromkeys(own["stratifier"] for own in strata if own["stratifier"] not in alike)
        self.unadjusted = [results.attributes[name] for name in unlike if name in results.attributes]
        counted = figure(results, "gaps", **values.UNTREATED, **where, unit=names.IMAGE)
        self.by_image = None if counted is None else abs(counted.value)
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
    silent, told_of = [], {finding.attribute.name for finding in differences}
    for attribute in (own for name, own in results.attributes.items() if name not in told_of):
        gaps = _gaps(results).filter(attribute=attribute.name)
        known = gaps.filter("estimable")
        alike = known.height == gaps.height > 0 and bool((known["verdict"] == names.AT_MOST).all())
        told = {"attribute": attribute, "alike": alike, "unknown": known.is_empty()}
        silent.append(told | {"visible": known["detectable"].max()})
    return silent


def _gaps(results: Results) -> pl.DataFrame:
    between = pl.col("contrast").str.contains(" - ", literal=True)
    errors = pl.col("metric").is_in(ERRORS)
    return rows(results, "gaps", errors, between, unit=PATIENT, family=names.BASELINE_GAPS, **values.UNTREATED)


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
