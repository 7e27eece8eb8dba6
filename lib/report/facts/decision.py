"""The one page for a board: is there a problem, for whom, how sure, why; what helps, at what price; our choice, and what would change it."""

from collections.abc import Mapping
from typing import Any

from lib.names import DRAWN, OVERALL, RECOMMENDED, Attribute
from lib.report.facts.gaps import Gap, ability, findings, of_method, once, silences, widest, widest_gap
from lib.report.facts.options import options
from lib.report.facts.values import BETWEEN, figure, figures, judged, rate, row, rows
from lib.report.registry import sentences
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


class Decision:
    """All that the page says.

    `fair`: "no" (a difference is shown), "doubtful" (one is suggested), "alike" (all are at most the margin), "unknown".
    `why_not` says why nothing is recommended; `left` is the gap to be expected after the choice.
    `deploy`: "no" where a reason of `against` stands, else "trial": one cohort never suffices for more. `against`:
    drawn (no patients), inverted, chance, ability (not strong), gap (one is shown, and what is left of it after our choice is above the margin).
    Of the findings the `main` one leads, and with it (`lead`) one of the other kind of error between the same groups; the `other` ones do not;
    `own` is the first by the `attribute` that options are told by.
    `choice` is the option that is recommended, `change` the same unless it is to do nothing, `rule` the best threshold rule.
    `rivals` are the options beside doing nothing, `yearly` those of them that narrow something, where a year can be told of them.
    `rosy`: the gap that is left on the patients that the choice was made on is smaller, by over 10 of 1,000, than the one to expect.
    """

    def __init__(self, results: Results, hospital: Mapping[str, Any]) -> None:
        manifest = results.manifest
        cohort, preferences = manifest["cohort"], manifest["settings"].get("preferences") or {}
        preferred = preferences.get("attribute")
        self.findings = findings(results, preferred)
        self.silences = silences(results, self.findings)
        self.main = self.findings[0] if self.findings else None
        same = (self.main.attribute, self.main.contrast) if self.main else ()
        self.lead = [finding for finding in self.findings if (finding.attribute, finding.contrast) == same][:2]
        self.other = [finding for finding in self.findings if finding not in self.lead]
        # the recommendation is about the preferred attribute, so that options are told by it
        first = self.main.attribute if self.main else next(iter(results.attributes.values()))
        self.attribute = results.attributes.get(preferred, first)
        self.own = next((finding for finding in self.findings if finding.attribute == self.attribute), None)
        self.ability = ability(results)
        self.options = options(results, self.attribute, hospital)
        self.rivals = [option for option in self.options if not option.nothing]
        self.yearly = [o for o in self.rivals if o.support and any(share.yearly for share in o.shares)]
        self.choice = next((option for option in self.options if option.recommended), None)
        self.rule = next((option for option in self.options if option.kind == "threshold rule"), None)
        self.too_dear = next((option for option in self.options if option.support and not option.affordable), None)
        self.change = None if self.choice is None or self.choice.nothing else self.choice
        chosen = row(results, "recommendation", role=RECOMMENDED) or {"why": None}
        self.why_not = WHY_NOT.get(chosen["why"])
        # the two groups that gaps are told by: those of the main finding, else those of the widest gap
        same = self.main is not None and self.main.attribute == self.attribute
        gap = None if same else widest_gap(results, self.attribute)
        self.contrast = self.main.contrast if same else gap and gap["contrast"]
        self.mean, self.anew = self._judged(results)
        # what is to be expected: the gap on patients who had no part in choosing, where it is known and larger
        gaps = [self.choice.gap if self.choice else None, self.anew.size.value if self.anew else None]
        self.left = max((gap for gap in gaps if gap is not None), default=None)
        self.rosy = self.choice is not None and self.left is not None and self.left - self.choice.gap > 0.01
        alike = self.silences and all(silence["alike"] for silence in self.silences)
        sure = any(finding.sure for finding in self.findings)
        self.fair = "no" if sure else "doubtful" if self.findings else "alike" if alike else "unknown"
        self.drawn, self.given = cohort["source"] == DRAWN, bool(manifest.get("of_predictions"))
        self.margin, self.networks = results.margin, results.n_seeds
        self.against = self._against()
        self.deploy = "no" if self.against else "trial"
        # patients who are in more than one group of the attribute (counted once for each further group)
        places = [judged(results, name).values() for name in (OVERALL, self.attribute.name)]
        everyone, groups = (sum(line["patients"] for line in lines) for lines in places)
        self.found, self.shared = rate(results, "tpr"), max(0, groups - everyone)
        self.sensitive = _sensitive(results, self.attribute)
        self.patients, self.images = cohort["valid_patients"], cohort["valid_images"]
        self.held_out = manifest.get("held_out", True)
        self.image_size = manifest["settings"]["training"].get("image_size")
        self.largest_loss = preferences.get("largest_loss", 0.0)
        self.demographics = bool(preferences.get("may_use_demographics"))
        self.per_year, self.prevalence = hospital.get("patients_per_year"), hospital.get("prevalence")

    def _judged(self, results: Results) -> tuple[Gap | None, Gap | None]:
        """The widest gap that the choice leaves on the patients that it was made on, and on others when it is made anew."""
        if self.change is None:
            return None, None
        gaps = of_method(results, self.change.method, self.attribute, self.contrast)
        return widest(gaps), widest(once(results, "chosen_anew", self.attribute, self.contrast))

    def _against(self) -> list[str]:
        level = self.ability["level"] if self.ability else "chance"
        told = ["drawn"] if self.drawn else []
        told += [level if level in ("inverted", "chance") else "ability"] if level != "strong" else []
        return told + (["gap"] if self.fair == "no" and (self.left is None or self.left > self.margin) else [])


def decide(results: Results, hospital: Mapping[str, Any] | None = None) -> Decision:
    """The page of a bundle. `hospital`: `patients_per_year` and `prevalence`, by default those of `study.toml`."""
    hospital = read_settings().get("hospital", {}) if hospital is None else hospital
    return results.once(("decision", *sorted(hospital.items())), lambda: Decision(results, hospital))


@sentences("decision")
def told(results: Results) -> dict[str, Any]:
    """The facts of the sentences on the decision."""
    return {"d": decide(results)}


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
