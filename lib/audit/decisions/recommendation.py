"""What should be done, under the stated preferences? Every permitted method with its price, its effect and how sure both are.

By patient. Permitted are the methods that act on the attribute or on none, are not `rejected` by the preferences (a rule may aim at
what one does not hold fair) and ask, when deciding, for nothing that is forbidden (the view is no demographic). `disparity` is the largest |gap| in TPR or FPR by the attribute that is left, `largest` says which;
`change` its difference from the baseline's (below 0: smaller) and `loss` the balanced accuracy given up: one family over all candidates, so that
the simultaneous bounds hold for whichever is chosen; with one network of each, for the very rules that were fitted; what choosing itself costs, `chosen_anew` tells. `support`: the surest verdict among the gaps that the method narrows in `effects`; null where it narrows none.

`role`: recommended, of the methods that toss no coin, narrow a gap (those shown first, then those suggested), are not shown to widen,
turn or open one of any attribute, and lose at most `largest_loss`, the simplest whose disparity is within the margin of the smallest (a weighting
before a rule, either before both; then the one of the highest balanced accuracy: as one standard error is in Breiman et al. 1984, doi 10.1201/9781315139470); the untouched baseline where there is none, `why` says
why; alternative, a qualified one whose disparity cannot be told from the recommended one's (`apart`, one family);
too dear, narrower but for more than `largest_loss`; else set aside. `option`: the best of its kind, for a board: "nothing",
"weighting", "threshold rule" (fitted thresholds, no coin). Empty when the disparity is not estimable.
"""

import polars as pl

from lib.audit.columns import METHOD, F, S, method_columns
from lib.audit.context import Context
from lib.audit.decisions._candidates import Candidate, candidates
from lib.names import (
    ALTERNATIVE,
    BASELINE,
    BASELINE_GAPS,
    KINDS,
    NARROWED,
    OPENED,
    PATIENT,
    RANDOMISED,
    RECOMMENDED,
    SET_ASIDE,
    SHOWN,
    SUGGESTED,
    TOO_DEAR,
    TURNED,
    WIDENED,
    kind_of,
    must_know,
)

name = "recommendation"
_BOUNDS = ("low", "high", "low_simultaneous", "high_simultaneous")
schema = (
    METHOD
    | {"role": S, "option": S, "why": S, "needs": S, "support": S, "disparity": F, "largest": S}
    | {"change": F}
    | {f"change_{end}": F for end in _BOUNDS}
    | {"change_verdict": S, "loss": F}
    | {f"loss_{end}": F for end in _BOUNDS}
    | {"loss_verdict": S, "apart": F, "apart_low": F, "apart_high": F, "apart_verdict": S}
)
needs = ("preferences",)
reads = ("gaps", "effects")
NONE = -1
NOTHING, WEIGHTING, THRESHOLDS = "nothing", "weighting", "threshold rule"
SINGLE = "with one network of each, nothing can be said of a weighting, and no rule on the same network narrows a gap"
NO_GAP = "no gap by the attribute is shown"
NONE_NARROWS = "no permitted method is shown or suggested to narrow a gap"
ALL_HARM = "whatever narrows a gap is shown to widen or to open another"
ALL_DEAR = "whatever narrows a gap costs more balanced accuracy than is acceptable"
"""Why the baseline is left untouched."""
_SHOWN = (pl.col("support") == SHOWN).fill_null(False)
_DEPLOYABLE = ~pl.col("postprocessing").is_in(list(RANDOMISED))


def compute(context: Context) -> list[pl.DataFrame]:
    found = candidates(context)
    if not found:
        return []
    base, *others = found
    baseline = _facts(base).with_columns(option=pl.lit(NOTHING))
    if not others:
        return [baseline.with_columns(role=pl.lit(RECOMMENDED), why=pl.lit(_why(context, None)))]
    table = _judged(context, base, others)
    best = _best(table, context.margin)
    table = _apart(context, table, others, best).with_columns(_best=pl.col("_at") == best)
    rival = pl.col("qualified") & ~pl.col("_best")
    role = (
        pl.when("_best")
        .then(pl.lit(RECOMMENDED))
        .when(rival & (pl.col("apart_verdict") != SHOWN))
        .then(pl.lit(ALTERNATIVE))
        .when(~rival & pl.col("support").is_not_null() & pl.col("dear"))
        .then(pl.lit(TOO_DEAR))
        .otherwise(pl.lit(SET_ASIDE))
    )
    table = table.with_columns(role=role, option=_option()).sort("disparity", maintain_order=True)
    why = _why(context, table) if best == NONE else None
    baseline = baseline.with_columns(role=pl.lit(SET_ASIDE if why is None else RECOMMENDED), why=pl.lit(why, S))
    told = pl.concat([baseline, table], how="diagonal_relaxed")
    return [told.sort(pl.col("role") != RECOMMENDED, maintain_order=True)]


