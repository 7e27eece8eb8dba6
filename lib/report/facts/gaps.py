"""A gap from the side of those who fare worse, with the interval that it has under each way of judging it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.names import ERRORS, OVERALL, PATIENT, Attribute, Method
from lib.report.facts.values import KEYS, KNOWN, UNTREATED, Estimate, alone, error_gaps, figure, parts, row, rows
from lib.results import Results

KINDS = {"tpr": "missed", "fpr": "alarmed"}


@dataclass(frozen=True)
class Gap:
    """A gap in one kind of error, told from the side of the group that fares worse: `size` is above 0, its interval may not be."""

    attribute: Attribute
    metric: str
    worse: str
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
        worse = attribute.contrasts[contrast] if more.value >= 0 else attribute.reference
        return cls(attribute, metric, worse, more if more.value >= 0 else -more)


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
    told = {}
    for metric in ERRORS:
        place = {"attribute": attribute.name, "contrast": contrast, "metric": metric, "unit": PATIENT}
        line = row(results, "effects", **dict(zip(KEYS, method, strict=True)), **place)
        value = left_of(line) or figure(results, "gaps", **dict(zip(KEYS, method, strict=True)), **place)
        told[metric] = Gap.of(attribute, metric, contrast, value)
    return told


def once(results: Results, table: str, attribute: Attribute, contrast: str, **keys: Any) -> dict[str, Gap | None]:
    """By metric, the gap of a table that has one line for it."""
    told = {}
    for metric in ERRORS:
        line = row(results, table, attribute=attribute.name, contrast=contrast, metric=metric, **keys)
        told[metric] = Gap.of(attribute, metric, contrast, alone(line))
    return told


def widest_gap(results: Results, attribute: Attribute, **keys: str) -> dict[str, Any] | None:
    """The widest gap of the untouched baseline by an attribute, of those that have the `keys`; None where none is estimable."""
    gaps = rows(results, "gaps", error_gaps(attribute), KNOWN, **UNTREATED, **keys).to_dicts()
    return max(gaps, key=lambda gap: abs(gap["estimate"]), default=None)


def contrast_of(results: Results, attribute: Attribute, main: Any) -> str | None:
    """The two groups that gaps are told by: those of the main finding, else those of the widest gap; None where none is estimable."""
    if main is not None and main.attribute == attribute:
        return main.contrast
    widest = widest_gap(results, attribute)
    return widest["contrast"] if widest else None


def anew(results: Results, attribute: Attribute, contrast: str) -> dict[str, Gap | None]:
    """By metric, what the whole choice leaves on patients without part in it (`chosen_anew`)."""
    return once(results, "chosen_anew", attribute, contrast)


def counts(results: Results, attribute: Attribute, group: str) -> tuple[int | None, int | None]:
    """Patients behind the rates of a group: those with an image labelled sick, and healthy."""
    place = {"attribute": attribute.name, "group": group, "unit": PATIENT, **UNTREATED}
    lines = [row(results, "metrics", metric=metric, **place) for metric in ERRORS]
    return tuple(line["patients"] if line else None for line in lines)


def shared(results: Results, attribute: Attribute) -> int:
    """Patients to judge on who are in more than one group of the attribute, (counted once for each further group)."""
    told = parts(rows(results, "composition", split="valid", unit=PATIENT), "attribute")
    everyone, groups = (sum(line["patients"] for line in told.get(name, [])) for name in (OVERALL, attribute.name))
    return max(0, groups - everyone)


def both_labels(results: Results) -> int:
    """Patients to judge on who have images of both labels."""
    lines = [
        row(results, "metrics", attribute=OVERALL, group="all", metric=m, unit=PATIENT, **UNTREATED) for m in ERRORS
    ]
    everyone = row(results, "composition", split="valid", attribute=OVERALL, unit=PATIENT)
    return max(0, sum(line["patients"] for line in lines) - everyone["patients"]) if all(lines) and everyone else 0
