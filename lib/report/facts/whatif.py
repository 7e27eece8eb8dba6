"""What if the score were used otherwise, the seed another, the least sure left to a reader, or labels wrong?"""

from typing import Any

import polars as pl

from lib.names import OVERALL, Attribute
from lib.report.facts.decision import decide
from lib.report.facts.values import BETWEEN, KNOWN, Estimate, figures, rows
from lib.results import Results


def _by_group(by_place: dict[tuple[str, Any], Estimate], attribute: Attribute) -> dict[str, dict[Any, Estimate]]:
    """Figures by group and another key, everyone first, then the groups in their order."""
    order = [group for group in ("all", *attribute.groups) if any(key[0] == group for key in by_place)]
    return {group: {key[1]: value for key, value in by_place.items() if key[0] == group} for group in order}


def net_benefit(results: Results) -> dict[str, Any] | None:
    """`groups`: by group, everyone (`all`) first, the gain over calling all or nobody, as an Estimate by threshold; `above`: where its interval lies above 0."""
    d = decide(results)
    about = pl.col("attribute").is_in([OVERALL, d.attribute.name])
    gains = rows(results, "net_benefit", about, "estimable", pl.col("low").is_not_null(), metric="gain")
    groups = _by_group(
        dict(sorted(figures(gains, "group", "threshold").items(), key=lambda place: place[0][1])), d.attribute
    )
    above = {group: [cut for cut, gain in curve.items() if gain.low > 0] for group, curve in groups.items()}
    below = {group: [cut for cut, gain in curve.items() if gain.high < 0] for group, curve in groups.items()}
    return {"d": d, "groups": groups, "above": above, "below": below} if groups else None


def seed_decisions(results: Results) -> dict[str, Any] | None:
    """`groups`: by group, everyone first, the chance that two networks disagree, by label (`sick`, `healthy`); `apart`: differences that are seen."""
    d = decide(results)
    about = pl.col("attribute").is_in([OVERALL, d.attribute.name])
    frame = rows(results, "seed_decisions", about, "estimable", metric="disagreement")
    if frame.is_empty():
        return None
    groups = _by_group(figures(frame.filter(~BETWEEN), "group", "among"), d.attribute)
    if "all" not in groups:
        return None
    differences = figures(frame.filter(BETWEEN, among="all"), "group")
    apart = [(group, difference) for group, difference in differences.items() if difference.seen]
    return {"d": d, "groups": groups, "apart": apart, "networks": int(frame["networks"].max())}


def abstention(results: Results) -> dict[str, Any] | None:
    """`rates[metric][group]`: by the share that is referred, of `referred`, `tpr` and `fpr`; `apart`: differences at the largest share, with verdicts."""
    d = decide(results)
    frame = rows(results, "abstention", "estimable", KNOWN, attribute=d.attribute.name)
    if frame.is_empty():
        return None
    frame = frame.sort("share")
    levels = frame.filter(~BETWEEN)
    rates = {
        metric: _by_group(figures(levels.filter(metric=metric), "group", "share"), d.attribute)
        for metric in levels["metric"].unique(maintain_order=True)
    }
    if not {"referred", "tpr", "fpr"} <= rates.keys():
        return None
    share = 0.2 if 0.2 in frame["share"] else frame["share"].max()
    apart: dict[str, list[tuple[str, Estimate, Estimate | None]]] = {}
    differences = figures(frame.filter(BETWEEN), "share", "metric", "group")
    for (at, metric, group), difference in differences.items():
        if at == share:
            apart.setdefault(metric, []).append((group, difference, differences.get((0.0, metric, group))))
    return {"d": d, "rates": rates, "share": share, "apart": apart}


def label_errors(results: Results) -> dict[str, Any] | None:
    """`shown`: the findings of which it is known how many wrong labels would make them vanish (`Finding.blind`)."""
    shown = [finding for finding in decide(results).findings if finding.blind]
    return {"shown": shown} if shown else None
