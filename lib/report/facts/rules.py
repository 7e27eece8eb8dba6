"""What rules that adjust decisions do: fitted here and judged there, told wrong groups, loosened, and where they cut."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import (
    BASELINE_GAPS,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    DECIDE_WITHOUT_GROUP,
    ERRORS,
    NO_TARGET,
    ODDS,
    OVERALL,
    PATIENT,
    Attribute,
)
from lib.report.facts.decision import Decision, decide
from lib.report.facts.findings import UNTREATED, Finding
from lib.report.facts.options import Option
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.results import Results

BALANCED = "balanced_accuracy"
CALIBRATED = "calibrated_odds"


@dataclass(frozen=True)
class Gap:
    """The one gap that rules are followed by: that of the main finding, else the widest by the page's attribute."""

    attribute: Attribute
    metric: str
    contrast: str
    value: float


@dataclass(frozen=True)
class Rule:
    """A rule, and the attribute that it acts on (None: none)."""

    name: str
    target: Attribute | None

    @property
    def blind(self) -> bool:
        """Whether it decides without knowing the group."""
        return self.target is None or self.name in DECIDE_WITHOUT_GROUP


@dataclass(frozen=True)
class Thrice:
    """One figure of a rule: on the patients that chose it, on others, and of the one rule that would be deployed, on new patients."""

    naive: float
    held_out: float
    optimism: Estimate
    deployed: Estimate | None


def main_finding(d: Decision) -> Finding | None:
    """The first of the findings by the page's attribute, which need not be the first of all."""
    return next((own for own in d.findings if own.attribute == d.attribute), None)


def followed(results: Results, d: Decision) -> Gap | None:
    """The gap that this part of the report follows; None where no gap by the attribute is estimable."""
    own = rows(results, "gaps", attribute=d.attribute.name, unit=PATIENT, family=BASELINE_GAPS, **UNTREATED)
    own = own.filter(pl.col("metric").is_in(ERRORS), pl.col("contrast").is_in(list(d.attribute.contrasts)))
    own = own.drop_nulls("estimate").sort(pl.col("estimate").abs(), descending=True)
    if own.is_empty():
        return None
    if (main := main_finding(d)) is not None:
        own = own.filter(metric=main.metric, contrast=main.contrast)
    first = own.row(0, named=True)
    return Gap(d.attribute, first["metric"], first["contrast"], first["estimate"])


def chosen(d: Decision) -> Option | None:
    """The best threshold rule of the decision page."""
    return next((own for own in d.options if own.kind == "threshold rule"), None)


def aimed(results: Results, table: str, attribute: Attribute) -> pl.DataFrame:
    """Rows of the baseline's networks, of rules that act on the attribute or on none."""
    found = rows(results, table, weighting=BASELINE_WEIGHTING)
    if found.is_empty():
        return found
    return found.filter(
        pl.col("target").is_in([NO_TARGET, attribute.name]), pl.col("postprocessing") != BASELINE_POSTPROCESSING
    )


def rules_of(results: Results, frame: pl.DataFrame) -> dict[Rule, pl.DataFrame]:
    """The rows of each rule, in the order of the bundle."""
    if frame.is_empty():
        return {}
    parts = frame.partition_by("postprocessing", "target", as_dict=True, maintain_order=True)
    return {Rule(name, results.attributes.get(target)): own for (name, target), own in parts.items()}


def optimism(results: Results) -> dict[str, Any] | None:
    """`rules`: by rule, `balanced` accuracy and the followed gap as `Thrice`; `worst`, the rule that its own patients flatter most."""
    d = decide(results)
    gap = followed(results, d)
    told = {}
    for rule, own in rules_of(results, aimed(results, "optimism", d.attribute)).items():
        balanced = _thrice(results, rule, own, OVERALL, BALANCED, "all")
        apart = gap and _thrice(results, rule, own, d.attribute.name, gap.metric, gap.contrast)
        if balanced:
            told[rule] = {"balanced": balanced, "gap": apart}
    if not told:
        return None
    worst = max(told, key=lambda rule: told[rule]["balanced"].optimism.value)
    best = chosen(d)
    ours = next((r for r in told if best and (r.name, r.target) == (best.rule, best.target)), None)
    return {"d": d, "gap": gap, "rules": told, "worst": worst, "ours": ours}


def _thrice(results: Results, rule: Rule, own: pl.DataFrame, attribute: str, metric: str, contrast: str):
    found = own.filter(attribute=attribute, metric=metric, contrast=contrast).drop_nulls(["naive", "cross_fitted"])
    if found.is_empty() or found["estimate"][0] is None:
        return None
    first = found.row(0, named=True)
    deployed = row(
        results,
        "deployed",
        weighting=BASELINE_WEIGHTING,
        postprocessing=rule.name,
        target=rule.target.name if rule.target else NO_TARGET,
        attribute=attribute,
        metric=metric,
        contrast=contrast,
    )
    return Thrice(first["naive"], first["cross_fitted"], estimate(first), estimate(deployed))


