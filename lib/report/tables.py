"""Tables of the report: results in, one great-tables table out.

Every cell is text made by `words`, so that a number reads alike in tables and in sentences; great-tables escapes it.
Rates are in percent and differences in points, as the headings say; what has no value is "not estimable", never 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from great_tables import GT

from lib.names import (
    ATTRIBUTES,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    MAX_MIN,
    METRICS,
    NO_TARGET,
    NOT_ESTIMABLE,
    OVERALL,
    postprocessing_label,
    weighting_label,
)
from lib.report import words
from lib.report.figures.changes import DECIDED, ERRORS, method_words, outcome_words
from lib.report.figures.marks import attribute_label, in_order
from lib.results import Results

METHOD = ["weighting", "postprocessing", "target"]
SMALL_SHARE = 0.5
"""Kish effective share under which a weighting rests on few images."""
COMBINED = 5
"""Combinations of a weighting with a post-processing that the table of candidates names at most."""


def checks(results: Results) -> GT:
    """What was looked for in the folder and the CSV, how often it was found, and what was done."""
    rows = [
        {"check": r["check"], "rows": words.count(r["rows"]), "action": r["action"]} for r in results.checks.to_dicts()
    ]
    return _table(rows, {"check": "looked for", "rows": "found", "action": "what was done"}, right=["rows"])


def composition(results: Results) -> GT:
    """Images, patients and share of sick images of each group, in train and in valid."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in in_order(results.composition):
        own = rows.setdefault(
            (row["attribute"], row["group"]), {"heading": attribute_label(row["attribute"]), "group": row["group"]}
        )
        own |= {
            f"{row['split']}_images": words.count(row["images"]),
            f"{row['split']}_patients": words.count(row["patients"]),
            f"{row['split']}_sick": _bounded(row["prevalence"], row["low"], row["high"], _share, missing="no image"),
        }
    splits = results.composition["split"].unique(maintain_order=True).to_list()
    labels = {
        f"{split}_{what}": "sick, %" if what == "sick" else what
        for split in splits
        for what in ("images", "patients", "sick")
    }
    gt = _table(list(rows.values()), labels, stub="group", heading="heading", right=list(labels))
    for split in splits:
        gt = gt.tab_spanner(split, [f"{split}_{what}" for what in ("images", "patients", "sick")])
    return gt


def pairs(results: Results, split: str = "train") -> GT:
    """Images, patients and share of sick in each crossing of two attributes."""
    rows = [
        {
            "heading": f"{attribute_label(r['attribute'])} and {attribute_label(r['other'])}",
            "cell": f"{r['group']}, {r['other_group']}",
            "images": words.count(r["images"]),
            "patients": words.count(r["patients"]),
            "sick": _share(r["sick"] / r["images"]) if r["images"] else "no image",
        }
        for r in results.pairs.filter(split=split).to_dicts()
    ]
    labels = {"images": "images", "patients": "patients", "sick": "sick, %"}
    return _table(rows, labels, stub="cell", heading="heading", right=list(labels))


def weightings(results: Results) -> GT:
    """Effective share of the images, range of the mean weights, and what is worth knowing of each weighting."""
    shares = dict(results.runs.group_by("weighting", maintain_order=True).agg(pl.col("effective_share").mean()).rows())
    rows = []
    for name, share in shares.items():
        cells = results.weights.filter(weighting=name)["weight"].drop_nulls()
        low, high = (words.number(value, 2) for value in (cells.min(), cells.max()))
        rows.append(
            {
                "weighting": weighting_label(name),
                "share": _share(share),
                "range": f"{low} to {high}" if len(cells) else "unknown",
                "note": _weighting_note(results, name, share, list(shares)),
            }
        )
    labels = {"share": "effective share of images, %", "range": "mean weights of groups", "note": "note"}
    return _table(rows, labels, stub="weighting", right=["share", "range"])


