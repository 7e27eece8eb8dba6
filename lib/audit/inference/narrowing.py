"""Does a method close a gap? Signed effects, and `narrowed` as two one-sided statements."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.infer import MARGIN, Inference, infer
from lib.audit.inference.retraining import Retraining
from lib.audit.inference.variance import summary
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


def narrowing(
    baseline: Figures | Sequence[Figures],
    methods: Figures | Sequence[Figures],
    established: NDArray[np.bool_],
    *,
    margin: float = MARGIN,
    seed: int = 0,
    retraining: Retraining | None = None,
) -> pl.DataFrame:
    """Effects e = D' - D on gaps D of the baseline, for all methods as one family; a row for each method and gap.

    `baseline`: the gaps, or one such Figures for each method (those of the same networks). `established` (K,): which of its gaps are shown.
    Narrowed means |D'| < |D|: with s the sign of an established D, s (D - D') > 0 and s (D + D') > 0, each at level 5 % (an
    intersection-union test: no correction between the two; Berger 1982, doi 10.2307/1271003). It is `shown` where the effect is, and the second
    holds for the whole family of sums, else `suggested` where each holds singly. Columns: those of `infer` for e;
    `left` and its interval, what is left of the gap, D'; `change` and its word `change_verdict`.
    """
    after = [methods] if isinstance(methods, Figures) else list(methods)
    before = [baseline] * len(after) if isinstance(baseline, Figures) else list(baseline)
    effects = [summary(m - b) for m, b in zip(after, before, strict=True)]
    sums = [summary(m + b) for m, b in zip(after, before, strict=True)]
    gaps = np.concatenate([b.estimate for b in before])
    established = np.concatenate([np.asarray(established, bool)] * len(after))
    sign = np.sign(np.nan_to_num(gaps))
    settings = {"margin": margin, "retraining": retraining}
    effect, total = infer(effects, seed=seed, **settings), infer(sums, seed=seed, **settings)
    left = infer([summary(m) for m in after], seed=seed, **settings)
    closes, same_side = sign * effect.estimate < 0, sign * total.estimate > 0
    singly = np.maximum(_one_sided(effect.p, closes), _one_sided(total.p, same_side)) <= ALPHA
    both = closes & (effect.p_adjusted <= ALPHA) & (_one_sided(total.p_adjusted, same_side) <= ALPHA)
    changes, words = [], []
    for k in range(len(gaps)):
        change, verdict = _change(k, effect, left, established[k], sign, singly[k], both[k])
        changes.append(str(change))
        words.append(str(verdict))
    columns = dict(zip(LEFT, (left.estimate, left.low, left.high, left.p, left.p_equivalent), strict=True))
    told = {name: pl.Series(values, dtype=pl.Float64, nan_to_null=True) for name, values in columns.items()}
    return (
        effect.table()
        .with_columns(**told, left_verdict=_words(left.verdict))
        .with_columns(change=pl.Series(changes), change_verdict=pl.Series(words))
    )


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


def _words(verdicts: Sequence[Verdict]) -> pl.Series:
    return pl.Series([str(v) for v in verdicts])
