"""The one page for a board: is there a problem, for whom, how sure, why; what helps, at what price; our choice, and what would change it."""

from collections.abc import Mapping
from typing import Any

from lib.names import DRAWN, ERRORS, IMAGE, OVERALL, RANDOMISED, RECOMMENDED, Method, kind_of
from lib.report.facts import gaps
from lib.report.facts.gaps import Gap, ability, findings, levelled, of_method, once, silences, widest
from lib.report.facts.options import ONE_CUT, SENSITIVE, Option, beside, cut_offs, eligible, options
from lib.report.facts.values import Estimate, judged, keys_of, predictive_values, rate, row, rows
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
LEVELS = "level_up_tpr"
"""The rule that lifts the TPR of every group to a floor: everyone's at the one best cut-off."""
FLOOR = 0.8
"""An example of a floor: the share of the sick that a hospital asks to be found in every group."""
FEWER = 0.15
"""The share of sick that a call is judged at, and people of a year are counted with, where `[hospital]` names no `prevalence`."""


class Decision:
    """All that the page says.

    `fair`: "no" (a difference is shown), "doubtful" (one is suggested), "alike" (all are at most the margin), "unknown".
    By attribute: `unfair` where a difference is shown, `doubted` where one is suggested; the others are `silences`.
    `why_not` says why nothing is recommended. What the choice leaves (`ways`, by metric): `mean` over folds and networks, `deployed` under one rule that
    is fitted once, `anew` where the whole choice is made again; `left` is what is to be expected in use. `again` and `kind_again`: how often, of 1, the
    choice made again falls on the same method, and on one of its kind.
    `ties`: other methods of the same kind that meet all that is asked. `barred` (rules that aim at what is not held fair), `tossed` (rules with a coin):
    tried, and not recommended. `levelled`: as `gaps.levelled` tells each option.
    `deploy`: "no" where a reason of `against` stands, else "trial": one cohort never suffices for more. `against`:
    drawn (no patients), inverted, chance, ability (not strong), gap (one is shown, and what is left of it after our choice is above the margin);
    `unmended`: under every option that is compared, the network is not strong either. `tested`: by group the shares of the sick who are found, with
    intervals, untouched (`now`) and under our choice (`then`), to be held against the share that an example has `asked` for.
    Of the findings the `main` one leads, and with it (`lead`) one of the other kind of error between the same groups; the `other` ones do not;
    `own` is the first by the `attribute` that options are told by.
    `choice` is the option that is recommended, `change` the same unless it is to do nothing, `rule` the best threshold rule.
    `rivals` are the options beside doing nothing, `offered` these and `sparing`, `yearly` those of them that narrow something, where a year can be told of them.
    `fitted`: by method that is compared, what one rule that is fitted once leaves of the gaps, by metric. `evener`: of the options that are compared, the one of
    which the widest gap by any attribute is smallest, if that of our choice is wider.
    `rosy`: the gap that is left on the patients that the choice was made on is smaller, by over 10 of 1,000, than where it is made anew.
    `sensitive`: what the same classifier does at the cut-off at which nine of ten sick are found, to everyone and to `groups`.
    `compared`: the options, and `one_cut` and `sparing` (`options.beside`); `floor`: the share of sick that the latter finds in each group, if it is one that
    lifts every group to a floor; `by_image`: the share found, counted by image. `steps`: by group, how many more are missed and alarmed, first by one best
    cut-off for all, and then by our choice, if that is another rule. `spared`: the share of healthy who are alarmed.
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
        named = {finding.attribute.name: finding.attribute for finding in self.findings}
        surely = {finding.attribute.name for finding in self.findings if finding.sure}
        self.unfair = [attribute for name, attribute in named.items() if name in surely]
        self.doubted = [attribute for name, attribute in named.items() if name not in surely]
        # the recommendation is about the preferred attribute, so that options are told by it
        first = self.main.attribute if self.main else next(iter(results.attributes.values()))
        self.attribute = results.attributes.get(preferred, first)
        self.own = next((finding for finding in self.findings if finding.attribute == self.attribute), None)
        self.ability = ability(results)
        self.options = options(results, self.attribute, hospital)
        self.rivals = [option for option in self.options if not option.nothing]
        self.one_cut, self.sparing = beside(results, self.attribute, hospital, self.options)
        rows_of = [*self.options[:1], self.one_cut, *self.options[1:], self.sparing]
        self.compared = list({option.method: option for option in rows_of if option}.values())
        self.offered = [option for option in self.compared if option in self.rivals or option is self.sparing]
        self.yearly = [o for o in self.offered if o.support and any(share.yearly for share in o.shares)]
        self.choice = next((option for option in self.options if option.recommended), None)
        self.rule = next((option for option in self.options if option.kind == "threshold rule"), None)
        self.steps = _steps(*self.options[:1], self.one_cut, self.choice) if self.choice and self.one_cut else []
        self.floor = rate(results, "tpr", **keys_of(ONE_CUT)) if self.sparing and self.sparing.rule == LEVELS else None
        self.too_dear = next((option for option in self.options if option.support and not option.affordable), None)
        self.change = None if self.choice is None or self.choice.nothing else self.choice
        most = (self.change.widest or 0.0) - gaps.LEAST if self.change else 0.0
        evener = [option for option in self.compared if option.widest is not None and option.widest < most]
        self.evener = min(evener, key=lambda option: option.widest, default=None)
        levels = [ability(results, own) for own in {option.method[0] for option in self.compared}]
        self.unmended = bool(levels) and not any(own and own["level"] == "strong" for own in levels)
        found = [self._found(results, option) for option in (*self.options[:1], self.change)]
        self.tested = {"asked": FLOOR, "now": found[0], "then": found[-1] if self.change else {}}
        self.by_image = rate(results, "tpr", unit=IMAGE)
        chosen = row(results, "recommendation", role=RECOMMENDED) or {"why": None}
        self.why_not = WHY_NOT.get(chosen["why"])
        # the two groups that gaps are told by: those of the main finding, else those of the widest gap
        same = self.main is not None and self.main.attribute == self.attribute
        gap = None if same else gaps.widest_gap(results, self.attribute)
        self.contrast = self.main.contrast if same else gap and gap["contrast"]
        place = (self.attribute, self.contrast)
        self.fitted = {o.method: once(results, "deployed", *place, **keys_of(o.method)) for o in self.compared}
        self.ways = self._judged(results)
        self.mean, self.deployed, self.anew = map(widest, self.ways.values())
        again = row(results, "chosen_anew") or {}
        self.again, self.kind_again = again.get("again"), again.get("kind_again")
        # what is to be expected in use: the gap of one fitted rule, else that of the choice made anew, where it is the larger
        expected = self.deployed or self.anew
        known = [self.choice.gap if self.choice else None, expected.size.value if expected else None]
        self.left = max((gap for gap in known if gap is not None), default=None)
        self.rosy = self.anew is not None and self.anew.size.value - self.change.gap > 0.01
        self.ties = _ties(results, self.change.method) if self.change else []
        tried = set(rows(results, "metrics")["postprocessing"])
        self.barred = [rule for rule in preferences.get("rejected") or () if rule in tried]
        self.tossed = sorted(RANDOMISED & tried)
        about = [f for f in self.lead if f.attribute == self.attribute]
        down = [(o, levelled(results, o.method, f)) for o in self.offered if o.support for f in about]
        self.levelled = [told | {"option": option} for option, told in down if told]
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
        self.cut_offs = cut_offs(results, self.attribute)
        if sensitive := self.cut_offs.get(SENSITIVE):
            everyone, *groups = sensitive["groups"]
            sensitive = {"everyone": everyone, "groups": groups, "gaps": sensitive["gaps"]}
        self.sensitive = sensitive
        self.patients = cohort["valid_patients"]
        self.held_out = manifest.get("held_out", True)
        self.largest_loss = preferences.get("largest_loss", 0.0)
        self.demographics = bool(preferences.get("may_use_demographics"))
        self.rejected = tuple(preferences.get("rejected", ()))
        self.per_year, self.prevalence = hospital.get("patients_per_year"), hospital.get("prevalence")
        self.sick = hospital["prevalence"]
        self.spared = rate(results, "fpr")

    def _judged(self, results: Results) -> dict[str, dict[str, Gap | None]]:
        """By metric, what the choice leaves of the gap: in the mean over fits, under one rule fitted once, and where the choice is made anew."""
        if self.change is None:
            return {"mean": {}, "deployed": {}, "anew": {}}
        place, method = (self.attribute, self.contrast), self.change.method
        return {
            "mean": of_method(results, method, *place),
            "deployed": self.fitted[method],
            "anew": once(results, "chosen_anew", *place),
        }

    def _found(self, results: Results, option: Option | None) -> dict[str, Estimate]:
        """By group the share of the sick who are found under an option, with its interval; without groups where it has none."""
        name, keys = self.attribute.name, keys_of(option.method) if option else {}
        found = {group: rate(results, "tpr", name, group, **keys) for group in self.attribute.groups if option}
        return {group: share for group, share in found.items() if share is not None and share.low is not None}

    def _against(self) -> list[str]:
        level = self.ability["level"] if self.ability else "chance"
        told = ["drawn"] if self.drawn else []
        told += [level if level in ("inverted", "chance") else "ability"] if level != "strong" else []
        return told + (["gap"] if self.fair == "no" and (self.left is None or self.left > self.margin) else [])


def decide(results: Results, hospital: Mapping[str, Any] | None = None) -> Decision:
    """The page of a bundle. `hospital`: `patients_per_year` and `prevalence`, by default those of `study.toml`."""
    hospital = {"prevalence": FEWER} | dict(read_settings().get("hospital", {}) if hospital is None else hospital)
    return results.once(("decision", *sorted(hospital.items())), lambda: Decision(results, hospital))


@sentences("decision")
def told(results: Results) -> dict[str, Any]:
    """The facts of the sentences on the decision."""
    return {"d": decide(results)}


def _ties(results: Results, chosen: Method) -> list[Method]:
    """Other methods of the kind of the chosen one that no coin is tossed for, with a gap left within the margin of the smallest, and as sure a support."""
    fit = eligible(results, row(results, "recommendation", role=RECOMMENDED)["support"])
    least = min(fit.values())
    near = [method for method, gap in fit.items() if gap <= least + results.margin]
    return [method for method in near if method != chosen and kind_of(method) == kind_of(chosen)]


def _steps(nothing: Option, one_cut: Option, choice: Option) -> list[dict[str, Any]]:
    if choice.rule is None or choice.method == one_cut.method:
        return []
    told = []
    for shares in zip(nothing.shares, one_cut.shares, choice.shares, strict=True):
        ways = {"missed": [share.missed for share in shares], "alarmed": [share.alarmed for share in shares]}
        if None in ways["missed"] + ways["alarmed"]:
            return []
        more = {error: (then - start, end - then) for error, (start, then, end) in ways.items()}
        told.append({"group": shares[0].group} | more)
    return told


def triage(
    results: Results, method: Method, sick: float, attribute: str = OVERALL, group: str = "all"
) -> dict[str, float | None] | None:
    """Where a share `sick` is sick: the share that is `called` sick, of these who are (`right`), of those called healthy who are (`healthy`).

    None where the rates of the method are not estimable.
    """
    place = {"attribute": attribute, "group": group, "estimable": True, **keys_of(method)}
    tpr, fpr = (rate(results, metric, **place) for metric in ERRORS)
    if not tpr or not fpr:
        return None
    right, healthy = predictive_values(tpr.value, fpr.value, sick)
    return {"sick": sick, "called": sick * tpr.value + (1 - sick) * fpr.value, "right": right, "healthy": healthy}
