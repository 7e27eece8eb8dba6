"""Estimate, intervals, p-values and the word of every figure of a family, all from one pivot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import norm
from scipy.stats import t as student

from lib.audit.inference.cells import Array
from lib.audit.inference.figures import Figures
from lib.audit.inference.pivot import Pivot
from lib.audit.inference.simultaneous import stepped
from lib.audit.inference.variance import Summary, summaries, taken, united
from lib.audit.inference.verdicts import ALPHA, POWER, agreeing, verdicts_of
from lib.names import NETWORKS, PROCEDURE

MARGIN = 0.05
SINGLE = float(norm.isf(ALPHA / 2))
ROUNDING = 1e-12
NUMBERS = ("estimate", "low", "high", "low_simultaneous", "high_simultaneous", "p", "p_adjusted", "detectable")
"""What the table of an inference has, beside the words `verdict` and `estimand`."""


@dataclass(frozen=True, eq=False)
class Inference:
    """K figures of a family; every array is (K,), NaN where a figure is not estimable or the question is not asked.

    low, high: 95 % interval, which leaves `null` out if and only if p <= .05. low_simultaneous, high_simultaneous: the
    same for all figures of the family together, which leave it out if and only if p_adjusted <= .05; where only the step-down
    does, they end at it. p_equivalent: of the truth not being within the margin. detectable: distance from the null that
    is found with power 80 % by the single test. size: hypotheses of the family.
    """

    index: pl.DataFrame
    estimate: Array
    se: Array
    degrees: Array
    low: Array
    high: Array
    low_simultaneous: Array
    high_simultaneous: Array
    p: Array
    p_adjusted: Array
    p_equivalent: Array
    verdict: NDArray[np.str_]
    detectable: Array
    estimand: NDArray[np.str_]
    size: int
    patients: NDArray[np.int64]
    of_patients: Array
    """Share of the variance that more patients would lower."""

    def table(self) -> pl.DataFrame:
        """The index with the columns of `NUMBERS`, `verdict` and `estimand`; NaN is null."""
        columns = {name: pl.Series(getattr(self, name), dtype=pl.Float64, nan_to_null=True) for name in NUMBERS}
        words = {name: pl.Series(getattr(self, name), dtype=pl.String) for name in ("verdict", "estimand")}
        return self.index.with_columns(**columns, **words)

    def patients_needed(self, gap: float | Array) -> Array:
        """Patients of such a cohort (K,) for which a distance `gap` from the null is found with power 80 %.

        Infinite where the noise of so few networks alone hides it.
        """
        allowed = (np.asarray(gap) / (SINGLE + norm.ppf(POWER))) ** 2
        networks = self.se**2 * (1 - self.of_patients)
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.ceil(self.patients * self.se**2 * self.of_patients / (allowed - networks))
        return np.where(allowed > networks, needed, np.inf)


def infer(
    family: Figures | Summary | Sequence[Figures | Summary],
    *,
    margin: float = MARGIN,
    null: float | None = 0.0,
    seed: int = 0,
) -> Inference:
    """All figures as one family: verdicts hold for all of them together. `null`: the value tested."""
    return _inferred(summaries(family), margin, null, seed)


def describe(
    figures: Figures | Summary | Sequence[Figures | Summary],
    *,
    margin: float = MARGIN,
    null: float | None = 0.0,
) -> Inference:
    """Figures on their own: no family, so that the most that is said is `suggested`. With `null` None, an interval alone."""
    return _inferred(summaries(figures), margin, null, None)


def _inferred(family: list[Summary], margin: float, null: float | None, seed: int | None) -> Inference:
    family = united(family)
    pivots = [Pivot.for_summary(own) for own in family]
    every = [_single(pivot, margin, null) for pivot in pivots]
    joined = {name: np.concatenate([own[name] for own in every]) for name in every[0]}
    deviates, retrained = joined.pop("deviate"), joined.pop("retrained")
    asked = ~np.isnan(joined["p"])
    nothing = np.full(len(asked), np.nan)
    low, high, adjusted = nothing.copy(), nothing.copy(), nothing.copy()
    if seed is not None and null is not None and asked.any():
        adjusted[asked], critical = stepped(taken(family, asked), deviates[asked], seed=seed)
        # of a handful of patients, resampling may see less noise than the pivot allows for
        adjusted = np.fmax(adjusted, joined["p"])
        bounds = [pivot.bounds(critical, family=True) for pivot in pivots]
        low, high = (np.concatenate(own) for own in zip(*bounds, strict=True))
        low, high = np.fmin(low, joined["low"]), np.fmax(high, joined["high"])
        low, high = agreeing(joined["estimate"], low, high, adjusted, null)
    return Inference(
        index=pl.concat([own.index for own in family], how="diagonal"),
        low_simultaneous=np.where(asked, low, np.nan),
        high_simultaneous=np.where(asked, high, np.nan),
        p_adjusted=adjusted,
        verdict=verdicts_of(joined["p"], adjusted, joined["p_equivalent"], asked | ~np.isnan(joined["low"])),
        estimand=np.where(retrained, PROCEDURE, NETWORKS),
        size=int(asked.sum()),
        patients=np.concatenate([np.full(len(own), own.rows.shape[0]) for own in family]),
        **joined,
    )


def _single(pivot: Pivot, margin: float, null: float | None) -> dict[str, Any]:
    own = pivot.of
    known = own.known & np.isfinite(own.estimate)
    # nothing moves it: a value without noise, of which nothing is tested
    still = known & (pivot.se <= ROUNDING * np.maximum(1, np.abs(own.estimate))) & (own.parts is None)
    low, high = (np.where(still, own.estimate, bound) for bound in pivot.bounds(SINGLE))
    if null is None:
        p = equivalent = size = np.full(len(own), np.nan)
    else:
        p, size = 2 * ndtr(-pivot.size(null)), pivot.size(null, family=True)
        equivalent = np.maximum(pivot.above(null - margin), pivot.below(null + margin))
        low, high = agreeing(own.estimate, low, high, np.where(still, np.nan, p), null)
        p, size, equivalent = (np.where(still, np.nan, each) for each in (p, size, equivalent))
    reach = student.isf(ALPHA / 2, own.degrees) + student.ppf(POWER, own.degrees)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (pivot.se**2 - own.networks) / pivot.se**2
    numbers = {
        "estimate": own.estimate,
        "se": pivot.se,
        "degrees": own.degrees,
        "low": low,
        "high": high,
        "p": p,
        "p_equivalent": equivalent,
        "detectable": reach * pivot.se,
        "deviate": size,
        "of_patients": share,
    }
    found = {name: np.where(known, values, np.nan) for name, values in numbers.items()}
    return found | {"retrained": np.full(len(own), bool(own.network_rows))}
