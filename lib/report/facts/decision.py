"""The one page for a board: is there a problem, for whom, how sure, why; what helps, at what price; our choice, and what would change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.names import DRAWN, OVERALL, Attribute
from lib.report.facts.findings import CHANCE, INVERTED, STRONG, Ability, Finding, Silence, findings, silences
from lib.report.facts.gaps import Gap, anew, contrast_of, of_method, shared, widest
from lib.report.facts.options import Option, options
from lib.report.facts.values import BETWEEN, Estimate, figure, figures, rate, rows
from lib.results import Results
from lib.settings import read_settings

WHY_NOT = {
    "no gap by the attribute is shown": "no gap",
    "no permitted method is shown or suggested to narrow a gap": "none narrows",
    "with one network of each, nothing can be said of a weighting, and no rule on the same network narrows a gap": "single",
    "whatever narrows a gap is shown to widen or to open another": "all harm",
    "whatever narrows a gap costs more balanced accuracy than is acceptable": "all dear",
}
"""Why nothing is recommended (column `why` of the bundle), in a word that a template can ask for."""
SENSITIVE = "TPR 0.90"


@dataclass(frozen=True)
class Decision:
    """All that the page says.

    `fair`: "no" (a difference is shown), "doubtful" (one is suggested), "alike" (all are at most the margin), "unknown".
    `why_not` says why nothing is recommended; `kept` is what the choice takes off the gap (below 0) on patients that had no part in
    choosing, `left` the gap that is then to be expected; `mean` and `anew` are both with their intervals, from the side of those who fare worse.
    `found`: the share of everyone's sick that is found; `shared`: patients who are in several groups of the attribute.
    `deploy`: "no" where a reason of `against` stands, else "trial": one cohort never suffices for more. `against`:
    drawn (no patients), inverted, chance, ability (below `STRONG`), gap (one is shown, and what is left of it after our choice is above the margin).
    """

    attribute: Attribute
    fair: str
    ability: Ability | None
    findings: tuple[Finding, ...]
    silences: tuple[Silence, ...]
    options: tuple[Option, ...]
    choice: Option | None
    why_not: str | None
    kept: float | None
    left: float | None
    mean: Gap | None
    anew: Gap | None
    found: Estimate | None
    shared: int
    too_dear: Option | None
    deploy: str
    against: tuple[str, ...]
    sensitive: dict[str, Any] | None
    drawn: bool
    patients: int
    images: int
    networks: int
    given: bool
    held_out: bool
    image_size: int | None
    margin: float
    largest_loss: float
    demographics: bool
    per_year: int | None
    prevalence: float | None

    @property
    def main(self) -> Finding | None:
        """The finding that leads."""
        return self.findings[0] if self.findings else None

    @property
    def lead(self) -> tuple[Finding, ...]:
        """What leads: of the main finding's attribute and two groups, at most one of each kind of error."""
        if self.main is None:
            return ()
        alike = [f for f in self.findings if (f.attribute, f.contrast) == (self.main.attribute, self.main.contrast)]
        return tuple(alike[:2])

    @property
    def rosy(self) -> bool:
        """Whether the gap that is left on the patients that the choice was made on is smaller, by over 10 of 1,000, than the one to expect."""
        return self.choice is not None and self.left is not None and self.left - self.choice.gap > 0.01

    @property
    def other(self) -> tuple[Finding, ...]:
        """The findings that do not lead."""
        return tuple(finding for finding in self.findings if finding not in self.lead)

    @property
    def rivals(self) -> tuple[Option, ...]:
        """What could be done beside doing nothing."""
        return tuple(option for option in self.options if not option.nothing)

    @property
    def yearly(self) -> tuple[Option, ...]:
        """The options that narrow something, where a year can be told of them."""
        return tuple(
            option for option in self.rivals if option.support and any(share.yearly for share in option.shares)
        )


def decide(results: Results, hospital: Mapping[str, Any] | None = None) -> Decision:
    """The page of a bundle. `hospital`: `patients_per_year` and `prevalence`, by default those of `study.toml`."""
    hospital = read_settings().get("hospital", {}) if hospital is None else hospital
    return results.once(("decision", *sorted(hospital.items())), lambda: _decision(results, hospital))


