"""The one-sentence answers that open the chapters."""

import polars as pl

from lib.names import OVERALL
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.prose.reading import GAP_METRICS, METHOD
from lib.report.words import Words, count, few, sentence
from lib.results import Results


def answer(study: Results, chapter: str, *, named: bool = True) -> Words:
    """The one-sentence answer of a chapter: discussion.

    Methods are counted, and `named` where there is room.
    """
    return {
        "discussion": _grid_answer,
    }[chapter](study)


def _grid_answer(study: Results) -> Words:
    rows = evidence.changes(study).filter(pl.col("estimable"))
    total = evidence.changes(study).select(METHOD).n_unique()
    if not total:
        return Words("This study has nothing to compare with the baseline.")
    gap_rows = rows.filter(pl.col("contrast") == WIDEST, pl.col("metric").is_in(GAP_METRICS))
    if gap_rows.is_empty():
        return Words("With so few patients, no gap between groups can be estimated under any combination.")
    good = gap_rows.filter(pl.col("verdict") == "improves").select(METHOD).unique()
    bad = gap_rows.filter(pl.col("verdict") == "worsens").select(METHOD).unique()
    dear = (
        rows.filter(
            pl.col("attribute") == OVERALL, pl.col("metric") == "balanced_accuracy", pl.col("verdict") == "worsens"
        )
        .select(METHOD)
        .unique()
    )
    clean = good.join(bad, on=METHOD, how="anti").join(dear, on=METHOD, how="anti").height
    if not good.height:
        return Words(
            f"None of the {count(total)} combinations of weighting and post-processing narrows a gap in error rates beyond noise."
        )
    many = f"{sentence(few(good.height))} of the {count(total)} combinations"
    price = "widening another gap or lowering balanced accuracy beyond noise"
    if clean == good.height:
        kept = f"and {'does' if clean == 1 else 'all do'} so without {price}"
    else:
        kept = f"but only {few(clean)} without {price}" if clean else f"but none without {price}"
    return Words(
        f"{many} of weighting and post-processing {'narrows' if good.height == 1 else 'narrow'} some gap in error rates beyond "
        f"noise, {kept}."
    )
