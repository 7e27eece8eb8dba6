"""Price and disparity of every method with their replicates: what methods are compared with each other on."""

from dataclasses import dataclass, field

import numpy as np

from lib.audit.contrasts import Contrast, contrasts
from lib.audit.estimates import Estimates
from lib.audit.frames import Method
from lib.audit.population import Population
from lib.audit.resampling import Array
from lib.names import ERRORS, MAX_MIN, OVERALL

ODDS = "odds"
"""Equalised odds gap: the larger of the TPR gap and the FPR gap, each max - min over groups."""
DISPARITIES = (*ERRORS, ODDS)


@dataclass(eq=False)
class Ledger:
    """Fills as the audit goes: call it with each method and its estimates.

    `values[method]` (1 + A x 3,) and `replicates[method]` (B, 1 + A x 3): balanced accuracy of everyone, then for each
    attribute its TPR, FPR and odds gap; NaN where a gap is not estimable. Replicates are kept in single precision.
    """

    population: Population
    smallest_cell: int = 20
    values: dict[Method, Array] = field(default_factory=dict)
    replicates: dict[Method, Array] = field(default_factory=dict)
    _contrasts: dict[tuple[str, ...], dict[tuple[str, str, str], Contrast]] = field(default_factory=dict)

    def __call__(self, method: Method, found: Estimates) -> None:
        """Take down one method."""
        if found.metrics not in self._contrasts:
            known = contrasts(self.population, found.metrics, self.smallest_cell)
            self._contrasts[found.metrics] = {(c.attribute, c.metric, c.name): c for c in known}
        chosen = self._contrasts[found.metrics]

        def read(values: Array) -> Array:
            columns = [chosen[OVERALL, "balanced_accuracy", "all"].of(values)]
            for attribute in self.population.groups:
                gaps = [chosen[attribute, metric, MAX_MIN].of(values) for metric in ERRORS]
                columns += [*gaps, np.maximum(*gaps)]
            return np.stack(columns, axis=-1)

        self.values[method] = read(found.values)
        self.replicates[method] = read(found.together).astype(np.float32)

    def column(self, attribute: str, disparity: str) -> int:
        """Where the gap of an attribute is."""
        return 1 + 3 * list(self.population.groups).index(attribute) + DISPARITIES.index(disparity)

    def of(self, attribute: str, disparity: str) -> tuple[list[Method], Array, Array]:
        """Methods (M), their balanced accuracy and gap (M, 2), and the replicates of both (B, M, 2).

        Methods whose gap is not estimable are left out.
        """
        columns = [0, self.column(attribute, disparity)]
        methods = [m for m, own in self.values.items() if not np.isnan(own[columns]).any()]
        if not methods:
            return [], np.empty((0, 2)), np.empty((0, 0, 2))
        replicates = np.stack([self.replicates[m][:, columns] for m in methods], axis=1)
        return methods, np.stack([self.values[m][columns] for m in methods]), replicates
