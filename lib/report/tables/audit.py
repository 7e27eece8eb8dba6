"""Tables of the further questions: demands, intersections, calibration, amplification, strata, probes."""

from typing import Any

import polars as pl
from great_tables import GT

from lib.names import (
    AGGREGATE,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    CALIBRATION,
    DEMANDS,
    ERRORS,
    METRICS,
    NO_TARGET,
    NOT_ESTIMABLE,
    NOT_TOLD,
    SHOWN,
    STANDARDISED,
    SUGGESTED,
    weighting_label,
)
from lib.report import evidence, words
from lib.report.figures.marks import attribute_label, in_order
from lib.report.findings import TOLD, with_minus
from lib.report.tables.cells import bounded, form_of, p_value, share, table
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


def calibration(results: Results, weighting: str = BASELINE_WEIGHTING) -> GT:
    """Calibration of each group's scores: level, slope, debiased error and Brier score, with what was decided."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    forms = {"mean_error": words.points, "slope": _two, "ece": words.number, "brier": words.number}
    for row in in_order(evidence.calibration(results).filter(weighting=weighting)):
        own = rows.setdefault(
            (row["attribute"], row["group"]),
            {"heading": attribute_label(row["attribute"]), "group": row["group"], "verdict": ""},
        )
        own["patients"] = words.count(row["patients"])
        if row["measure"] in forms:
            own[row["measure"]] = bounded(row["value"], row["low"], row["high"], forms[row["measure"]])
        if row["verdict"]:
            parts = [part for part in own["verdict"].split("; ") if part not in ("", NOT_TOLD)]
            decided = row["verdict"] if row["verdict"] != NOT_TOLD or not parts else ""
            own["verdict"] = "; ".join(dict.fromkeys(part for part in (*parts, decided) if part))
    labels = {"patients": "patients"} | {name: CALIBRATION[name] for name in forms} | {"verdict": "verdict"}
    labels["mean_error"] += ", points"
    return table(list(rows.values()), labels, stub="group", heading="heading", right=["patients", *forms])


def amplification(results: Results) -> GT:
    """Differences between groups in the data and in the decisions, their excess, and the bias amplification."""
    rows: list[dict[str, str]] = []
    for attribute in evidence.amplification(results)["attribute"].unique(maintain_order=True):
        own = evidence.amplification(results).filter(**BASELINE, attribute=attribute).to_dicts()
        pairs: dict[str, dict[str, Any]] = {}
        for row in own:
            pairs.setdefault(row["contrast"], {})[row["quantity"]] = row
        for contrast, told in pairs.items():
            heading = {"heading": attribute_label(attribute), "contrast": with_minus(contrast)}
            cells = {name: bounded(r["value"], r["low"], r["high"], words.points) for name, r in told.items()}
            if "amplification" in told:
                cells = {"data": "", "model": "", "excess": cells["amplification"]}
                cells |= {
                    "p": p_value(told["amplification"]["p_adjusted"]),
                    "verdict": told["amplification"]["verdict"],
                }
                heading["contrast"] = "bias amplification"
            rows.append({"p": "", "verdict": "not tested"} | heading | cells)
    labels = {
        "data": "sick, in the data",
        "model": "called sick",
        "excess": "excess",
        "p": "p (adjusted)",
        "verdict": "verdict",
    }
    return table(rows, labels, stub="contrast", heading="heading", right=["data", "model", "excess", "p"])


def simpson(results: Results, split: str = "valid") -> GT:
    """Each difference in aggregate, within strata, and with strata alike, and whether it turns round."""
    keys = ["metric", "attribute", "contrast", "stratifier"]
    questions: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in evidence.plain(results.simpson).filter(split=split).to_dicts():
        questions.setdefault(tuple(row[key] for key in keys), []).append(row)
    rows = []
    for (metric, attribute, contrast, stratifier), own in questions.items():
        told = {row["stratum"]: row for row in own}
        ends = {name: told.pop(name) for name in (AGGREGATE, STANDARDISED)}
        strata = [f"{name}: {words.points(row['value'])}" for name, row in told.items()]
        cells = {name: bounded(row["value"], row["low"], row["high"], words.points) for name, row in ends.items()}
        verdict = {True: "turns round", False: "not shown", None: words.NOT_ESTIMABLE}[own[0]["reversal"]]
        heading = f"{TOLD[metric]}, by {attribute_label(attribute)}"
        question = f"{with_minus(contrast)} within {attribute_label(stratifier)}"
        rows.append(
            {"heading": heading, "question": question, "strata": "; ".join(strata), "reversal": verdict} | cells
        )
    labels = {AGGREGATE: AGGREGATE, "strata": "within strata", STANDARDISED: STANDARDISED, "reversal": "reversal"}
    return table(rows, labels, stub="question", heading="heading", right=[AGGREGATE, STANDARDISED])


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


def shares(results: Results, split: str = "train") -> GT:
    """Share of the images that is of each group: of all, of the sick, of the healthy."""
    frame = evidence.plain(results.shares).filter(split=split).filter(pl.col("other").is_in(["overall", "label"]))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in in_order(frame):
        own = rows.setdefault(
            (row["attribute"], row["group"]), {"heading": attribute_label(row["attribute"]), "group": row["group"]}
        )
        own[row["other_group"]] = bounded(row["value"], row["low"], row["high"], share, missing="no image")
    labels = {"all": "of all, %", "sick": "of the sick, %", "healthy": "of the healthy, %"}
    return table(list(rows.values()), labels, stub="group", heading="heading", right=list(labels))


def visits(results: Results) -> GT:
    """Patients, and their images, by how many images they have."""
    rows: dict[int, dict[str, str]] = {}
    splits = results.visits["split"].unique(maintain_order=True).to_list()
    for row in results.visits.to_dicts():
        least, most = row["least"], row["most"]
        name = f"{least} or more" if most is None else str(least) if least == most else f"{least} to {most}"
        own = rows.setdefault(least, {"images": name})
        own |= {f"{row['split']}_{what}": words.count(row[what]) for what in ("patients", "images")}
    labels = {f"{split}_{what}": what for split in splits for what in ("patients", "images")}
    gt = table(list(rows.values()), labels, stub="images", right=list(labels))
    for split in splits:
        gt = gt.tab_spanner(split, [f"{split}_{what}" for what in ("patients", "images")])
    return gt
