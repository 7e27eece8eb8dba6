"""Does a difference between groups turn round once they are made alike in another attribute? Simpson's paradox."""

from dataclasses import dataclass
from typing import Any

from lib.names import AGGREGATE, STANDARDISED, Attribute
from lib.report.facts.decision import decide
from lib.report.facts.values import Estimate, estimate, parts, rows
from lib.results import Results

METRICS = ("prevalence", "tpr", "fpr")


@dataclass(frozen=True)
class Strata:
    """A difference as it is (`whole`) and with the groups alike in `within` (`alike`); None where not estimable.

    `turned`: both are told from 0, on opposite sides; None where that cannot be asked.
    """

    attribute: Attribute
    contrast: str
    metric: str
    split: str
    within: str
    whole: Estimate | None
    alike: Estimate | None
    turned: bool | None


def strata(study: Results) -> tuple[Strata, ...]:
    """Every difference that was stratified, of the data in both splits and of the untouched classifier."""
    keys = ("attribute", "contrast", "metric", "split", "stratifier")
    told = []
    for (attribute, *rest), lines in parts(rows(study, "simpson"), *keys).items():
        of = {line["stratum"]: line for line in lines}
        whole, alike = (of.get(name) for name in (AGGREGATE, STANDARDISED))
        reversal = alike["reversal"] if alike else None
        told.append(Strata(study.attributes[attribute], *rest, estimate(whole), estimate(alike), reversal))
    return tuple(stratum for stratum in told if stratum.metric in METRICS)


def simpson(study: Results) -> dict[str, Any] | None:
    """The differences by the attribute of the decision page among the patients judged, and all that turn round anywhere."""
    attribute = decide(study).attribute
    shown = [stratum for stratum in strata(study) if (stratum.attribute, stratum.split) == (attribute, "valid")]
    return {"attribute": attribute, "shown": shown, **turned(study)} if shown else None


def turned(study: Results) -> dict[str, Any]:
    """Which differences turn round, of how many that was asked, and of how many the groups are too small to be made alike."""
    asked = [stratum for stratum in strata(study) if stratum.turned is not None]
    unknown = sum(stratum.alike is None for stratum in strata(study))
    return {"turned": [stratum for stratum in asked if stratum.turned], "asked": len(asked), "unknown": unknown}
