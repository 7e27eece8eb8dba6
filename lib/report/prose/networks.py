"""Sentences on the networks themselves: which failed or are odd beside the others, and what is told without them."""

import polars as pl

from lib.names import BASELINE_WEIGHTING, METRICS, OVERALL, weighting_label
from lib.report.words import Words, attribute_words, count, few, listed, percent, points, sentence, spelled
from lib.results import Results

PATIENT = "patient"
WHY = {
    "tune_auc": "{} under {}, seed {}, has an AUC of {} on its tuning patients, where {} is usual",
    "first_epoch": "{} under {}, seed {}, was kept at epoch {}, the others at epoch {} as a rule",
}
MIXED = {
    "precision": "in another precision than the others",
    "device": "on another device",
    "seconds": "in a time far from that of the others",
}


def odd_networks(study: Results) -> Words:
    """Which networks failed, what their weighting's figures are without them, and what else was mixed in one study."""
    odd, total = study.odd_networks, study.runs.height
    failed = odd.filter("failed")
    parts = []
    if failed.is_empty():
        parts.append(
            "No network failed: none lies far under the others on its tuning patients or stopped learning at once."
        )
    else:
        reasons = [
            WHY[row["reason"]].format("the network", f"*{weighting_label(row['weighting'])}*", *_told(row))
            for row in failed.to_dicts()
        ]
        networks = failed.select("weighting", "seed").unique().height
        parts.append(f"{sentence(spelled(networks, 'network'))} of {count(total)} failed: {'; '.join(reasons)}.")
        parts += [_without(study, name) for name in failed["weighting"].unique(maintain_order=True)]
    for reason, words in MIXED.items():
        if number := odd.filter(reason=reason).height:
            parts.append(
                f"{sentence(spelled(number, 'network'))} of {count(total)} {'was' if number == 1 else 'were'} trained {words}."
            )
    return Words(" ".join(parts))


def _told(row: dict) -> tuple[str, str, str]:
    return str(row["seed"]), row["found"].split(" of ")[0], row["usual"]


def _without(study: Results, weighting: str) -> str:
    """The weighting's balanced accuracy and the gap that changes most, with and without its failed networks."""
    rows = study.without_failed.filter(weighting=weighting, by=PATIENT).drop_nulls(["value", "value_without"])
    if rows.is_empty():
        return "No network of that weighting is left to compare with."
    own = "the baseline" if weighting == BASELINE_WEIGHTING else f"*{weighting_label(weighting)}*"
    parts = []
    for row in rows.filter(attribute=OVERALL).to_dicts():
        parts.append(
            f"the mean balanced accuracy (by patient) is {percent(row['value_without'])} instead of {percent(row['value'])}"
            + _spread(row)
        )
    gaps = rows.filter(pl.col("attribute") != OVERALL)
    if gaps.height:
        row = gaps.sort((pl.col("value") - pl.col("value_without")).abs(), descending=True).row(0, named=True)
        parts.append(
            f"the difference that changes most is {METRICS[row['metric']].label} by {attribute_words(row['attribute'])}, "
            f"{row['contrast'].replace(' - ', ' − ')}: {points(row['value_without'])} points instead of {points(row['value'])}"
        )
    left = rows["networks_without"][0]
    return f"Without it, over the {few(left)} other{'s' * (left > 1)} of {own}, {listed(parts)}."


def _spread(row: dict) -> str:
    if row["seed_sd"] is None or row["seed_sd_without"] is None:
        return ""
    sizes = points(row["seed_sd_without"]).lstrip("+"), points(row["seed_sd"]).lstrip("+")
    return f", and networks differ by {sizes[0]} points (SD) instead of {sizes[1]}"
