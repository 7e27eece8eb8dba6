"""Does a method close a gap? Signed effects, and `narrowed` as two one-sided statements."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.infer import MARGIN, Inference, infer
from lib.audit.inference.variance import Summary, summary, taken, united
from lib.audit.inference.verdicts import ALPHA
from lib.names import AT_MOST, NARROWED, NOT_ESTIMABLE, NOT_TOLD, OPENED, SHOWN, SUGGESTED, TURNED, WIDENED


def narrowings(
    baseline: Figures,
    methods: Sequence[Figures],
    established: NDArray[np.bool_],
    families: Sequence[NDArray[np.bool_]] | None = None,
    *,
    margin: float = MARGIN,
    seed: int = 0,
) -> Iterator[pl.DataFrame]:
    """Effects e = D' - D on gaps D of the baseline: a table for each family, with a row for each method and gap.

    `established` (K,): which of the gaps are shown. `families`: each a choice (K,) among the gaps; one of all where none is given.
    Narrowed means |D'| < |D|: with s the sign of an established D, s (D - D') > 0 and s (D + D') > 0, each at level 5 % (an
    intersection-union test: no correction between the two; Berger 1982, doi 10.2307/1271003). It is `shown` where the effect is, and the second
    holds for the whole family of sums, else `suggested` where each holds singly. Columns: those of `infer` for e;
    `left` and its interval, what is left of the gap, D'; `change` and its word `change_verdict`.
    """
    effects = united([summary(own - baseline) for own in methods])
    sums = united([summary(own + baseline) for own in methods])
    left = united([summary(own) for own in methods])
    sign = np.tile(np.sign(np.nan_to_num(baseline.estimate)), len(methods))
    established = np.tile(np.asarray(established, bool), len(methods))
    settings = {"margin": margin, "seed": seed}
    for chosen in [np.ones(len(baseline), bool)] if families is None else families:
        some = np.tile(np.asarray(chosen, bool), len(methods))
        parts = [infer(taken(own, some), **settings) for own in (effects, left)]
        same_side = _same_side(sums, some & established, sign, settings)
        yield _table(*parts, established[some], sign[some], *(own[some] for own in same_side))


def _same_side(
    sums: Sequence[Summary], chosen: NDArray[np.bool_], sign: Array, settings: Mapping[str, Any]
) -> tuple[Array, Array]:
    """One-sided p (K,) of s (D + D') not being above 0, single and in the family of the chosen ones; 1 elsewhere."""
    single, adjusted = np.ones(len(sign)), np.ones(len(sign))
    if chosen.any():
        total = infer(taken(sums, chosen), **settings)
        ahead = sign[chosen] * total.estimate > 0
        single[chosen], adjusted[chosen] = _one_sided(total.p, ahead), _one_sided(total.p_adjusted, ahead)
    return single, adjusted


def _table(
    effect: Inference, left: Inference, established: NDArray[np.bool_], sign: Array, single: Array, adjusted: Array
) -> pl.DataFrame:
    """`single`, `adjusted` (K,): p of both gaps together not being on the side of the first."""
    closes = sign * effect.estimate < 0
    singly = np.maximum(_one_sided(effect.p, closes), single) <= ALPHA
    both = closes & (effect.p_adjusted <= ALPHA) & (adjusted <= ALPHA)
    told = np.isin(effect.verdict, (SHOWN, SUGGESTED))
    made = told & (left.verdict == SHOWN)
    # the first that holds
    changes = {
        NARROWED: established & (both | singly),
        TURNED: established & made & (sign * left.estimate < 0),
        WIDENED: established & told & (sign * effect.estimate > 0),
        OPENED: ~established & made & (effect.estimate * left.estimate > 0),
    }
    word = np.where(np.isin(effect.verdict, (AT_MOST, NOT_ESTIMABLE)), effect.verdict, NOT_TOLD)
    word = np.where(np.any([*changes.values()], axis=0), effect.verdict, word)
    word = np.where(changes[NARROWED], np.where(both, SHOWN, SUGGESTED), word)
    words = {
        "left_verdict": left.verdict,
        "change": np.select([*changes.values()], [*changes], NOT_TOLD),
        "change_verdict": word,
    }
    ends = {"left": left.estimate, "left_low": left.low, "left_high": left.high}
    return effect.table().with_columns(
        **{name: pl.Series(own, dtype=pl.Float64, nan_to_null=True) for name, own in ends.items()},
        **{name: pl.Series(own, dtype=pl.String) for name, own in words.items()},
    )


def _one_sided(p: Array, ahead: NDArray[np.bool_]) -> Array:
    """One-sided p (K,) of two-sided ones: half, where the estimate is on the side that is stated."""
    half = np.nan_to_num(p, nan=1.0) / 2
    return np.where(ahead, half, 1 - half)
