"""The one-sentence answers that open the chapters."""

import polars as pl

from lib.names import OVERALL
from lib.report import evidence
from lib.report.evidence import WIDEST
from lib.report.prose.reading import GAP_METRICS, METHOD, distinct_methods, effects
from lib.report.words import Words, count, few, listed, sentence, some, spelled
from lib.results import Results


def answer(study: Results, chapter: str, *, named: bool = True) -> Words:
    """The one-sentence answer of a chapter: pre-processing, post-processing or discussion.

    Methods are counted, and `named` where there is room.
    """
    return {
        "pre-processing": lambda s: _effects_answer(s, "weighting", named),
        "post-processing": lambda s: _effects_answer(s, "post-processing", named),
        "discussion": _grid_answer,
    }[chapter](study)


def _effects_answer(study: Results, kind: str, named: bool) -> Words:
    rows = effects(study, kind)
    methods = rows.select(METHOD).n_unique()
    if not methods:
        return Words(f"This study has no {kind} to compare with the baseline.")
    gap_rows = rows.filter(pl.col("contrast") == WIDEST, pl.col("metric").is_in(GAP_METRICS))
    narrower, wider = (distinct_methods(gap_rows.filter(pl.col("verdict") == v)) for v in ("improves", "worsens"))
    price = rows.filter(pl.col("attribute") == OVERALL, pl.col("metric") == "balanced_accuracy")
    better, worse = (distinct_methods(price.filter(pl.col("verdict") == v)) for v in ("improves", "worsens"))
    if not rows["estimable"].any():
        return Words(f"With so few patients, no effect of any {kind} can be estimated.")
    total = spelled(methods, kind)
    first = (
        f"{sentence(few(len(narrower)))} of the {total} {'narrows' if len(narrower) == 1 else 'narrow'} a gap in error rates "
        f"beyond noise{f' ({some(narrower)})' if named else ''}"
        if narrower
        else f"None of the {total} narrows a gap in error rates by more than noise explains"
        if methods > 1
        else f"The only {kind} narrows no gap in error rates by more than noise explains"
    )
    second = f"; {few(len(wider))} {'widens' if len(wider) == 1 else 'widen'} one" if wider else ""
    third = (
        "balanced accuracy cannot be shown to change"
        if not better and not worse
        else listed(
            [
                f"balanced accuracy {verb} with {some(names) if named else few(len(names))}"
                for verb, names in (("rises", better), ("falls", worse))
                if names
            ]
        )
    )
    return Words(f"{first}{second}; {third}.")


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
