"""A recommendation from stated preferences, and the methods that cannot be told from it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from lib.audit.frames import METHOD, Method, frame, optional
from lib.audit.ledger import ODDS, Ledger
from lib.audit.multiplicity import ALPHA, holm
from lib.audit.resampler import holding
from lib.audit.resampling import Array, percentile_interval
from lib.audit.tails import tail_p
from lib.names import (
    ALTERNATIVE,
    ATTRIBUTES,
    BASELINE_POSTPROCESSING,
    BASELINE_WEIGHTING,
    NO_TARGET,
    RECOMMENDED,
    SET_ASIDE,
    TOO_DEAR,
    must_know,
)

BASELINE: Method = (BASELINE_WEIGHTING, BASELINE_POSTPROCESSING, NO_TARGET)
_F = pl.Float64
SCHEMA = (
    METHOD
    | {"role": pl.String, "keeps_accuracy": pl.Boolean, "narrows": pl.Boolean}
    | {name: _F for name in ("loss", "loss_low", "loss_high", "disparity", "low", "high")}
    | {name: _F for name in ("change", "change_low", "change_high", "apart", "apart_low", "apart_high")}
)


def permitted(method: Method, may_use_demographics: bool) -> bool:
    """Whether a method asks, when deciding, for nothing that the preferences forbid: view is no demographic."""
    known = must_know(method[1], method[2])
    return may_use_demographics or known is None or not ATTRIBUTES[known].of_patient


def recommend(ledger: Ledger, preferences: Mapping[str, Any]) -> pl.DataFrame:
    """Every permitted method that acts on the attribute or on none, judged by the preferences `attribute`, `largest_loss` and `may_use_demographics`.

    A method keeps accuracy when its loss of balanced accuracy against the untouched baseline is shown not to exceed
    `largest_loss`: the upper end of the paired 95 % interval of the loss lies below (a non-inferiority margin). It narrows
    when its equalised odds gap by the attribute is smaller than the baseline's beyond noise (Holm over permitted
    methods). `role`: recommended, the one of smallest gap among those that do both, the baseline if none does; an
    alternative, where the gap cannot be told from the recommended one's (`apart` = its gap - the recommended one's,
    Holm); too dear, narrower but without proof of keeping accuracy; else set aside. Empty when the gap is not estimable.
    """
    methods, values, replicates = ledger.of(preferences["attribute"], ODDS)
    if BASELINE not in methods:
        return frame([], SCHEMA)
    allowed, attribute = preferences["may_use_demographics"], preferences["attribute"]
    chosen = [k for k, m in enumerate(methods) if permitted(m, allowed) and m[2] in (NO_TARGET, attribute)]
    methods, values = [methods[k] for k in chosen], values[chosen]
    replicates = replicates[:, chosen].astype(np.float64)
    start = methods.index(BASELINE)
    others = [k for k in range(len(methods)) if k != start]

    loss = _against(values[:, 0], replicates[:, :, 0], start, sign=-1)
    change = _against(values[:, 1], replicates[:, :, 1], start)
    keeps = loss[2] <= preferences["largest_loss"]
    narrows = np.zeros(len(methods), dtype=bool)
    narrows[others] = _decided(change, others) & (change[2][others] < 0)
    both = [k for k in others if keeps[k] and narrows[k]]
    best = min(both, key=lambda k: values[k, 1]) if both else start
    apart = _against(values[:, 1], replicates[:, :, 1], best)
    rivals = [k for k in both if k != best]
    told = dict(zip(rivals, _decided(apart, rivals), strict=True))

    def role(k: int) -> str:
        if k == best:
            return RECOMMENDED
        if k in told:
            return SET_ASIDE if told[k] else ALTERNATIVE
        return TOO_DEAR if narrows[k] else SET_ASIDE

    gap = holding(values[:, 1], *percentile_interval(replicates[:, :, 1]))
    rows = []
    for k in sorted(range(len(methods)), key=lambda k: values[k, 1]):
        numbers = [*(part[k] for part in loss[:3]), values[k, 1], gap[0][k], gap[1][k]]
        numbers += [*(part[k] for part in change[:3]), *(part[k] for part in apart[:3])]
        rows.append((*methods[k], role(k), bool(keeps[k]), bool(narrows[k]), *optional(numbers)))
    return frame(rows, SCHEMA)


def _against(values: Array, replicates: Array, start: int, sign: int = 1) -> tuple[Array, Array, Array, Array]:
    """Difference from a method, its bounds and its replicates, times sign."""
    drawn = sign * (replicates - replicates[:, start : start + 1])
    value = sign * (values - values[start])
    return value, *holding(value, *percentile_interval(drawn)), drawn


def _decided(difference: tuple[Array, Array, Array, Array], chosen: list[int]) -> Array:
    """Which of the chosen differences stand out from noise after Holm, (len(chosen),)."""
    if not chosen:
        return np.zeros(0, dtype=bool)
    _, low, high, drawn = difference
    p = np.array(holm(tail_p(drawn[:, chosen]).tolist()), dtype=float)
    return (p < ALPHA) & ((low[chosen] > 0) | (high[chosen] < 0))