def deployed(results: Results) -> dict[str, Any] | None:
    """`rules`: by rule, the followed gap as `Thrice` where the deployed one is known; `spread`: how far apart rules of other such cohorts lie."""
    facts = optimism(results)
    if facts is None or facts["gap"] is None:
        return None
    kept = {rule: own["gap"] for rule, own in facts["rules"].items() if own["gap"] and own["gap"].deployed}
    if not kept:
        return None
    gap = facts["gap"]
    found = aimed(results, "deployed", gap.attribute).filter(
        attribute=gap.attribute.name, metric=gap.metric, contrast=gap.contrast
    )
    return {
        **facts,
        "rules": kept,
        "spread": {rule: own["sd_of_rule"][0] for rule, own in rules_of(results, found).items()},
    }


def thresholds(results: Results) -> dict[str, Any] | None:
    """`rules`: by rule, in each group (mean, smallest, largest) over folds and networks; `widest`, the rule and group where they lie furthest apart."""
    d = decide(results)
    told = {}
    for rule, own in rules_of(results, aimed(results, "thresholds", d.attribute)).items():
        cuts = {r["group"]: (r["threshold"], r["low"], r["high"]) for r in own.to_dicts() if r["threshold"] is not None}
        if "all" in cuts:
            cuts = dict.fromkeys(d.attribute.groups, cuts["all"])
        if cuts:
            told[rule] = cuts
    if not told:
        return None
    rule, group = max(
        ((r, g) for r, cuts in told.items() for g in cuts),
        key=lambda place: told[place[0]][place[1]][2] - told[place[0]][place[1]][1],
    )
    return {"d": d, "rules": told, "widest": rule, "group": group, "range": told[rule][group][1:]}


def wrong_groups(results: Results) -> dict[str, Any] | None:
    """`lines`: by rule, the followed gap by the share of patients whose group is told wrong; `ours`, the rule that is read.

    `back`: under it the gap grows with that share, up to the largest, `most`, and the interval of the change leaves 0 out.
    """
    d = decide(results)
    gap = followed(results, d)
    frame = aimed(results, "group_misclassification", d.attribute)
    if gap is None or frame.is_empty():
        return None
    frame = frame.filter(attribute=d.attribute.name, metric=gap.metric, contrast=gap.contrast).drop_nulls("estimate")
    lines = {
        rule: {r["wrong"]: estimate(r) for r in own.sort("wrong").to_dicts()}
        for rule, own in rules_of(results, frame).items()
    }
    if not lines:
        return None
    best = chosen(d)
    ours = next((r for r in lines if best and (r.name, r.target) == (best.rule, best.target)), None)
    ours = ours or min(lines, key=lambda rule: abs(lines[rule][min(lines[rule])].value))
    moved = frame.filter(postprocessing=ours.name).sort("wrong").row(-1, named=True)
    right, wrong = (lines[ours][share].value for share in (min(lines[ours]), moved["wrong"]))
    sure = moved["change_low"] is not None and (moved["change_low"] > 0 or moved["change_high"] < 0)
    back = sure and main_finding(d) is not None and abs(wrong) > abs(right)
    return {"d": d, "gap": gap, "lines": lines, "ours": ours, "most": moved["wrong"], "back": back}


def relaxation(results: Results) -> dict[str, Any] | None:
    """`curves`: by weighting, points (slack, disparity, balanced accuracy as Estimate), from parity to no constraint."""
    d = decide(results)
    found = rows(results, "relaxation", attribute=d.attribute.name, metric=ODDS)
    if found.is_empty():
        return None
    curves: dict[str, list[tuple[float, float, Estimate]]] = {}
    for r in found.drop_nulls(["estimate", "disparity"]).sort("slack", maintain_order=True).to_dicts():
        curves.setdefault(r["weighting"], []).append((r["slack"], r["disparity"], estimate(r)))
    if BASELINE_WEIGHTING not in curves:
        return None
    return {"d": d, "curves": curves, "tight": curves[BASELINE_WEIGHTING][0], "free": curves[BASELINE_WEIGHTING][-1]}


@dataclass(frozen=True)
class Replaced:
    """What calibrated odds did to a group: the `share` of its scores that became `level`, `called_sick` or not, costs, and its TPR before and after.

    `change` is that of the TPR, with the verdict on it.
    """

    rule: str
    group: str
    share: float
    level: float
    own: float
    dearest: float
    called_sick: bool
    before: float
    after: float
    change: Estimate


def replaced(results: Results) -> dict[str, Any] | None:
    """`shown`: what calibrated odds by the page's attribute did to each group; `most`, where the TPR changed most."""
    d = decide(results)
    told = []
    for r in rows(results, "replaced_scores", weighting=BASELINE_WEIGHTING, target=d.attribute.name).to_dicts():
        method = {key: r[key] for key in ("weighting", "postprocessing", "target")}
        effect = row(
            results, "effects", **method, attribute=d.attribute.name, contrast=r["group"], metric="tpr", unit=PATIENT
        )
        if effect is None or effect["estimate"] is None or r["share"] is None:
            continue
        change = Estimate(effect["estimate"], effect["low"], effect["high"], effect["outcome_verdict"])
        told.append(
            Replaced(
                r["postprocessing"],
                r["group"],
                r["share"],
                r["level"],
                r["own_cost"],
                r["dearest_cost"],
                r["called_sick"] >= 0.5,
                effect["before"],
                effect["before"] + effect["estimate"],
                change,
            )
        )
    if not told:
        return None
    return {"d": d, "shown": tuple(told), "most": max(told, key=lambda own: abs(own.change.value) * (own.share > 0))}