def _weighting_note(results: Results, name: str, share: float | None, names: Sequence[str]) -> str:
    own = results.weights.filter(weighting=name).sort("attribute", "group", "label")
    notes = []
    for other in names[: names.index(name)]:
        theirs = results.weights.filter(weighting=other).sort("attribute", "group", "label")
        apart = (own["weight"] - theirs["weight"]).abs().max() if own.height == theirs.height else 1.0
        if own.height and (apart is None or apart < 0.005):
            notes.append(f"here the same in every group as {weighting_label(other)}")
    if share is not None and share < SMALL_SHARE:
        notes.append("few images carry most of the weight")
    return words.sentence("; ".join(notes))


def performance(results: Results) -> GT:
    """Balanced accuracy and AUC of each weighting at the fixed threshold, and how far its networks lie apart."""
    frame = results.metrics.filter(
        postprocessing=BASELINE_POSTPROCESSING, target=NO_TARGET, attribute=OVERALL, group="all"
    )
    rows = []
    for name in frame["weighting"].unique(maintain_order=True):
        own = {row["metric"]: row for row in frame.filter(weighting=name).to_dicts()}
        balanced, ranked = own["balanced_accuracy"], own["auc"]
        rows.append(
            {
                "weighting": weighting_label(name),
                "balanced": _bounded(balanced["value"], balanced["low"], balanced["high"], _share),
                "balanced_sd": "one seed" if balanced["seed_sd"] is None else _share(balanced["seed_sd"]),
                "auc": _bounded(ranked["value"], ranked["low"], ranked["high"], words.number),
                "auc_sd": "one seed" if ranked["seed_sd"] is None else words.number(ranked["seed_sd"]),
            }
        )
    labels = {
        "balanced": "balanced accuracy, % (95 % interval)",
        "balanced_sd": "SD of seeds",
        "auc": "AUC (95 % interval)",
        "auc_sd": "SD of seeds ",
    }
    return _table(rows, labels, stub="weighting", right=list(labels))


def groups(
    results: Results,
    weighting: str = BASELINE_WEIGHTING,
    postprocessing: str = BASELINE_POSTPROCESSING,
    target: str = NO_TARGET,
) -> GT:
    """TPR, FPR, balanced accuracy and AUC of each group under one method, with intervals and the number of patients."""
    frame = results.metrics.filter(weighting=weighting, postprocessing=postprocessing, target=target)
    metrics = [m for m in ("tpr", "fpr", "balanced_accuracy", "auc") if m in set(frame["metric"])]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in in_order(frame.filter(pl.col("metric").is_in(metrics))):
        own = rows.setdefault(
            (row["attribute"], row["group"]), {"heading": attribute_label(row["attribute"]), "group": row["group"]}
        )
        if row["metric"] == "balanced_accuracy":  # the one that is about everyone in the group
            own["patients"] = words.count(row["patients"])
        own[row["metric"]] = _bounded(row["value"], row["low"], row["high"], _form(row["metric"]))
    labels = {"patients": "patients"} | {m: METRICS[m].label + ("" if m == "auc" else ", %") for m in metrics}
    return _table(list(rows.values()), labels, stub="group", heading="heading", right=list(labels))


def gaps(
    results: Results,
    weighting: str = BASELINE_WEIGHTING,
    postprocessing: str = BASELINE_POSTPROCESSING,
    target: str = NO_TARGET,
) -> GT:
    """Differences between groups under one method: rates in points, AUC on its own scale, with verdicts."""
    frame = results.gaps.filter(weighting=weighting, postprocessing=postprocessing, target=target)
    frame = frame.filter(pl.col("metric") != "selection_rate")
    rows = [
        {
            "heading": attribute_label(r["attribute"]),
            "contrast": r["contrast"].replace(" - ", " \N{MINUS SIGN} "),
            "metric": METRICS[r["metric"]].label,
            "value": _bounded(r["value"], r["low"], r["high"], lambda v, m=r["metric"]: words.difference(m, v)),
            "p": _p(r["p_holm"]),
            "verdict": r["verdict"] or "not tested",
        }
        for r in frame.to_dicts()
    ]
    labels = {"metric": "metric", "value": "difference (95 % interval)", "p": "p (Holm)", "verdict": "verdict"}
    return _table(rows, labels, stub="contrast", heading="heading", right=["value", "p"])


