"""Every combination, attribute and figure, for a reader who wants to look further: a table that the page redraws.

The page carries the numbers and `chapters/report.js` draws them; paper and slides show nothing in its place.
"""

import json
from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    METRICS,
    OVERALL,
    postprocessing_label,
    weighting_label,
)
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.exhibit import Exhibit, raw
from lib.report.figures.marks import METHOD
from lib.report.focus import aimed, focus
from lib.report.theme import CELLS, VERDICTS
from lib.report.words import attribute_words, outcome_words, sentence
from lib.results import Results

GAPS = ("tpr", "fpr", "selection_rate", "balanced_accuracy")
BALANCED = "balanced_accuracy"
SCALE = 1000
"""Shares are written as whole thousandths: a tenth of a point is all that is shown."""
LEAST = 100
"""Reach of the shades, in thousandths: differences smaller than this never look large."""


def explorer(results: Results) -> Exhibit:
    """A selector of attribute and figure over all combinations of weighting and post-processing."""
    attributes = [a for a in results.attributes if a in set(evidence.gaps(results)["attribute"])]
    content = {
        "start": focus(results),
        "shades": CELLS,
        "least": LEAST,
        "verdicts": list(VERDICTS),
        "decided": ["improves", "worsens"],
        "weightings": [weighting_label(name) for name in _weightings(results)],
        "attributes": [_of_attribute(results, attribute) for attribute in attributes],
    }
    code = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return Exhibit(
        raw("html", f'<div class="explorer" hidden><script type="application/json">{code}</script></div>') + "\n"
    )


def _weightings(results: Results) -> list[str]:
    return evidence.metrics(results)["weighting"].unique(maintain_order=True).to_list()


def _of_attribute(results: Results, attribute: str) -> dict[str, Any]:
    """The rows of one attribute, and each of its figures: cells by row and column."""
    methods = evidence.metrics(results).filter(aimed(attribute)).select(METHOD[1:]).unique(maintain_order=True)
    wanted = [("gap", attribute, metric) for metric in GAPS] + [("level", OVERALL, BALANCED)]
    return {
        "name": attribute,
        "label": attribute_words(attribute),
        "rows": [postprocessing_label(*row) for row in methods.iter_rows()],
        "baseline": [
            methods["postprocessing"].to_list().index(BASELINE_POSTPROCESSING),
            _weightings(results).index(BASELINE_WEIGHTING),
        ],
        "figures": [
            {
                "label": sentence(outcome_words(about, metric)),
                "worse": 1 if kind == "gap" else -METRICS[metric].better,
                "cells": _cells(results, methods, kind, about, metric),
            }
            for kind, about, metric in wanted
        ],
    }


def _cells(
    results: Results, methods: pl.DataFrame, kind: str, about: str, metric: str
) -> list[list[list[int | None] | None]]:
    """By row and column: value, its bounds, the change against the baseline, its bounds, and the number of its verdict."""
    own = {"attribute": about, "metric": metric}
    levels = (
        evidence.gaps(results).filter(contrast=WIDEST, **own)
        if kind == "gap"
        else evidence.metrics(results).filter(**own)
    )
    changes = evidence.changes(results).filter(contrast=WIDEST if kind == "gap" else "all", **own)
    level = {tuple(row[:3]): row[3:] for row in levels.select(*METHOD, "value", "low", "high").iter_rows()}
    change = {
        tuple(row[:3]): row[3:] for row in changes.select(*METHOD, "change", "low", "high", "verdict").iter_rows()
    }
    verdicts = list(VERDICTS)
    found = []
    for method in methods.iter_rows():
        row = []
        for weighting in _weightings(results):
            value = level.get((weighting, *method), (None,) * 3)
            *moved, verdict = change.get((weighting, *method), (None,) * 4)
            number = verdicts.index(verdict) if verdict in verdicts else None
            row.append([_whole(v) for v in (*value, *moved)] + [number])
        found.append(row)
    return found


def _whole(share: float | None) -> int | None:
    return None if share is None else round(SCALE * share)
