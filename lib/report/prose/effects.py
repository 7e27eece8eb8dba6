"""Sentences on what weightings and post-processings changed."""

from typing import Any

import polars as pl

from lib.names import (
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    METRICS,
    NO_TARGET,
    OVERALL,
)
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.focus import focus
from lib.report.prose.reading import (
    GAP_METRICS,
    METHOD,
    change_words,
    outcome,
)
from lib.report.words import (
    Words,
    attribute_words,
    count,
    counted,
    few,
    interval,
    listed,
    method_words,
    percent,
    points,
    sentence,
    spelled,
)
from lib.results import Results

"""Methods that are told one by one."""


def optimism(study: Results) -> Words:
    """How much better post-processings look when they are judged on the patients that chose them."""
    rows = evidence.optimism(study).filter(pl.col("attribute") == OVERALL).drop_nulls(["optimism", "low", "high"])
    if rows.is_empty():
        return Words(
            "How much judging a rule on the patients that chose it flatters it cannot be told from these results."
        )
    worst = rows.sort("optimism", descending=True).row(0, named=True)
    flattered = rows.filter(pl.col("low") > 0).height
    shown = "none" if not flattered else "all" if flattered == rows.height else few(flattered)
    return Words(
        f"Judged on the patients that chose it, the rule that profits most, {method_words(worst)}, has a balanced accuracy of "
        f"{percent(worst['naive'])}; on patients it has not seen, {percent(worst['cross_fitted'])}: {points(worst['optimism'])} "
        f"points of optimism ({interval(points(worst['low']), points(worst['high']))}). Of {spelled(rows.height, 'fitted rule')}, "
        f"{shown} {'has' if flattered == 1 else 'have'} an optimism whose interval lies above 0; single intervals, not corrected "
        "for their number."
    )


def grid(study: Results, attribute: str | None = None) -> Words:
    """How many of the combinations narrow or widen a gap of an attribute beyond noise."""
    attribute = attribute or focus(study)
    rows = evidence.changes(study).filter(
        pl.col("attribute") == attribute,
        pl.col("contrast") == WIDEST,
        pl.col("metric").is_in(GAP_METRICS),
        pl.col("estimable"),
    )
    parts = []
    for metric in GAP_METRICS:
        of = rows.filter(pl.col("metric") == metric)
        if of.is_empty():
            continue
        narrow, widen = ((of["verdict"] == v).sum() for v in ("improves", "worsens"))
        parts.append(
            f"the {METRICS[metric].label} gap by {attribute_words(attribute)} narrows beyond noise in {_none(narrow)} of "
            f"{counted(of.height, 'combination')} and widens in {_none(widen)}"
        )
    return Words(f"{sentence('; '.join(parts))}." if parts else "No gap is estimable.")


def _none(n: int) -> str:
    return "none" if n == 0 else count(n)


def most_effective(study: Results) -> tuple[str, str, str]:
    """(weighting, post-processing, target) that narrows a gap in error rates most, decided verdicts first."""
    row = _narrowed_most(study)
    return tuple(row[key] for key in METHOD) if row else (BASELINE_WEIGHTING, BASELINE_POSTPROCESSING, NO_TARGET)


def who_gains(study: Results, figure: str = "@fig-who-gains") -> Words:
    """For the method that narrows a gap most: whose error rates changed beyond noise, and by how much."""
    best = _narrowed_most(study)
    if best is None:
        return Words("There is no method to compare with the baseline.")
    rows = evidence.changes(study).filter(
        *(pl.col(key) == best[key] for key in METHOD),
        pl.col("metric").is_in(GAP_METRICS),
        pl.col("attribute") == best["attribute"],
        pl.col("contrast") != WIDEST,
        pl.col("estimable"),
    )
    parts = []
    for verdict, word in (("improves", "gain"), ("worsens", "lose")):
        shown = [
            f"{r['contrast']} {word}s in {METRICS[r['metric']].label} ({change_words(r)})"
            for r in rows.filter(pl.col("verdict") == verdict).iter_rows(named=True)
        ]
        parts.append(listed(shown) if shown else f"no {attribute_words(best['attribute'])} can be shown to {word}")
    total = counted(evidence.changes(study).select(METHOD).n_unique(), "combination")
    sure = "beyond noise" if best["verdict"] == "improves" else "by its point estimate alone"
    return Words(
        f"{figure} follows {method_words(best)}: {sure}, it narrows {outcome(best)} ({change_words(best)}), and of "
        f"{total} none with as sure a verdict narrows a gap more. Rate by rate, {'; '.join(parts)}. Picked as the largest, its "
        "effect is likely overstated."
    )


def _narrowed_most(study: Results) -> dict[str, Any] | None:
    rows = evidence.changes(study).filter(
        pl.col("contrast") == WIDEST, pl.col("metric").is_in(GAP_METRICS), pl.col("estimable")
    )
    ranked = rows.sort(pl.col("verdict") == "improves", -pl.col("change"), descending=True)
    return ranked.row(0, named=True) if ranked.height else None
