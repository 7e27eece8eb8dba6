"""What the chapter on post-processing says in its own sentences."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    ERRORS,
    NO_TARGET,
    PATIENT,
    SHOWN,
    SUGGESTED,
    WIDENED,
    Attribute,
)
from lib.report.facts.decision import Decision, decide
from lib.report.facts.findings import UNTREATED
from lib.report.facts.options import Option
from lib.report.facts.rules import Gap, aimed, chosen, followed, main_finding, rules_of
from lib.report.facts.values import Estimate, estimate, rows
from lib.results import Results


@dataclass(frozen=True)
class Chance:
    """A group in which the scores are not told from chance: a cut-off fitted there is fitted to noise."""

    group: str
    auc: Estimate


def adjusting(results: Results) -> dict[str, Any]:
    """What the chapter's own sentences are told.

    `main`: the first finding by the page's attribute; `option`: the best threshold rule; `tried`: names of the study's rules; `widen`: rules by the attribute that are shown or suggested to widen
    one of its gaps; `down`: those that narrow one by levelling down only; `chance`: groups without a signal; `signal`: how many have one;
    `put_to_use`: the followed gap under that rule, fitted once; `visible`: the change of the followed gap that four of five such studies would see, of the middle one of the rules.
    """
    d = decide(results)
    gap = followed(results, d)
    frame = aimed(results, "effects", d.attribute)
    if frame.height:
        frame = frame.filter(pl.col("metric").is_in(ERRORS), attribute=d.attribute.name, unit=PATIENT)
        frame = frame.filter(pl.col("contrast").is_in(list(d.attribute.contrasts)))
    wide = {
        verdict: tuple(rules_of(results, frame.filter(outcome=WIDENED, outcome_verdict=verdict)))
        if frame.height
        else ()
        for verdict in (SHOWN, SUGGESTED)
    }
    visible = None
    if gap and frame.height:
        visible = frame.filter(metric=gap.metric, contrast=gap.contrast)["detectable"].median()
    tried = rows(results, "metrics", weighting=BASELINE_WEIGHTING)
    names = tried["postprocessing"].unique(maintain_order=True).to_list() if tried.height else []
    return {
        "d": d,
        "gap": gap,
        "main": main_finding(d),
        "option": chosen(d),
        "tried": [name for name in names if name != BASELINE_POSTPROCESSING],
        "widen": wide[SHOWN],
        "may_widen": tuple(r for r in wide[SUGGESTED] if r not in wide[SHOWN]),
        "chance": _chance(results, d.attribute)[0],
        "signal": _chance(results, d.attribute)[1],
        "visible": visible,
        "put_to_use": _put_to_use(results, chosen(d), gap),
        "demographic": tuple(a for a in results.attributes.values() if a.of_patient),
        "acquired": tuple(a for a in results.attributes.values() if not a.of_patient),
        "higher": _higher(d),
    }


def _put_to_use(results: Results, option: Option | None, gap: Gap | None) -> Estimate | None:
    """The followed gap under the best threshold rule, fitted once and used on new patients."""
    if option is None or option.weighting or gap is None:
        return None
    found = aimed(results, "deployed", gap.attribute)
    if found.is_empty():
        return None
    target = option.target.name if option.target else NO_TARGET
    own = found.filter(
        postprocessing=option.rule,
        target=target,
        attribute=gap.attribute.name,
        metric=gap.metric,
        contrast=gap.contrast,
    ).to_dicts()
    return estimate(own[0]) if own else None


def _chance(results: Results, attribute: Attribute) -> tuple[tuple[Chance, ...], int]:
    """Groups in which scores are not told to be better than chance, and the number of those in which they are."""
    found = rows(results, "metrics", attribute=attribute.name, metric="auc", unit=PATIENT, **UNTREATED)
    if found.is_empty():
        return (), 0
    known = found.filter("estimable").drop_nulls("low")
    flat = known.filter(pl.col("low") <= 0.5)
    told = tuple(Chance(r["group"], Estimate(r["estimate"], r["low"], r["high"])) for r in flat.to_dicts())
    return told, known.height - flat.height


def _higher(d: Decision) -> str | None:
    """The group that is alarmed more and missed less than another, both shown: its scores lie higher, of the sick and of the healthy."""
    main = main_finding(d)
    if main is None:
        return None
    sure = {
        own.error: own
        for own in d.findings
        if own.sure and (own.attribute, own.contrast) == (d.attribute, main.contrast)
    }
    if len(sure) < 2 or sure["missed"].better != sure["alarmed"].worse:
        return None
    return sure["alarmed"].worse
