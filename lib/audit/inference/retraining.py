"""How noisy retraining is, told to comparisons of single networks, which cannot see it themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.audit.inference.figures import Figures, pool
from lib.audit.inference.variance import Summary, summary, together

KEYS = ("attribute", "group", "contrast", "metric")


@dataclass(frozen=True)
class Retraining:
    """Standard deviation of ONE network's figure between retrainings, on the same patients.

    `sd`: by (attribute, group or contrast, metric), as in the index of the figures, or by metric alone; `degrees` of freedom, infinite
    if stated.
    """

    sd: Mapping[tuple[str, ...] | str, float]
    degrees: float = np.inf

    @classmethod
    def stated(cls, sd: Mapping[tuple[str, ...] | str, float], degrees: float = np.inf) -> "Retraining":
        """A deviation known from elsewhere, in the unit of the figure (.02 = two points)."""
        return cls(dict(sd), degrees)

    @classmethod
    def pooled(cls, figures: Sequence[Figures]) -> "Retraining":
        """From figures of procedures with several networks each, all with the same index.

        Raises ValueError where none has two networks.
        """
        several = {str(k): own for k, own in enumerate(figures) if len(own.arms[0].values) > 1}
        if not several:
            raise ValueError("no procedure has two networks; a retraining deviation cannot be pooled.")
        found = [summary(own) for own in pool(several).values()]
        many = [len(own.arms[0].values) for own in several.values()]
        variance = sum(own.networks * n for own, n in zip(found, many, strict=True)) / len(found)
        keys = _keys(found[0])
        return cls(dict(zip(keys, np.sqrt(variance).tolist(), strict=True)), sum(n - 1 for n in many))

    def added(self, own: Summary) -> Summary:
        """The summary with the variance of retraining, where networks do not show it; one part for each network compared."""
        if own.network_rows:
            return own
        sd = np.array([self.sd.get(key, self.sd.get(key[-1], 0.0)) for key in _keys(own)])
        variance = own.networks_compared * sd**2
        degrees = together((own.patients + own.networks, own.degrees), (variance, self.degrees))
        return replace(own, networks=own.networks + variance, alone=variance, degrees=degrees)


def _keys(own: Summary) -> list[tuple[str, ...]]:
    names = [name for name in KEYS if name in own.index.columns]
    return own.index.select(names).rows()
