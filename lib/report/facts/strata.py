"""Does a difference between groups turn round once they are made alike in another attribute? Simpson's paradox."""

from dataclasses import dataclass
from typing import Any

from lib.names import AGGREGATE, STANDARDISED, Attribute
from lib.report.facts.decision import decide
from lib.report.facts.values import Estimate, estimate, rows
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
    table = rows(study, "simpson")
    keys = ["attribute", "contrast", "metric", "split", "stratifier"]
    told = []
    for key, own in table.group_by(keys, maintain_order=True) if table.height else ():
        if key[2] not in METRICS:
            continue
        of = {row["stratum"]: row for row in own.to_dicts()}
        whole, alike = (of.get(name) for name in (AGGREGATE, STANDARDISED))
        turned = alike["reversal"] if alike else None
        told.append(Strata(study.attributes[key[0]], *key[1:], estimate(whole), estimate(alike), turned))
    return tuple(told)


def simpson(study: Results) -> dict[str, Any] | None:
    """The differences by the attribute of the decision page among the patients judged, and all that turn round anywhere."""
    every = strata(study)
    attribute = decide(study).attribute
    shown = [own for own in every if own.attribute == attribute and own.split == "valid"]
    if not shown:
        return None
    return {"attribute": attribute, "shown": shown, **turned(study)}


def turned(study: Results) -> dict[str, Any]:
    """Which differences turn round, and of how many that was asked."""
    asked = [own for own in strata(study) if own.turned is not None]
    return {"turned": [own for own in asked if own.turned], "asked": len(asked)}
