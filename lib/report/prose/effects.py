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
    DECIDED,
    GAP_METRICS,
    METHOD,
    change_words,
    effect_words,
    effects,
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
    outcome_words,
    percent,
    points,
    sentence,
    spelled,
)
from lib.results import Results

TOLD = 5
"""Methods that are told one by one."""


def largest_change(study: Results, kind: str) -> Words:
    """The largest change of a gap that methods of this kind (weighting, post-processing) made, with its interval."""
    rows = effects(study, kind).filter(pl.col("estimable"), pl.col("contrast") == WIDEST)
    if rows.is_empty():
        return Words("No change of a gap can be estimated.")
    row = rows.sort(pl.col("change").abs(), descending=True).row(0, named=True)
    known = "beyond noise" if row["verdict"] in ("improves", "worsens") else row["verdict"]
    return Words(
        f"The largest change of a gap is that of the {outcome_words(row['attribute'], row['metric'])} with {method_words(row)}: "
        f"{change_words(row)} ({known})."
    )


def power(study: Results, kind: str) -> Words:
    """The smallest change of a gap that this study could typically have told from noise."""
    rows = effects(study, kind).filter(pl.col("estimable"), pl.col("contrast") == WIDEST)
    if rows.is_empty():
        return Words("Nothing was compared here, so nothing could have been seen.")
    width = rows.select(((pl.col("high") - pl.col("low")) / 2).median()).item()
    seeds = study.n_seeds
    return Words(
        f"Half the intervals of these changes reach {points(width)[1:]} points or more to either side: a method that "
        f"closes a gap by less would look just like one that does nothing. More seeds (here {seeds}) narrow the part "
        f"that retraining causes; only more patients (here {count(study.manifest['cohort']['valid_patients'])}) narrow the rest."
    )


def verdicts(study: Results, kind: str) -> Words:
    """The decided changes by methods of this kind, of overall balanced accuracy and of gaps, the five largest in words."""
    known = effects(study, kind).filter(pl.col("estimable"))
    if known.is_empty():
        return Words("No verdict can be given here.")
    rows = known.filter(DECIDED)
    if rows.is_empty():
        return Words("Every verdict here is “cannot be told from noise”.")
    told = []
    largest = rows.with_columns(largest=pl.col("change").abs().max().over(METHOD)).sort(
        "largest", descending=True, maintain_order=True
    )
    methods = list(largest.drop("largest").group_by(METHOD, maintain_order=True))
    for _, of in methods[:TOLD]:
        changes = [f"{effect_words(row)} ({change_words(row)})" for row in of.iter_rows(named=True)]
        told.append(f"{method_words(of.row(0, named=True))} {listed(changes)}")
    more = (
        f"; {spelled(len(methods) - TOLD, 'other')} {'changes' if len(methods) == TOLD + 1 else 'change'} something too"
        if len(methods) > TOLD
        else ""
    )
    return Words(f"Beyond noise, {'; '.join(told)}{more}.")


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


def seeds(study: Results) -> Words:
    """How far apart two networks of one weighting are, in balanced accuracy."""
    spread = study.runs.group_by("weighting").agg(
        (pl.col("balanced_accuracy").max() - pl.col("balanced_accuracy").min()).alias("range"), pl.len()
    )
    if spread["len"].max() < 2:
        return Words("With one network for each weighting, the noise of retraining cannot be seen here.")
    return Words(
        f"Within a weighting, the balanced accuracies of the networks lie up to {points(spread['range'].max())[1:]} points "
        "apart."
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
