"""The table of candidates: what each must know, its price and its effect."""

from typing import Any

import polars as pl
from great_tables import GT

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    DEFAULTS,
    NOT_ESTIMABLE,
    OVERALL,
    must_know,
)
from lib.report import evidence, words
from lib.report.evidence import WIDEST
from lib.report.figures.changes import DECIDED
from lib.report.figures.marks import METHOD
from lib.report.focus import aimed, focus, outcome
from lib.report.tables.cells import bounded, share, table
from lib.report.words import attribute_words, method_words, outcome_words
from lib.results import Results

COMBINED = 5
"""Combinations of a weighting with a post-processing that are named at most."""


def decision(results: Results) -> GT:
    """Candidates: what each must know when deciding, its balanced accuracy, and the changes that stand out from noise.

    Of the post-processings, those that act on the attribute of interest or on none.
    """
    rows = [_candidate(results, method) for method in _candidates(results)]
    labels = {
        "known": "must know when deciding",
        "balanced": "balanced accuracy, %",
        "change": "change, points",
        "better": "gaps narrowed beyond noise",
        "worse": "gaps widened beyond noise",
    }
    return table(rows, labels, stub="method", right=["balanced", "change"])


def _candidates(results: Results) -> list[dict[str, str]]:
    """The baseline, every method that alters one thing, and the combinations that narrow a gap most, if proven."""
    own = aimed(focus(results))
    methods = evidence.metrics(results).filter(own).select(METHOD).unique(maintain_order=True)
    alone = (pl.col("weighting") == BASELINE_WEIGHTING) | (pl.col("postprocessing") == BASELINE_POSTPROCESSING)
    narrowed = evidence.changes(results).filter(
        own, outcome(), ~alone, pl.col("contrast") == WIDEST, pl.col("verdict") == "improves"
    )
    best = narrowed.sort("change").unique(METHOD, keep="first", maintain_order=True).head(COMBINED)
    return methods.filter(alone).to_dicts() + best.select(METHOD).to_dicts()


def _candidate(results: Results, method: dict[str, str]) -> dict[str, str]:
    own = evidence.metrics(results).filter(**method, attribute=OVERALL, metric="balanced_accuracy").row(0, named=True)
    changed = evidence.changes(results).filter(**method).filter(outcome())
    price = changed.filter(attribute=OVERALL).to_dicts()
    gaps_changed = {
        verdict: [
            f"{outcome_words(r['attribute'], r['metric'])} ({words.points(r['change'])})"
            for r in changed.filter(contrast=WIDEST, verdict=verdict).to_dicts()
        ]
        for verdict in DECIDED
    }
    return {
        "method": words.sentence(method_words(method)),
        "known": known_words(method),
        "balanced": bounded(own["value"], own["low"], own["high"], share),
        "change": _with_verdict(price[0]) if price else "baseline",
        "better": "; ".join(gaps_changed["improves"]) or "none",
        "worse": "; ".join(gaps_changed["worsens"]) or "none",
    }


def known_words(method: dict[str, str]) -> str:
    """What must be known when deciding: `the image only`, `view, of the image`, `sex, of the patient`."""
    known = must_know(method["postprocessing"], method["target"])
    if known is None:
        return "the image only"
    if known not in DEFAULTS:
        return known
    return f"{attribute_words(known)}, {'of the patient' if DEFAULTS[known].of_patient else 'of the image'}"


def _with_verdict(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return NOT_ESTIMABLE
    return words.points(row["change"]) + (f", {row['verdict']}" if row["verdict"] in DECIDED else ", undecided")
