"""What if the score were used otherwise, the seed another, the least sure left to a reader, or labels wrong?"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import OVERALL, Attribute
from lib.report.facts.decision import decide
from lib.report.facts.findings import AS_OTHERS, ERRORS_FIRST, Finding
from lib.report.facts.values import Estimate, estimate, row, rows
from lib.results import Results


def _of(attribute: Attribute) -> pl.Expr:
    return pl.col("attribute").is_in([OVERALL, attribute.name])


def _in_order(found: dict[str, Any], attribute: Attribute) -> dict[str, Any]:
    """Everyone, then the groups in their order."""
    return {group: found[group] for group in ("all", *attribute.groups) if group in found}


def net_benefit(results: Results) -> dict[str, Any] | None:
    """`groups`: by group, everyone (`all`) first, the gain over calling all or nobody, as an Estimate by threshold; `above`: where its interval lies above 0."""
    d = decide(results)
    found = rows(results, "net_benefit", metric="gain")
    if found.is_empty():
        return None
    groups: dict[str, dict[float, Estimate]] = {}
    for r in found.filter(_of(d.attribute), "estimable").drop_nulls("low").sort("threshold").to_dicts():
        groups.setdefault(r["group"], {})[r["threshold"]] = estimate(r)
    if not groups:
        return None
    groups = _in_order(groups, d.attribute)
    above = {g: [cut for cut, own in curve.items() if own.low > 0] for g, curve in groups.items()}
    below = {g: [cut for cut, own in curve.items() if own.high < 0] for g, curve in groups.items()}
    return {"d": d, "groups": groups, "above": above, "below": below}


def seed_decisions(results: Results) -> dict[str, Any] | None:
    """`groups`: by group, everyone first, the chance that two networks disagree, by label (`sick`, `healthy`); `apart`: differences that are seen."""
    d = decide(results)
    found = rows(results, "seed_decisions", metric="disagreement")
    if found.is_empty():
        return None
    found = found.filter(_of(d.attribute), "estimable").drop_nulls("estimate")
    groups: dict[str, dict[str, Estimate]] = {}
    for r in found.filter(pl.col("contrast").is_null()).to_dicts():
        groups.setdefault(r["group"], {})[r["among"]] = estimate(r)
    if "all" not in groups:
        return None
    told = found.filter(pl.col("contrast").is_not_null(), among="all").to_dicts()
    apart = [(r["group"], e) for r in told if (e := estimate(r)).seen]
    return {"d": d, "groups": _in_order(groups, d.attribute), "apart": apart, "networks": int(found["networks"].max())}


def abstention(results: Results) -> dict[str, Any] | None:
    """`rates[metric][group]`: by the share that is referred, of `referred`, `tpr` and `fpr`; `apart`: differences at the largest share, with verdicts."""
    d = decide(results)
    found = rows(results, "abstention")
    if found.is_empty():
        return None
    found = found.filter("estimable", attribute=d.attribute.name).drop_nulls("estimate").sort("share")
    rates: dict[str, dict[str, dict[float, Estimate]]] = {}
    for r in found.filter(pl.col("contrast").is_null()).to_dicts():
        rates.setdefault(r["metric"], {}).setdefault(r["group"], {})[r["share"]] = estimate(r)
    if not {"referred", "tpr", "fpr"} <= rates.keys():
        return None
    rates = {metric: _in_order(own, d.attribute) for metric, own in rates.items()}
    share = 0.2 if 0.2 in found["share"] else found["share"].max()
    told = found.filter(pl.col("contrast").is_not_null())
    apart: dict[str, list[tuple[str, Estimate, Estimate | None]]] = {}
    for r in told.filter(share=share).to_dicts():
        before = told.filter(share=0.0, metric=r["metric"], contrast=r["contrast"]).to_dicts()
        apart.setdefault(r["metric"], []).append((r["group"], estimate(r), estimate(before[0]) if before else None))
    return {"d": d, "rates": rates, "share": share, "apart": apart}


@dataclass(frozen=True)
class Tipping:
    """How many wrong labels of `group` would make the gap of a finding vanish: shares of its healthy (or its sick).

    `alike`: were they called sick as often as the others of their true label; `fewest`: were all of them among the errors. `wrong` and
    `least` are the same in patients. `looks`: the share of the healthy whose scores look like those of the sick.
    """

    finding: Finding
    group: str
    alike: Estimate | None
    wrong: float | None
    fewest: Estimate | None
    least: float | None
    looks: Estimate | None


def label_errors(results: Results) -> dict[str, Any] | None:
    """`shown`: a tipping point for each difference that the report tells."""
    d = decide(results)
    told = []
    for own in d.findings:
        keys = {"attribute": own.attribute.name, "contrast": own.contrast, "metric": own.metric}
        both = [row(results, "label_errors", **keys, reading=reading) for reading in (AS_OTHERS, ERRORS_FIRST)]
        if not all(both) or not any(r["estimable"] for r in both):
            continue
        group = both[0]["group"]
        looks = row(results, "label_mixture", attribute=own.attribute.name, group=group, reading="aligned on the sick")
        alike, fewest = (estimate(r) for r in both)
        told.append(
            Tipping(
                own,
                group,
                alike if alike and alike.value <= 1 else None,
                both[0]["wrong"],
                fewest,
                both[1]["wrong"],
                estimate(looks) if own.error == "alarmed" else None,
            )
        )
    return {"d": d, "shown": tuple(told)} if told else None
