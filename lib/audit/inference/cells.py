"""Cells, of which figures are combinations, and the networks that their values come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cells:
    """C cells: what is known of each beside its values.

    `size` (C,) patients behind it; `images` (C,) images; `degrees` (C,) effective number of patients less one, see
    `lib.audit.inference.variance`; `known` (C,), False where nobody is in it; `bounds`, the range of what is averaged;
    `proportion`: a share of images with values in 0 to 1, whose interval is Wilson's; `resamples`: the rows of influences are resamples;
    `floor`: by how much a patient more could move the sum behind a cell, so that one in which nobody differs is not certain.
    """

    size: Array
    images: Array
    degrees: Array
    known: NDArray[np.bool_]
    bounds: tuple[float, float] = (-np.inf, np.inf)
    proportion: bool = False
    resamples: bool = False
    floor: float = 0.0

    def joined(self, other: "Cells", sign: int) -> "Cells":
        """The cells of a sum (sign 1) or difference (-1), cell by cell."""
        low, high = other.bounds if sign > 0 else (-other.bounds[1], -other.bounds[0])
        return Cells(
            np.minimum(self.size, other.size),
            np.minimum(self.images, other.images),
            np.minimum(self.degrees, other.degrees),
            self.known & other.known,
            (self.bounds[0] + low, self.bounds[1] + high),
            resamples=self.resamples,
            floor=max(self.floor, other.floor),
        )

    def take(self, chosen: NDArray[np.bool_]) -> "Cells":
        """Some of the cells, by mask (C,)."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in ("size", "images", "degrees", "known")})

    def beside(self, other: "Cells") -> "Cells":
        """Both, one after the other."""
        parts = (np.concatenate([getattr(self, n), getattr(other, n)]) for n in ("size", "images", "degrees", "known"))
        bounds = min(self.bounds[0], other.bounds[0]), max(self.bounds[1], other.bounds[1])
        floor = max(self.floor, other.floor)
        return Cells(*parts, bounds, self.proportion and other.proportion, self.resamples, floor)


@dataclass(frozen=True, eq=False)
class Arm:
    """The S networks of one weighting: `values` (S, C), `influence` (S, P, C), and `deviations` (R, C) of the networks of
    all pooled weightings from the mean of theirs, with so many `degrees` of freedom.
    """

    weighting: str
    values: Array
    influence: NDArray[np.float32]
    deviations: Array
    degrees: int

    def each(self, change: Callable[..., Array], *others: "Arm") -> "Arm":
        """With what `change` makes of each array, given the same of the others."""
        arrays = ([getattr(arm, name) for arm in (self, *others)] for name in ("values", "influence", "deviations"))
        return Arm(self.weighting, *(change(*own) for own in arrays), self.degrees)

    def plus(self, other: "Arm", sign: int) -> "Arm":
        """Network by network."""
        if self.deviations.shape != other.deviations.shape:
            raise ValueError(
                f"weighting {self.weighting!r} has {len(self.deviations)} and {len(other.deviations)} pooled networks; pool both alike."
            )
        return self.each(np.add if sign > 0 else np.subtract, other)

    def padded(self, before: int, after: int) -> "Arm":
        """With cells that are 0 before and after the own ones."""
        return self.each(lambda own: np.pad(own, [(0, 0)] * (own.ndim - 1) + [(before, after)]))


def paired(ours: Sequence[Arm], others: Sequence[Arm], sign: int) -> tuple[Arm, ...]:
    """Arms of the same weighting network by network, the others side by side."""
    found = {arm.weighting: arm for arm in ours}
    for arm in others:
        own = found.get(arm.weighting)
        if own is not None and len(own.values) != len(arm.values):
            raise ValueError(
                f"weighting {arm.weighting!r} has {len(own.values)} and {len(arm.values)} networks; as many are needed."
            )
        found[arm.weighting] = arm.each(lambda array: array * sign) if own is None else own.plus(arm, sign)
    return tuple(found.values())
