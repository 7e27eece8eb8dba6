"""One paragraph for each of the further questions: what was decided, what cannot be told, what it does not mean."""

import polars as pl

from lib.report import evidence
from lib.report.findings import (
    reversal_words,
    reversals,
)
from lib.report.words import (
    Words,
    count,
    counted,
    number,
    percent,
    sentence,
    spelled,
)
from lib.results import Results

MOST = 3
"""Decided rows that are told one by one; the rest is counted."""


def simpson(study: Results) -> Words:
    """Whether a difference between groups turns round when the strata of another attribute are made alike."""
    pairs, asked = reversals(study)
    if not asked:
        return Words(
            "Differences between groups were not compared within strata in this study."
            if evidence.plain(study.simpson).is_empty()
            else "No difference between groups can be compared within strata: some stratum always has too few patients."
        )
    if not pairs:
        return Words(
            f"Of {spelled(asked, 'difference')} (in the shares of sick of either split, and in TPR, FPR and selection rate of the "
            "baseline) that can be compared within the strata of another attribute, none can be shown to turn round: no aggregate lies beyond noise on one side and its standardised counterpart on the other."
            if asked > 1
            else "The one difference that can be compared within the strata of another attribute cannot be shown to turn round."
        )
    told = _told([reversal_words(*pair) for pair in pairs], "reversal")
    return Words(
        f"{sentence(told)}, both beyond noise: a reversal of the kind named after Simpson. "
        f"It is {'one' if len(pairs) == 1 else count(len(pairs))} of {counted(asked, 'question')} asked."
    )


def visits(study: Results) -> Words:
    """How unequal patients are in their number of images: why they, not images, are the unit."""
    rows = study.visits.filter(split="train")
    patients, images = rows["patients"].sum(), rows["images"].sum()
    if not patients:
        return Words("How many images a patient has was not counted in this study.")
    single = rows.filter(most=1)["patients"].sum()
    many = rows.filter(pl.col("least") >= 6)
    text = f"A training patient has {number(images / patients, 1)} images on average; {percent(single / patients)} have a single one"
    if many["patients"].sum():
        text += (
            f", and the {percent(many['patients'].sum() / patients)} with six or more hold {percent(many['images'].sum() / images)} "
            "of the images"
        )
    return Words(f"{text}.")


def _told(texts: list[str], what: str) -> str:
    """The first few in full, the others counted."""
    more = len(texts) - MOST
    shown = texts[:MOST] if more > 1 else texts
    return "; ".join(shown) + (f"; and {spelled(more, f'smaller {what}')}" if more > 1 else "")
