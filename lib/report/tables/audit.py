"""Tables of the further questions: demands, intersections, calibration, amplification, strata, probes."""

import polars as pl
from great_tables import GT

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    DEMANDS,
    ERRORS,
    METRICS,
    NO_TARGET,
    NOT_ESTIMABLE,
    SHOWN,
    SUGGESTED,
    weighting_label,
)
from lib.report import evidence, words
from lib.report.figures.marks import attribute_label
from lib.report.tables.cells import bounded, form_of, share, table
from lib.results import Results

BASELINE = {"weighting": BASELINE_WEIGHTING, "postprocessing": BASELINE_POSTPROCESSING, "target": NO_TARGET}


def _two(value: float | None) -> str:
    return words.number(value, 2)


def _thousand(value: float | None) -> str:
    return words.count(round(1000 * value)) if value is not None else words.NOT_ESTIMABLE


def parity(results: Results) -> GT:
    """Each demand of fairness as one figure, by attribute, and the group that fares worst, under the baseline."""
    rows = []
    for row in evidence.plain(results.parity).filter(**BASELINE).to_dicts():
        metric = row["measure"].removeprefix("worst_")
        name = DEMANDS.get(row["measure"]) or f"worst {METRICS[metric].label}"
        form = share
        if row["measure"].endswith("ratio"):
            form, name = _two, f"{name}, 1 is alike"
        elif row["measure"] in DEMANDS:
            name = f"{name}, points"
        elif metric == "missed":
            form, name = _thousand, "most sick patients missed, of 1,000 patients"
        else:
            form = form_of(metric)
            name += "" if metric == "auc" else ", %"
        rows.append(
            {
                "heading": attribute_label(row["attribute"]),
                "measure": name,
                "group": row["group"] or ("all" if row["estimable"] else words.NOT_ESTIMABLE),
                "value": form(row["value"]),
            }
        )
    labels = {"group": "group", "value": "value"}
    return table(rows, labels, stub="measure", heading="heading", right=["value"])


def intersections(results: Results) -> GT:
    """TPR and FPR of the crossings of two attributes that are shown or suggested to differ from everyone, and how many are not."""
    own = results.intersections.filter(pl.col("metric").is_in(ERRORS), **BASELINE)
    kept = own.filter(pl.col("verdict").is_in([SHOWN, SUGGESTED]))
    rows = [
        {
            "heading": words.attribute_words(row["attribute"]),
            "group": row["group"],
            "metric": METRICS[row["metric"]].label,
            "patients": words.count(row["patients"]),
            "level": bounded(row["level"], row["level_low"], row["level_high"], share),
            "apart": words.points(row["estimate"]),
            "verdict": row["verdict"],
        }
        for row in kept.to_dicts()
    ]
    labels = {"metric": "rate", "patients": "patients", "level": "level, %", "apart": "against everyone, points"}
    labels |= {"verdict": "that it differs"}
    shown = table(rows, labels, stub="group", heading="heading", right=["patients", "level", "apart"])
    small = own.filter(~pl.col("estimable")).height
    rest = own.height - kept.height - small
    if not own.height:
        return shown
    return shown.tab_source_note(
        f"Not listed: {words.counted(rest, 'rate')} of crossings that cannot be told from everyone's"
        + (f", {words.few(small)} {NOT_ESTIMABLE}." if small else ".")
    )


def probes(results: Results) -> GT:
    """AUC of linear probes of the last features for the label and for each attribute."""
    rows = []
    for row in evidence.plain(results.probes).to_dicts():
        name = "label (sick)" if row["attribute"] == "label" else attribute_label(row["attribute"])
        rows.append(
            {
                "heading": weighting_label(row["weighting"]),
                "name": name if row["group"] == "all" else f"{name}: {row['group']} from the others",
                "auc": bounded(row["value"], row["low"], row["high"], words.number),
                "sd": "one seed" if row["estimable"] and row["network_sd"] is None else words.number(row["network_sd"]),
                "patients": words.count(row["patients"]),
            }
        )
    labels = {"auc": "AUC of the probe (95 % interval)", "sd": "SD of seeds", "patients": "patients"}
    return table(rows, labels, stub="name", heading="heading", right=list(labels))
