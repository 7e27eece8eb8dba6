"""What p-values and intervals come to: bounds that agree with p, and the word of each figure."""

import numpy as np
from numpy.typing import NDArray

from lib.audit.inference.cells import Array
from lib.names import AT_MOST, NOT_ESTIMABLE, NOT_TOLD, SHOWN, SUGGESTED

ALPHA = 0.05
POWER = 0.8
LEAST = np.finfo(float).tiny


def agreeing(estimate: Array, low: Array, high: Array, p: Array, null: float) -> tuple[Array, Array]:
    """Bounds on the side of the null that p says: rounding, and the steps of the step-down, would leave them a hair off."""
    out, within = p <= ALPHA, p > ALPHA
    above, below = out & (estimate > null), out & (estimate < null)
    least = max(LEAST, abs(null) * 1e-15)
    low = np.where(above, np.maximum(low, null + least), np.where(within, np.minimum(low, null), low))
    high = np.where(below, np.minimum(high, null - least), np.where(within, np.maximum(high, null), high))
    return low, high


def verdicts_of(p: Array, adjusted: Array, equivalent: Array, told: NDArray[np.bool_]) -> NDArray[np.str_]:
    """The word of each figure: the first that holds of `shown`, `suggested`, `at most`; else `not told`."""
    conditions = [~told, adjusted <= ALPHA, p <= ALPHA, equivalent <= ALPHA]
    return np.select(conditions, [NOT_ESTIMABLE, SHOWN, SUGGESTED, AT_MOST], NOT_TOLD)
