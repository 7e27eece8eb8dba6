"""A gap from the side of those who fare worse, with the interval that it has under each way of judging it."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import ERRORS, OVERALL, PATIENT, Attribute, Method
from lib.report.facts.values import KEYS, KNOWN, UNTREATED, Estimate, alone, figure, parts, row, rows
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


def of_method(results: Results, method: Method, attribute: Attribute, contrast: str) -> dict[str, Gap | None]:
    """By metric, what a method leaves of a gap, with the interval of what is left: a mean over folds and networks."""
    told = {}
    for metric in ERRORS:
        place = {"attribute": attribute.name, "contrast": contrast, "metric": metric, "unit": PATIENT}
        line = row(results, "effects", **dict(zip(KEYS, method, strict=True)), **place)
        if line is None or line["left"] is None:
            value = figure(results, "gaps", **dict(zip(KEYS, method, strict=True)), **place)
        else:
            value = Estimate(line["left"], line["left_low"], line["left_high"], line["left_verdict"])
        told[metric] = Gap.of(attribute, metric, contrast, value)
    return told


def once(results: Results, table: str, attribute: Attribute, contrast: str, **keys: Any) -> dict[str, Gap | None]:
    """By metric, the gap of a table that has one line for it."""
    told = {}
    for metric in ERRORS:
        line = row(results, table, attribute=attribute.name, contrast=contrast, metric=metric, **keys)
        told[metric] = Gap.of(attribute, metric, contrast, alone(line))
    return told


def contrast_of(results: Results, attribute: Attribute, main: Any) -> str:
    """The difference that is followed: that of the main finding, else the widest of the baseline, else the first."""
    if main is not None and main.attribute == attribute:
        return main.contrast
    errors = pl.col("metric").is_in(ERRORS) & pl.col("contrast").is_in(list(attribute.contrasts))
    known = rows(results, "gaps", errors, KNOWN, attribute=attribute.name, unit=PATIENT, **UNTREATED).to_dicts()
    first = {"contrast": next(iter(attribute.contrasts))}
    return max(known, key=lambda line: abs(line["estimate"]), default=first)["contrast"]


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
