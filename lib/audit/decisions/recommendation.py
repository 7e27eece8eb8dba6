"""What should be done, under the stated preferences? Every permitted method with its price, its effect and how sure both are.

By patient. Permitted are the methods that act on the attribute or on none, are not `rejected` by the preferences (a rule may aim at
what one does not hold fair) and ask, when deciding, for nothing that is forbidden (the view is no demographic). `disparity` is the largest |gap| in TPR or FPR by the attribute that is left, `largest` says which;
`change` its difference from the baseline's (below 0: smaller) and `loss` the balanced accuracy given up: one family over all candidates, so that
the simultaneous bounds hold for whichever is chosen; what choosing itself costs, `chosen_anew` tells. `support`: the surest verdict among the gaps that the method narrows in `effects`; null where it narrows none.

`role`: recommended, of the methods that toss no coin, narrow a gap (those shown first, then those suggested), are not shown to widen,
turn or open one of any attribute, and lose at most `largest_loss`, the simplest whose disparity is within the margin of the smallest (a weighting
before a rule, either before both; then the one of the highest balanced accuracy: as one standard error is in Breiman et al. 1984, doi 10.1201/9781315139470); the untouched baseline where there is none, `why` says
why; alternative, a qualified one whose disparity cannot be told from the recommended one's (`apart`, one family);
too dear, narrower but for more than `largest_loss`; else set aside. `option`: the best of its kind, for a board: "nothing",
"weighting", "threshold rule" (fitted thresholds, no coin). Empty when the disparity is not estimable.
"""

import numpy as np
import polars as pl

from lib.audit.columns import METHOD, F, S
from lib.audit.context import Context
from lib.audit.decisions._candidates import Candidate, Candidates, candidates
from lib.audit.inference import Inference
from lib.names import (
    ALTERNATIVE,
    BASELINE,
    KINDS,
    RANDOMISED,
    RECOMMENDED,
    SET_ASIDE,
    SHOWN,
    SUGGESTED,
    TOO_DEAR,
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
NOTHING, WEIGHTING, THRESHOLDS = "nothing", "weighting", "threshold rule"
SINGLE = "with one network of each, nothing can be said of a weighting, and no rule on the same network narrows a gap"
NO_GAP = "no gap by the attribute is shown"
NONE_NARROWS = "no permitted method is shown or suggested to narrow a gap"
ALL_HARM = "whatever narrows a gap is shown to widen or to open another"
ALL_DEAR = "whatever narrows a gap costs more balanced accuracy than is acceptable"
"""Why the baseline is left untouched."""


def compute(context: Context) -> list[pl.DataFrame]:
    found = candidates(context)
    if found is None:
        return []
    most = context.preferences["largest_loss"]
    qualified = [own for own in found.others if own.support and not own.harms and _loss(found, own) <= most]
    deployable = [own for own in qualified if own.method[1] not in RANDOMISED]
    best = _simplest(found, deployable, context.margin)
    rivals = [own for own in qualified if own is not best]
    apart = context.infer([own.own.signed() - best.own.signed() for own in rivals]) if rivals else None
    told = dict(zip([own.method for own in rivals], range(len(rivals)), strict=True))
    options = _options(found, most, best)
    rows = [_row(found, None, best is None, options, None, None)]
    rows[0] |= {"why": None if best else _why(context, found, most)}
    for own in sorted(found.others, key=lambda own: own.own.value):
        k = told.get(own.method)
        role = SET_ASIDE
        if own is best:
            role = RECOMMENDED
        elif k is not None:
            role = SET_ASIDE if apart.verdict[k] == SHOWN else ALTERNATIVE
        elif own.support and _loss(found, own) > most:
            role = TOO_DEAR
        rows.append(_row(found, own, role, options, apart, k))
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return [table.sort(pl.col("role") != RECOMMENDED, maintain_order=True)]


def _loss(found: Candidates, own: Candidate) -> float:
    return float(found.judged.estimate[own.loss])


def _rank(own: Candidate) -> tuple[bool, float]:
    """Shown before suggested, then the smallest disparity."""
    return own.support != SHOWN, own.own.value


def _simplest(found: Candidates, qualified: list[Candidate], margin: float) -> Candidate | None:
    """Of those with the surest support, the simplest that is as good as the best of them, up to the margin; then the cheapest."""
    surest = [own for own in qualified if own.support == SHOWN] or qualified
    least = min((own.own.value for own in surest), default=0.0)
    near = [own for own in surest if own.own.value <= least + margin]
    return min(near, key=lambda own: (KINDS.index(kind_of(own.method)), _loss(found, own)), default=None)


def _why(context: Context, found: Candidates, most: float) -> str:
    gaps = context.table("gaps").filter(
        pl.col("verdict").is_in([SHOWN, SUGGESTED]),
        pl.col("family") == "baseline gaps",
        unit="patient",
        attribute=context.preferences["attribute"],
    )
    if gaps.filter(verdict=SHOWN).is_empty():
        return NO_GAP
    narrowing = [own for own in found.others if own.support]
    if not narrowing:
        return NONE_NARROWS if len(context.scores[BASELINE[0]]) > 1 else SINGLE
    return ALL_HARM if all(own.harms for own in narrowing) else ALL_DEAR


def _options(found: Candidates, most: float, chosen: Candidate | None) -> dict[tuple[str, str, str], str]:
    """The best weighting and the best threshold rule: the chosen one, then qualified ones, then by support and disparity."""
    options = {BASELINE: NOTHING}
    for kind, word in ((KINDS[0], WEIGHTING), (KINDS[1], THRESHOLDS)):
        own = [c for c in found.others if kind_of(c.method) == kind and c.method[1] not in RANDOMISED]
        if own:
            best = min(
                own,
                key=lambda c: (c is not chosen, c.support is None or c.harms or _loss(found, c) > most, *_rank(c)),
            )
            options[best.method] = word
    return options


def _row(
    found: Candidates,
    own: Candidate | None,
    role: str | bool,
    options: dict[tuple[str, str, str], str],
    apart: Inference | None,
    k: int | None,
) -> dict:
    """The row of a candidate, or of the baseline (None), whose `role` is whether it is recommended."""
    method = BASELINE if own is None else own.method
    side = found.baseline if own is None else own.own
    row = dict(zip(METHOD, method, strict=True)) | {"option": options.get(method), "needs": must_know(*method[1:])}
    row |= {"disparity": side.value, "largest": ": ".join(side.which)}
    if own is None:
        return row | {"role": RECOMMENDED if role else SET_ASIDE}
    row |= {"role": role, "support": own.support}
    for what, at in (("change", own.change), ("loss", own.loss)):
        row |= {what: found.judged.estimate[at], f"{what}_verdict": str(found.judged.verdict[at])}
        row |= {f"{what}_{end}": getattr(found.judged, end)[at] for end in _BOUNDS}
    if k is not None:
        row |= {"apart": apart.estimate[k], "apart_low": apart.low[k], "apart_high": apart.high[k]}
        row |= {"apart_verdict": str(apart.verdict[k])}
    return {key: float(value) if isinstance(value, np.floating) else value for key, value in row.items()}