def _decision(results: Results, hospital: Mapping[str, Any]) -> Decision:
    manifest = results.manifest
    preferences = manifest["settings"].get("preferences") or {}
    differences = findings(results, preferences.get("attribute"))
    silent = silences(results, differences)
    attribute = _attribute(results, preferences.get("attribute"), differences)
    choices = options(results, attribute, hospital)
    choice = next((option for option in choices if option.recommended), None)
    ability = Ability.of(results)
    drawn = manifest["cohort"]["source"] == DRAWN
    chosen = rows(results, "recommendation", role="recommended")
    mean, elsewhere = _judged(results, attribute, differences, choice)
    kept = elsewhere.size.value - choices[0].gap if elsewhere else None
    left = _left(choice, elsewhere)
    against = _against(results, ability, left, differences, drawn)
    return Decision(
        attribute=attribute,
        fair=_fair(differences, silent),
        ability=ability,
        findings=tuple(differences),
        silences=tuple(silent),
        options=tuple(choices),
        choice=choice,
        why_not=WHY_NOT.get(chosen["why"][0]) if chosen.height else None,
        kept=kept,
        left=left,
        mean=mean,
        anew=elsewhere,
        found=rate(results, "tpr"),
        shared=shared(results, attribute),
        too_dear=next((option for option in choices if option.support and not option.affordable), None),
        deploy="no" if against else "trial",
        against=tuple(against),
        sensitive=_sensitive(results, attribute),
        drawn=drawn,
        patients=manifest["cohort"]["valid_patients"],
        images=manifest["cohort"]["valid_images"],
        networks=results.n_seeds,
        given=bool(manifest.get("of_predictions")),
        held_out=manifest.get("held_out", True),
        image_size=manifest["settings"]["training"].get("image_size"),
        margin=results.margin,
        largest_loss=preferences.get("largest_loss", 0.0),
        demographics=bool(preferences.get("may_use_demographics")),
        per_year=hospital.get("patients_per_year"),
        prevalence=hospital.get("prevalence"),
    )


def _attribute(results: Results, preferred: str | None, differences: list[Finding]) -> Attribute:
    """The attribute that options are told by: the preferred one, since the recommendation is about it; else that of the main finding."""
    if preferred in results.attributes:
        return results.attributes[preferred]
    return differences[0].attribute if differences else next(iter(results.attributes.values()))


def _fair(differences: list[Finding], silent: list[Silence]) -> str:
    if any(finding.sure for finding in differences):
        return "no"
    if differences:
        return "doubtful"
    return "alike" if silent and all(silence.alike for silence in silent) else "unknown"


def _judged(
    results: Results, attribute: Attribute, differences: list[Finding], choice: Option | None
) -> tuple[Gap | None, Gap | None]:
    """The widest gap that the choice leaves on the patients that it was made on, and on others when it is made anew."""
    if choice is None or choice.nothing:
        return None, None
    contrast = contrast_of(results, attribute, differences[0] if differences else None)
    gaps = of_method(results, choice.method, attribute, contrast), anew(results, attribute, contrast)
    return widest(gaps[0]), widest(gaps[1])


def _left(choice: Option | None, elsewhere: Gap | None) -> float | None:
    """The gap that is to be expected after the choice: that on patients who had no part in choosing, where it is known and larger."""
    if choice is None or elsewhere is None:
        return None if choice is None else choice.gap
    return max(choice.gap, elsewhere.size.value)


def _against(
    results: Results, ability: Ability | None, left: float | None, differences: list[Finding], drawn: bool
) -> list[str]:
    told = ["drawn"] if drawn else []
    if ability is None or ability.level in (INVERTED, CHANCE):
        told.append("chance" if ability is None else ability.level)
    elif ability.level != STRONG:
        told.append("ability")
    if any(finding.sure for finding in differences) and (left is None or left > results.margin):
        told.append("gap")
    return told


def _sensitive(results: Results, attribute: Attribute) -> dict[str, Any] | None:
    """The same classifier with one lower cut-off, at which nine of ten sick are to be found: what it then does.

    `found` and `alarmed`: shares of everyone's sick and healthy; `gaps`: differences by the attribute at that cut-off.
    """
    everyone = {"attribute": OVERALL, "group": "all", "contrast": None, "point": SENSITIVE}
    found, alarmed = (figure(results, "operating_points", **everyone, metric=metric) for metric in ("tpr", "fpr"))
    if found is None or alarmed is None:
        return None
    gaps = rows(results, "operating_points", BETWEEN, "estimable", attribute=attribute.name, point=SENSITIVE)
    return {"found": found, "alarmed": alarmed, "gaps": list(figures(gaps, "contrast", "metric").values())}
