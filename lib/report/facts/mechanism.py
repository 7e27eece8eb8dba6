"""Why there is a gap, link by link, and what weightings and rules do together."""

from typing import Any

import polars as pl

from lib.names import ALTERNATIVE, BASELINE_WEIGHTING, RECOMMENDED
from lib.report.facts import weightings
from lib.report.facts.cohort import data
from lib.report.facts.values import KEYS, RULED, WEIGHTED, rows
from lib.report.registry import sentences
from lib.results import Results


@sentences("mechanism")
def mechanism(results: Results) -> dict[str, Any]:
    """`tie`: that of the attribute with the label; `pixels`: what differs in them by it; `read`: how well the network's last features tell it;
    `lies`: by label, how much higher the first group's scores lie on average; `both`: what crossing does. The rest: `weightings`."""
    told, before = weightings.told(results), data(results)
    d, w = told["d"], told["w"]
    return told | {
        "tie": before["tie"],
        "pixels": before["apart"],
        "read": next((p["auc"] for p in told["probes"] if p["attribute"] == d.attribute and p["reads"]), None),
        "lies": weightings.mean_scores(results, BASELINE_WEIGHTING, d.attribute.name, w.groups) if w else None,
        "both": both(results),
    }


def both(results: Results) -> dict[str, Any] | None:
    """Of `n` methods that alter weights and rule the one that leaves the smallest `gap`, of those that meet what is asked where any does.

    `fits`: it does, and cannot be told from the recommended one; `chosen`: it is that one. None where nothing was crossed.
    """
    crossed = rows(results, "recommendation", WEIGHTED, RULED, pl.col("disparity").is_not_null())
    known = crossed.sort("disparity").to_dicts() if crossed.height else []
    fit = [line for line in known if line["role"] in (RECOMMENDED, ALTERNATIVE)]
    if not known:
        return None
    best = next((line for line in fit if line["role"] == RECOMMENDED), (fit or known)[0])
    names = {"method": tuple(best[key] for key in KEYS), "gap": best["disparity"]}
    return names | {"n": len(known), "fits": bool(fit), "chosen": best["role"] == RECOMMENDED}