def changes(results: Results, kind: str = "weighting") -> GT:
    """Changes against the untouched baseline of balanced accuracy and of gaps, by methods that alter one thing only.

    `kind` is "weighting" (decisions at 0.5) or "post-processing" (networks with uniform weights).
    """
    fixed = {"postprocessing": BASELINE_POSTPROCESSING} if kind == "weighting" else {"weighting": BASELINE_WEIGHTING}
    rows = [
        {
            "heading": words.sentence(method_words(r)),
            "outcome": outcome_words(r["attribute"], r["metric"]),
            "change": _bounded(r["change"], r["low"], r["high"], words.points),
            "p": _p(r["p_holm"]),
            "verdict": r["verdict"],
        }
        for r in results.changes.filter(**fixed).filter(_outcome()).to_dicts()
    ]
    labels = {"change": "change, points (95 % interval)", "p": "p (Holm)", "verdict": "verdict"}
    return _table(rows, labels, stub="outcome", heading="heading", right=["change", "p"])


def thresholds(results: Results, weighting: str = BASELINE_WEIGHTING) -> GT:
    """Fitted thresholds of each group: mean, smallest and largest over folds and networks, and how often fitted."""
    frame = results.thresholds.filter(weighting=weighting).filter(pl.col("postprocessing") != BASELINE_POSTPROCESSING)
    rows = [
        {
            "heading": words.sentence(postprocessing_label(r["postprocessing"], r["target"])),
            "group": "everyone" if r["target"] == NO_TARGET else r["group"],
            "threshold": words.number(r["threshold"], 2),
            "range": f"{words.number(r['low'], 2)} to {words.number(r['high'], 2)}",
            "fitted": words.percent(r["fitted"], 0),
        }
        for r in frame.to_dicts()
    ]
    labels = {"threshold": "mean threshold", "range": "smallest to largest", "fitted": "fitted on the group's own"}
    return _table(rows, labels, stub="group", heading="heading", right=list(labels))


def decision(results: Results) -> GT:
    """Candidates: what each must know when deciding, its balanced accuracy, and the changes that stand out from noise."""
    rows = [_candidate(results, method) for method in _candidates(results)]
    labels = {
        "known": "must know when deciding",
        "balanced": "balanced accuracy, %",
        "change": "change, points",
        "better": "gaps narrowed beyond noise",
        "worse": "gaps widened beyond noise",
    }
    return _table(rows, labels, stub="method", right=["balanced", "change"])


def _candidates(results: Results) -> list[dict[str, str]]:
    """The baseline, every method that alters one thing, and the combinations that narrow a gap most, if proven."""
    methods = results.metrics.select(METHOD).unique(maintain_order=True)
    alone = (pl.col("weighting") == BASELINE_WEIGHTING) | (pl.col("postprocessing") == BASELINE_POSTPROCESSING)
    narrowed = results.changes.filter(
        _outcome(), ~alone, pl.col("contrast") == MAX_MIN, pl.col("verdict") == "improves"
    )
    best = narrowed.sort("change").unique(METHOD, keep="first", maintain_order=True).head(COMBINED)
    return methods.filter(alone).to_dicts() + best.select(METHOD).to_dicts()


def _candidate(results: Results, method: dict[str, str]) -> dict[str, str]:
    own = results.metrics.filter(**method, attribute=OVERALL, metric="balanced_accuracy").row(0, named=True)
    changed = results.changes.filter(**method).filter(_outcome())
    price = changed.filter(attribute=OVERALL).to_dicts()
    gaps_changed = {
        verdict: [
            f"{outcome_words(r['attribute'], r['metric'])} ({words.points(r['change'])})"
            for r in changed.filter(contrast=MAX_MIN, verdict=verdict).to_dicts()
        ]
        for verdict in DECIDED
    }
    return {
        "method": words.sentence(method_words(method)),
        "known": _known(method),
        "balanced": _bounded(own["value"], own["low"], own["high"], _share),
        "change": _with_verdict(price[0]) if price else "baseline",
        "better": "; ".join(gaps_changed["improves"]) or "none",
        "worse": "; ".join(gaps_changed["worsens"]) or "none",
    }


