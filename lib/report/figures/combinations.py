"""Every weighting crossed with every post-processing: its gap, its balanced accuracy, and the verdicts of both."""

import polars as pl

from lib.names import OVERALL
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.figures.marks import METHOD
from lib.report.words import outcome_words
from lib.results import Results


def combinations(results: Results, metric: str, attribute: str) -> pl.DataFrame:
    """One row per weighting, post-processing and target: `gap` and `balanced` with bounds, and the verdicts of both."""
    bounds = {"value": "{}", "low": "{}_low", "high": "{}_high"}
    gap = evidence.gaps(results).filter(metric=metric, attribute=attribute, contrast=WIDEST)
    balanced = evidence.metrics(results).filter(metric="balanced_accuracy", attribute=OVERALL)
    parts = [
        frame.select(*METHOD, *(pl.col(column).alias(name.format(what)) for column, name in bounds.items()))
        for frame, what in ((balanced, "balanced"), (gap, "gap"))
    ]
    changes = evidence.changes(results)
    verdicts = [
        changes.filter(metric=metric, attribute=attribute, contrast=WIDEST).select(*METHOD, gap_verdict="verdict"),
        changes.filter(metric="balanced_accuracy", attribute=OVERALL).select(*METHOD, balanced_verdict="verdict"),
    ]
    joined = parts[0]
    for other in (parts[1], *verdicts):
        joined = joined.join(other, on=METHOD, how="left", maintain_order="left")
    return joined


def combinations_finding(frame: pl.DataFrame, metric: str, attribute: str) -> str:
    """How many combinations narrow the gap beyond noise, and how many of them at a proven price."""
    tried = frame.filter(pl.col("gap_verdict").is_not_null(), pl.col("gap").is_not_null())
    gap = outcome_words(attribute, metric)
    if tried.is_empty():
        return f"No combination can be compared with the baseline in its {gap}"
    narrow = tried.filter(gap_verdict="improves")
    if narrow.is_empty():
        return f"None of {tried.height} combinations narrows the {gap} by more than noise"
    price = narrow.filter(balanced_verdict="worsens").height
    lost = "none of them" if not price else f"{price} of them"
    return f"{narrow.height} of {tried.height} combinations {'narrows' if narrow.height == 1 else 'narrow'} the {gap} beyond noise, {lost} at a proven loss of balanced accuracy"


def accuracy_finding(frame: pl.DataFrame) -> str:
    """How many combinations lose or gain balanced accuracy beyond noise."""
    tried = frame.filter(pl.col("balanced_verdict").is_not_null(), pl.col("balanced").is_not_null())
    if tried.is_empty():
        return "No combination can be compared with the baseline in its balanced accuracy"
    lost, gained = (tried.filter(balanced_verdict=verdict).height for verdict in ("worsens", "improves"))
    if not lost and not gained:
        return f"None of {tried.height} combinations changes balanced accuracy by more than noise"
    losing = f"{lost or 'None'} of {tried.height} combinations {'loses' if lost == 1 else 'lose'} balanced accuracy beyond noise"
    return f"{losing}, {gained or 'none'} {'gains' if gained == 1 else 'gain'} it"