def _facts(own: Candidate) -> pl.DataFrame:
    facts = {"needs": must_know(*own.method[1:]), "disparity": own.disparity, "largest": own.largest}
    return pl.DataFrame([facts], schema={"needs": S, "disparity": F, "largest": S}).with_columns(
        **method_columns(own.method)
    )


def _judged(context: Context, base: Candidate, others: list[Candidate]) -> pl.DataFrame:
    """A row for each candidate: loss and change, all in one family; `support`, `harms`; `dear`, and whether it is `qualified`."""
    family = [f for own in others for f in (base.accuracy - own.accuracy, own.signed() - base.signed())]
    told = context.infer(family).table().select("estimate", *_BOUNDS, "verdict")
    sides = [
        told[k::2].rename({key: what if key == "estimate" else f"{what}_{key}" for key in told.columns})
        for k, what in enumerate(("loss", "change"))
    ]
    table = pl.concat([pl.concat([_facts(own) for own in others]), *sides], how="horizontal")
    effects = context.table("effects").filter(unit=PATIENT)
    narrows = (pl.col("outcome") == NARROWED) & (pl.col("attribute") == context.preferences["attribute"])
    harms = pl.col("outcome").is_in([WIDENED, TURNED, OPENED]) & (pl.col("outcome_verdict") == SHOWN)
    told = effects.filter(pl.col("outcome_verdict").is_in([SHOWN, SUGGESTED])).group_by(*METHOD)
    # of the words, "shown" is before "suggested"
    words = told.agg(support=pl.col("outcome_verdict").filter(narrows).min(), harms=harms.any())
    return (
        table.join(words, on=list(METHOD), how="left", maintain_order="left")
        .with_columns(pl.col("harms").fill_null(False), dear=pl.col("loss") > context.preferences["largest_loss"])
        .with_columns(
            qualified=pl.col("support").is_not_null() & ~pl.col("harms") & ~pl.col("dear"),
            _kind=pl.Series([KINDS.index(kind_of(own.method)) for own in others]),
        )
        .with_row_index("_at")
    )


def _best(table: pl.DataFrame, margin: float) -> int:
    """Of those with the surest support, the simplest that is as good as the best of them, up to the margin; then the cheapest."""
    able = table.filter("qualified", _DEPLOYABLE)
    surest = able.filter(_SHOWN) if able.select(_SHOWN.any()).item() else able
    near = surest.filter(pl.col("disparity") <= pl.col("disparity").min() + margin)
    return next(iter(near.sort("_kind", "loss", maintain_order=True)["_at"]), NONE)


def _apart(context: Context, table: pl.DataFrame, others: list[Candidate], best: int) -> pl.DataFrame:
    """The table with how far the disparity of each other qualified one is from the best one's, all in one family."""
    rivals = table.filter("qualified", pl.col("_at") != best)["_at"]
    names = {"apart": "estimate", "apart_low": "low", "apart_high": "high", "apart_verdict": "verdict"}
    if rivals.is_empty() or best == NONE:
        return table.with_columns(**dict.fromkeys(names, pl.lit(None)))
    told = context.infer([others[k].signed() - others[best].signed() for k in rivals]).table()
    return table.join(told.select(_at=rivals, **names), on="_at", how="left", maintain_order="left")


def _option() -> pl.Expr:
    """The best weighting and the best threshold rule: the chosen one, then qualified ones, then by support and disparity."""
    rank = (~pl.col("_best"), ~pl.col("qualified"), ~_SHOWN, pl.col("disparity"), pl.col("_at"))
    option = pl.lit(None, S)
    for kind, word in enumerate((WEIGHTING, THRESHOLDS)):
        able = (pl.col("_kind") == kind) & _DEPLOYABLE
        first = pl.col("_at").filter(able).sort_by([key.filter(able) for key in rank]).first()
        option = pl.when(pl.col("_at") == first).then(pl.lit(word)).otherwise(option)
    return option


def _why(context: Context, table: pl.DataFrame | None) -> str:
    own = {"verdict": SHOWN, "family": BASELINE_GAPS, "unit": PATIENT, "attribute": context.preferences["attribute"]}
    if context.table("gaps").filter(**own).is_empty():
        return NO_GAP
    narrowing = None if table is None else table.drop_nulls("support")
    if narrowing is None or narrowing.is_empty():
        return NONE_NARROWS if len(context.scores[BASELINE[0]]) > 1 else SINGLE
    return ALL_HARM if narrowing["harms"].all() else ALL_DEAR
