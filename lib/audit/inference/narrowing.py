"""Does a method close a gap? Signed effects, and `narrowed` as two one-sided statements."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.infer import MARGIN, Inference, infer
from lib.audit.inference.variance import Summary, summary, united
from lib.audit.inference.words import ALPHA, Verdict


class Change(StrEnum):
    """What became of a gap."""

    NARROWED = "narrowed"
    """|D'| < |D|."""
    TURNED = "turned"
    """The gap is established on the other side."""
    WIDENED = "widened"
    OPENED = "opened"
    """A gap that the baseline did not establish is established, and the method made it."""
    NONE = "not told"


LEFT = ("left", "left_low", "left_high", "left_p", "left_p_equivalent")


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
    gaps = np.tile(baseline.estimate, len(methods))
    established = np.tile(np.asarray(established, bool), len(methods))
    settings = {"margin": margin, "seed": seed}
    for chosen in [np.ones(len(baseline), bool)] if families is None else families:
        some = np.tile(np.asarray(chosen, bool), len(methods))
        parts = [infer(_taken(own, some), **settings) for own in (effects, left)]
        same_side = _same_side(sums, some & established, gaps, settings)
        yield _table(*parts, established[some], np.sign(np.nan_to_num(gaps[some])), *(own[some] for own in same_side))


def _taken(family: Sequence[Summary], chosen: NDArray[np.bool_]) -> list[Summary]:
    """The chosen ones among all figures of a family, (K,)."""
    parts = np.split(chosen, np.cumsum([len(own) for own in family])[:-1])
    return [own.take(part) for own, part in zip(family, parts, strict=True) if part.any()]


def _same_side(
    sums: Sequence[Summary], chosen: NDArray[np.bool_], gaps: Array, settings: Mapping[str, Any]
) -> tuple[Array, Array]:
    """One-sided p (K,) of s (D + D') not being above 0, single and in the family of the chosen ones; 1 elsewhere."""
    single, adjusted = np.ones(len(gaps)), np.ones(len(gaps))
    if chosen.any():
        total = infer(_taken(sums, chosen), **settings)
        ahead = np.sign(gaps[chosen]) * total.estimate > 0
        single[chosen], adjusted[chosen] = _one_sided(total.p, ahead), _one_sided(total.p_adjusted, ahead)
    return single, adjusted


def _table(
    effect: Inference, left: Inference, established: NDArray[np.bool_], sign: Array, single: Array, adjusted: Array
) -> pl.DataFrame:
    """`single`, `adjusted` (K,): p of both gaps together not being on the side of the first."""
    closes = sign * effect.estimate < 0
    singly = np.maximum(_one_sided(effect.p, closes), single) <= ALPHA
    both = closes & (effect.p_adjusted <= ALPHA) & (adjusted <= ALPHA)
    told = [_change(k, effect, left, established[k], sign, singly[k], both[k]) for k in range(len(sign))]
    columns = dict(zip(LEFT, (left.estimate, left.low, left.high, left.p, left.p_equivalent), strict=True))
    numbers = {name: pl.Series(values, dtype=pl.Float64, nan_to_null=True) for name, values in columns.items()}
    words = {
        "left_verdict": left.verdict,
        "change": [own for own, _ in told],
        "change_verdict": [own for _, own in told],
    }
    return effect.table().with_columns(**numbers, **{name: _words(own) for name, own in words.items()})


def _change(
    k: int, effect: Inference, left: Inference, established: bool, sign: Array, singly: bool, both: bool
) -> tuple[Change, Verdict]:
    word = effect.verdict[k]
    if word == Verdict.NOT_ESTIMABLE:
        return Change.NONE, word
    told = word in (Verdict.SHOWN, Verdict.SUGGESTED)
    now_shown = left.verdict[k] == Verdict.SHOWN
    if established:
        if both or singly:
            return Change.NARROWED, Verdict.SHOWN if both else Verdict.SUGGESTED
        if told and now_shown and sign[k] * left.estimate[k] < 0:
            return Change.TURNED, word
        if told and sign[k] * effect.estimate[k] > 0:
            return Change.WIDENED, word
    elif told and now_shown and effect.estimate[k] * left.estimate[k] > 0:
        return Change.OPENED, word
    return Change.NONE, Verdict.AT_MOST if word == Verdict.AT_MOST else Verdict.NOT_TOLD


def _one_sided(p: Array, ahead: NDArray[np.bool_]) -> Array:
    """One-sided p (K,) of two-sided ones: half, where the estimate is on the side that is stated."""
    half = np.nan_to_num(p, nan=1.0) / 2
    return np.where(ahead, half, 1 - half)


def _words(given: Sequence[StrEnum]) -> pl.Series:
    return pl.Series([str(word) for word in given], dtype=pl.String)