def _known(method: dict[str, str]) -> str:
    target = method["target"]
    if target == NO_TARGET:
        return "the image only"
    if target not in ATTRIBUTES:
        return target
    return f"{ATTRIBUTES[target].label}, {'of the patient' if ATTRIBUTES[target].of_patient else 'of the image'}"


def _with_verdict(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return NOT_ESTIMABLE
    return words.points(row["change"]) + (f", {row['verdict']}" if row["verdict"] in DECIDED else ", within noise")


def runs(results: Results) -> GT:
    """Every trained network."""
    rows = [
        {
            "heading": weighting_label(r["weighting"]),
            "seed": f"seed {r['seed']}",
            "epochs": f"{_known_number(r['best_epoch'])} of {_known_number(r['epochs'])}",
            "time": "unknown" if r["seconds"] is None else words.duration(r["seconds"]),
            "tune": words.number(r["tune_auc"]),
            "auc": words.number(r["auc"]),
            "balanced": _share(r["balanced_accuracy"]),
        }
        for r in results.runs.to_dicts()
    ]
    labels = {
        "epochs": "epoch kept",
        "time": "time",
        "tune": "AUC, tuning",
        "auc": "AUC, valid",
        "balanced": "balanced accuracy, valid, %",
    }
    return _table(rows, labels, stub="seed", heading="heading", right=list(labels))


def settings(results: Results) -> GT:
    """Settings, hardware, versions and durations of the study, as the manifest has them."""
    manifest = results.manifest
    sections = {
        "training": manifest["settings"]["training"],
        "audit": manifest["settings"]["audit"],
        "hardware": manifest.get("hardware", {}),
        "versions": manifest.get("versions", {}),
    }
    sections["durations"] = {name: words.duration(value) for name, value in manifest.get("durations", {}).items()}
    rows = [
        {"heading": section, "name": name.replace("_", " "), "value": _plain(value)}
        for section, entries in sections.items()
        for name, value in entries.items()
    ]
    return _table(rows, {"value": ""}, stub="name", heading="heading")


def _table(
    rows: Sequence[Mapping[str, str]],
    labels: Mapping[str, str],
    *,
    stub: str | None = None,
    heading: str | None = None,
    right: Sequence[str] = (),
) -> GT:
    """Text cells under `labels`, the row names in `stub`, rows gathered under `heading`, numbers to the right."""
    columns = [column for column in (heading, stub, *labels) if column]
    frame = pl.DataFrame(
        [[row.get(column, NOT_ESTIMABLE) for column in columns] for row in rows],
        schema={column: pl.String for column in columns},
        orient="row",
    )
    gt = GT(frame, rowname_col=stub, groupname_col=heading).cols_label(dict(labels))
    left = [column for column in labels if column not in right]
    gt = gt.cols_align("right", list(right)) if right else gt
    gt = gt.cols_align("left", left) if left else gt
    return gt if rows else gt.tab_source_note("Nothing to list.")


def _outcome() -> pl.Expr:
    """Balanced accuracy of everyone and the gaps in error rates."""
    balanced = (pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy")
    return balanced | ((pl.col("contrast") == MAX_MIN) & pl.col("metric").is_in(ERRORS))


def _share(value: float | None) -> str:
    return NOT_ESTIMABLE if value is None else words.number(100 * value, 1)


def _form(metric: str) -> Any:
    return words.number if metric == "auc" else _share


def _bounded(
    value: float | None, low: float | None, high: float | None, form: Any, *, missing: str = NOT_ESTIMABLE
) -> str:
    if value is None:
        return missing
    return form(value) if low is None or high is None else f"{form(value)} ({form(low)} to {form(high)})"


def _p(value: float | None) -> str:
    if value is None:
        return "none"
    return "< 0.001" if value < 0.001 else words.number(value)


def _known_number(value: int | None) -> str:
    return "unknown" if value is None else words.count(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_plain(own)}" for name, own in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(own) for own in value)
    return words.count(value) if isinstance(value, int) else str(value)
