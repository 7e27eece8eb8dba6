"""The largest gap of a method, and when another method's is shown to be smaller.

Disparity = max over gaps of |D|, the gaps being those in TPR and FPR of an attribute, `group - reference`. That j's is smaller than i's is
shown by smooth statements alone: with D* any gap of i and s its sign, s D* - D > 0 and s D* + D > 0 for every gap D of j, all at once
(intersection-union, no correction between them), since then max |D| of j < s D* <= max |D| of i, whichever gap of i is
truly the largest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.audit.inference import Figures
from lib.names import DEFAULTS, NO_TARGET, OVERALL, Attribute, Method, must_know


@dataclass(frozen=True, eq=False)
class Disparity:
    """One method: `accuracy`, balanced accuracy of everyone (K = 1), `gaps` (K) of an attribute, and which is the largest."""

    method: Method
    accuracy: Figures
    gaps: Figures

    @classmethod
    def known(cls, compared: Mapping[Method, Figures], attribute: str) -> "list[Disparity]":
        """Those of methods of which balanced accuracy and a gap of the attribute are estimable; all are figures of one kind."""
        if not compared:
            return []
        index = next(iter(compared.values())).index
        of, estimable = index["attribute"].to_numpy(), index["estimable"].to_numpy()
        overall, own = np.flatnonzero(of == OVERALL), np.flatnonzero((of == attribute) & estimable)
        if not len(own) or not estimable[overall].all():
            return []
        found = [cls(method, figures.take(overall), figures.take(own)) for method, figures in compared.items()]
        return [one for one in found if np.isfinite(one.sizes).all()]

    @cached_property
    def sizes(self) -> np.ndarray:
        """The gaps without their signs, (K,)."""
        return np.abs(self.gaps.estimate)

    @property
    def largest(self) -> int:
        """Which gap is the largest."""
        return int(self.sizes.argmax())

    @property
    def value(self) -> float:
        """The largest gap without its sign."""
        return float(self.sizes.max())

    @property
    def which(self) -> tuple[str, str]:
        """Metric and contrast of that gap."""
        row = self.gaps.index.row(self.largest, named=True)
        return row["metric"], row["contrast"]

    def signed(self, columns: int = 1) -> Figures:
        """The largest gap times its sign, in each of so many columns."""
        matrix = np.zeros((self.gaps.index.height, columns))
        matrix[self.largest] = np.sign(self.gaps.estimate[self.largest]) or 1.0
        index = self.gaps.index if columns == self.gaps.index.height else self.gaps.index[[self.largest] * columns]
        return self.gaps.contrast(index, matrix)

    def beats(self, other: "Disparity") -> list[Figures]:
        """Figures that are all above 0 where this method has a smaller disparity than the other."""
        star = other.signed(self.gaps.index.height)
        return [star - self.gaps, star + self.gaps]


def permitted(method: Method, attribute: str, attributes: Mapping[str, Attribute], may_use_demographics: bool) -> bool:
    """Whether a method acts on the attribute or on none, and asks, when deciding, for nothing that is forbidden."""
    known = must_know(method[1], method[2])
    allowed = may_use_demographics or known is None or not attributes.get(known, DEFAULTS.get(known)).of_patient
    return allowed and method[2] in (NO_TARGET, attribute)


def one_sided(p: Sequence[float], estimate: Sequence[float]) -> np.ndarray:
    """One-sided p-values of figures not being above 0, from two-sided ones."""
    p, estimate = np.asarray(p, dtype=float), np.asarray(estimate, dtype=float)
    return np.where(estimate > 0, p / 2, 1 - p / 2)
