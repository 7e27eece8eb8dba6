"""Sentences on what chance alone does: networks trained again, placebo weights, and the catalogue read beside them."""

import polars as pl

from lib.names import BASELINE_WEIGHTING, OVERALL, weighting_label
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.prose.reading import DECIDED, change_words
from lib.report.words import Words, few, listed, outcome_words, points, sentence, spelled
from lib.results import Results


def noise_floor(study: Results) -> Words:
    """How far the baseline trained again lies from itself, in balanced accuracy and in the gap that moves most."""
    rows = evidence.noise_floor(study).filter(pl.col("trained") == "full").drop_nulls("floor")
    rows = rows.filter(pl.col("metric").is_in(["balanced_accuracy", "tpr", "fpr"]))
    everyone = rows.filter(attribute=OVERALL, metric="balanced_accuracy")
    gaps = rows.filter(pl.col("contrast") == WIDEST, pl.col("metric") != "balanced_accuracy")
    if everyone.is_empty():
        return Words(
            "With one network of the baseline, what retraining alone does is unknown: no change can be trusted."
        )
    networks = spelled(everyone["n"][0], "network")
    text = (
        f"Train the baseline again, {networks} each time: in 19 of 20 cases its mean balanced accuracy moves by up to "
        f"{points(everyone['floor'][0])[1:]} points"
    )
    if gaps.height:
        top = gaps.sort("floor", descending=True).row(0, named=True)
        text += f" and its {outcome_words(top['attribute'], top['metric'])} by up to {points(top['floor'])[1:]}"
    return Words(f"{text}. A smaller change of a single study is what chance does without any weighting.")


def catalogue(study: Results) -> Words:
    """How many weightings there are, how many say nothing new here, and what the rest changed against placebos."""
    table = study.catalogue
    if table.height < 2 or evidence.head_changes(study).is_empty():
        return Words("No catalogue of weightings was tried on this cohort.")
    same, refused = table.drop_nulls("same_as").height, table.drop_nulls("refused").height
    tried = table.height - same - refused - 1
    parts = [f"of {table.height} weightings, {few(same)} {'is' if same == 1 else 'are'} the same as another one here"]
    if refused:
        parts.append(f"{few(refused)} cannot be used, for want of images in a group")
    shown = evidence.head_changes(study).filter(
        ((pl.col("attribute") == OVERALL) & (pl.col("metric") == "balanced_accuracy"))
        | ((pl.col("contrast") == WIDEST) & pl.col("metric").is_in(["tpr", "fpr"])),
        pl.col("estimable"),
    )
    decided = shown.filter(DECIDED)
    parts.append(f"{few(tried)} {'was' if tried == 1 else 'were'} tried against uniform weights")
    first = sentence(f"{listed(parts)}.")
    if decided.is_empty():
        return Words(
            f"{first} None of their {shown.height} changes of balanced accuracy, TPR gaps and FPR gaps can be told from noise."
        )
    top = decided.sort(pl.col("change").abs(), descending=True).row(0, named=True)
    return Words(
        f"{first} Of their {shown.height} changes of balanced accuracy, TPR gaps and FPR gaps, {few(decided.height)} "
        f"{'stands' if decided.height == 1 else 'stand'} out from noise; the largest is that of "
        f"{outcome_words(top['attribute'], top['metric'])} under {weighting_label(top['weighting'])}, which "
        f"{top['verdict']} ({change_words(top)})."
    )


def placebos(study: Results) -> Words:
    """How many of the catalogue's changes lie beyond what placebo weights do, whatever their intervals."""
    floor = evidence.noise_floor(study).filter(pl.col("trained") == "head").drop_nulls("floor")
    keys = ["attribute", "metric", "contrast"]
    changes = evidence.head_changes(study).filter(
        pl.col("metric").is_in(["balanced_accuracy", "tpr", "fpr"]), pl.col("weighting") != BASELINE_WEIGHTING
    )
    rows = changes.filter((pl.col("attribute") == OVERALL) | (pl.col("contrast") == WIDEST)).join(floor, on=keys)
    rows = rows.drop_nulls("change")
    if rows.is_empty():
        return Words("No placebo weights were tried.")
    beyond = rows.filter(pl.col("change").abs() > pl.col("floor")).height
    more = beyond / rows.height > 0.1
    return Words(
        f"Each weighting has a placebo, the same weights given to the wrong images. By design one placebo in 20 exceeds the "
        f"grey band; of the true weightings' {rows.height} point estimates, {few(beyond)} {'does' if beyond == 1 else 'do'} "
        f"({100 * beyond / rows.height:.0f} %). "
        + (
            "So the weights do something to these patients that a placebo does not; whether they would do it to other patients "
            "is what the intervals, and the verdicts, are about."
            if more
            else "So on these very patients, too, the weights do little more than placebos."
        )
    )
