"""Many questions at once: Holm's adjustment, and the words that a difference earns."""

from collections.abc import Hashable, Sequence

import numpy as np

from lib.names import NOT_ESTIMABLE, UNDECIDED

ALPHA = 0.05


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment of the p-values of one family; None and NaN stay None and do not count.

    With m values sorted upwards, the i-th becomes max over j <= i of min(1, (m - j + 1) p_(j)): below .05 means that
    the difference stands although m were looked at. Source: Holm 1979, jstor 4615733.
    Raises ValueError for a value outside 0 to 1.
    """
    known = [(value, i) for i, value in enumerate(p) if value is not None and not np.isnan(value)]
    adjusted: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, i) in enumerate(sorted(known)):
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is not a p-value; allowed is 0 to 1.")
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        adjusted[i] = largest
    return adjusted


def holm_by_family(families: Sequence[Hashable], p: Sequence[float | None]) -> list[float | None]:
    """Holm's adjustment within each family: `families` names that of each p-value, in any order."""
    members: dict[Hashable, list[int]] = {}
    for i, family in enumerate(families):
        members.setdefault(family, []).append(i)
    adjusted: list[float | None] = [None] * len(p)
    for rows in members.values():
        for i, value in zip(rows, holm([p[i] for i in rows]), strict=True):
            adjusted[i] = value
    return adjusted


def verdict(low: float | None, high: float | None, p_holm: float | None, *, up: str, down: str) -> str:
    """`up` or `down` when the adjusted p is below .05 and the interval excludes 0 on that side; else undecided.

    Never rests on the point estimate. Missing bounds or p-value mean that the difference is not estimable.
    """
    if low is None or high is None or p_holm is None:
        return NOT_ESTIMABLE
    if p_holm < ALPHA and low > 0:
        return up
    if p_holm < ALPHA and high < 0:
        return down
    return UNDECIDED
