"""The one-sentence answers that open the chapters."""

import polars as pl

from lib.names import OVERALL
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.prose.data import tied_pairs
from lib.report.prose.reading import GAP_METRICS, METHOD
from lib.report.words import Words, attribute_words, count, few, listed, number, sentence
from lib.results import Results


def answer(study: Results, chapter: str, *, named: bool = True) -> Words:
    """The one-sentence answer of a chapter: data-analysis or discussion.

    Methods are counted, and `named` where there is room.
    """
    return {
        "data-analysis": _data_answer,
        "discussion": _grid_answer,
    }[chapter](study)


def _data_answer(study: Results) -> Words:
    known = study.associations.filter(pl.col("split") == "train", pl.col("other") == "label").drop_nulls("estimate")
    tied = tied_pairs(study).filter(pl.col("other") == "label")
    loose = [attribute_words(a) for a in known["attribute"] if a not in tied["attribute"]]
    shown = [
        f"{attribute_words(r['attribute'])} (Cramér's V {number(r['estimate'], 2)})" for r in tied.iter_rows(named=True)
    ]
    if not shown:
        return Words("The label goes with no attribute beyond what noise explains, in training and validation alike.")
    text = f"Before any model, the label goes with {listed(shown)} in training and validation alike"
    text += f", not demonstrably with {listed(loose, conjunction='or')}" if loose else ""
    return Words(f"{text}: a classifier can profit from reading the group instead of the disease.")


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
