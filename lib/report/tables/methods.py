"""Tables of what methods do: performance, groups, gaps, changes, thresholds."""

import polars as pl
from great_tables import GT

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    METRICS,
    NO_TARGET,
    OVERALL,
    postprocessing_label,
    weighting_label,
)
from lib.report import evidence, words
from lib.report.figures.marks import attribute_label, in_order
from lib.report.focus import aimed, focus, outcome
from lib.report.tables.cells import bounded, form_of, p_value, share, table
from lib.report.words import method_words, outcome_words
from lib.results import Results


def performance(results: Results) -> GT:
    """Balanced accuracy and AUC of each weighting at the fixed threshold, and how far its networks lie apart."""
    frame = evidence.metrics(results).filter(
        postprocessing=BASELINE_POSTPROCESSING, target=NO_TARGET, attribute=OVERALL, group="all"
    )
    rows = []
    for name in frame["weighting"].unique(maintain_order=True):
        own = {row["metric"]: row for row in frame.filter(weighting=name).to_dicts()}
        balanced, ranked = own["balanced_accuracy"], own["auc"]
        rows.append(
            {
                "weighting": weighting_label(name),
                "balanced": bounded(balanced["value"], balanced["low"], balanced["high"], share),
                "balanced_sd": "one seed" if balanced["network_sd"] is None else share(balanced["network_sd"]),
                "auc": bounded(ranked["value"], ranked["low"], ranked["high"], words.number),
                "auc_sd": "one seed" if ranked["network_sd"] is None else words.number(ranked["network_sd"]),
            }
        )
    labels = {
        "balanced": "balanced accuracy, % (95 % interval)",
        "balanced_sd": "SD of seeds",
        "auc": "AUC (95 % interval)",
        "auc_sd": "SD of seeds",
    }
    return table(rows, labels, stub="weighting", right=list(labels))


def groups(
    results: Results,
    weighting: str = BASELINE_WEIGHTING,
    postprocessing: str = BASELINE_POSTPROCESSING,
    target: str = NO_TARGET,
) -> GT:
    """TPR, FPR, balanced accuracy and AUC of each group under one method, with intervals and the number of patients."""
    frame = evidence.metrics(results).filter(weighting=weighting, postprocessing=postprocessing, target=target)
    metrics = [m for m in ("tpr", "fpr", "balanced_accuracy", "auc") if m in set(frame["metric"])]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in in_order(frame.filter(pl.col("metric").is_in(metrics))):
        own = rows.setdefault(
            (row["attribute"], row["group"]), {"heading": attribute_label(row["attribute"]), "group": row["group"]}
        )
        if row["metric"] == "balanced_accuracy":  # the one that is about everyone in the group
            own["patients"] = words.count(row["patients"])
        own[row["metric"]] = bounded(row["value"], row["low"], row["high"], form_of(row["metric"]))
    labels = {"patients": "patients"} | {m: METRICS[m].label + ("" if m == "auc" else ", %") for m in metrics}
    return table(list(rows.values()), labels, stub="group", heading="heading", right=list(labels))


def gaps(
    results: Results,
    weighting: str = BASELINE_WEIGHTING,
    postprocessing: str = BASELINE_POSTPROCESSING,
    target: str = NO_TARGET,
) -> GT:
    """Differences between groups under one method: rates in points, AUC on its own scale, with verdicts."""
    frame = evidence.gaps(results).filter(weighting=weighting, postprocessing=postprocessing, target=target)
    frame = frame.filter(pl.col("metric") != "selection_rate")
    rows = [
        {
            "heading": attribute_label(r["attribute"]),
            "contrast": r["contrast"].replace(" - ", " \N{MINUS SIGN} "),
            "metric": METRICS[r["metric"]].label,
            "value": bounded(r["value"], r["low"], r["high"], lambda v, m=r["metric"]: words.difference(m, v)),
            "p": p_value(r["p_adjusted"]),
            "verdict": r["verdict"] or "not tested",
        }
        for r in frame.to_dicts()
    ]
    labels = {"metric": "metric", "value": "difference (95 % interval)", "p": "p (adjusted)", "verdict": "verdict"}
    return table(rows, labels, stub="contrast", heading="heading", right=["value", "p"])


def changes(results: Results, kind: str = "weighting") -> GT:
    """Changes against the untouched baseline of balanced accuracy and of gaps, by methods that alter one thing only.

    `kind` is "weighting" (decisions at 0.5) or "post-processing" (networks with uniform weights).
    """
    fixed = {"postprocessing": BASELINE_POSTPROCESSING} if kind == "weighting" else {"weighting": BASELINE_WEIGHTING}
    rows = [
        {
            "heading": words.sentence(method_words(r)),
            "outcome": outcome_words(r["attribute"], r["metric"]),
            "change": bounded(r["change"], r["low"], r["high"], words.points),
            "p": p_value(r["p_adjusted"]),
            "verdict": r["verdict"],
        }
        for r in evidence.changes(results).filter(**fixed).filter(outcome()).to_dicts()
    ]
    labels = {"change": "change, points (95 % interval)", "p": "p (adjusted)", "verdict": "verdict"}
    return table(rows, labels, stub="outcome", heading="heading", right=["change", "p"])


def thresholds(results: Results, weighting: str = BASELINE_WEIGHTING, attribute: str | None = None) -> GT:
    """Fitted thresholds of each group: mean, smallest and largest over folds and networks, and how often fitted.

    Of the rules that act on no attribute or on `attribute`, by default the one of interest; randomised rules have no
    threshold of their own.
    """
    frame = results.thresholds.filter(aimed(attribute or focus(results)), weighting=weighting).filter(
        pl.col("postprocessing") != BASELINE_POSTPROCESSING
    )
    whole = bool((frame["fitted"] == 1).all())  # a column that says one thing is none
    rows = [
        {
            "heading": words.sentence(postprocessing_label(r["postprocessing"], r["target"])),
            "group": "everyone" if r["group"] == "all" else r["group"],
            "threshold": words.number(r["threshold"], 2),
            "range": f"{words.number(r['low'], 2)} to {words.number(r['high'], 2)}",
            **({} if whole else {"fitted": words.percent(r["fitted"], 0)}),
        }
        for r in frame.to_dicts()
    ]
    labels = {"threshold": "mean threshold", "range": "smallest to largest"}
    labels |= {} if whole else {"fitted": "fitted on the group's own"}
    return table(rows, labels, stub="group", heading="heading", right=list(labels))
