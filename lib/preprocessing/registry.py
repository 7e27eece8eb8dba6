"""Weightings by name, as written in `study.toml`: `family`, `family_attribute`, `family_attribute+attribute`.

A name led by `placebo_` gives the weights of the rest of the name to the wrong examples.
"""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from lib.names import GROUPINGS, PLACEBO, WEIGHTINGS
from lib.preprocessing import weightings as w

__all__ = ["catalogue", "equivalents", "example_weights", "names"]

_PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "uniform": w.uniform,
    "inverse_class_frequency": w.inverse_class_frequency,
    "effective_number": w.effective_number,
    "median_frequency": w.median_frequency,
}
_BY_GROUP: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "kamiran_calders": w.kamiran_calders,
    "group_balanced": w.group_balanced,
    "group_label_balanced": w.group_label_balanced,
    "group_label_balanced_sqrt": w.group_label_balanced_sqrt,
    "effective_number": w.effective_number,
    "median_frequency": w.median_frequency,
}
_NAMED = {f"{family}_{grouping}": (family, grouping) for family in _BY_GROUP for grouping in GROUPINGS}


def names() -> list[str]:
    """Every weighting that `study.toml` may name, placebos apart (`placebo_` before any other name than uniform)."""
    return list(WEIGHTINGS)


def is_known(name: str) -> bool:
    """Whether `study.toml` may name this weighting."""
    return name in WEIGHTINGS or (name.removeprefix(PLACEBO) in WEIGHTINGS and name != f"{PLACEBO}uniform")


def example_weights(name: str, train: pl.DataFrame, seed: int = 0) -> np.ndarray:
    """Weights (n,) with mean 1 of the rows of `train` (columns `image`, `label`, `weight` and the attributes).

    `seed` draws the permutation of a placebo and is not looked at otherwise. Raises `WeightingError` for an unknown
    name or a weighting that these rows do not allow.
    """
    if not is_known(name):
        raise w.WeightingError(f"Weighting {name!r} is unknown; allowed are {', '.join(names())}.")
    if name.startswith(PLACEBO):
        return w.placebo(example_weights(name.removeprefix(PLACEBO), train), seed)
    labels = train["label"].to_numpy().astype(int)
    family, grouping = _NAMED.get(name, (name, ""))
    try:
        if grouping:
            return _BY_GROUP[family](labels, _groups(train, grouping))
        if name == "csv":
            return w.given(train["weight"].cast(pl.Float64).fill_null(np.nan).to_numpy(), train["image"].to_numpy())
        return _PLAIN[name](labels)
    except w.WeightingError as error:
        where = f", {_of(grouping)}" if grouping else ""
        raise w.WeightingError(f"Weighting {name}{where}: {error}") from None


def catalogue(train: pl.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Weights of every weighting that `train` allows, and the sentence of every one that it does not."""
    possible, refused = {}, {}
    for name in names():
        try:
            possible[name] = example_weights(name, train)
        except w.WeightingError as error:
            refused[name] = str(error)
    return possible, refused


def equivalents(weights: Mapping[str, np.ndarray]) -> dict[str, str]:
    """For each weighting that is the same as an earlier one on these examples (to 0.1 %), the name of that one."""
    same: dict[str, str] = {}
    distinct: dict[str, np.ndarray] = {}
    for name, own in weights.items():
        twin = next(
            (other for other, theirs in distinct.items() if np.allclose(own, theirs, rtol=1e-3, atol=1e-6)), None
        )
        if twin is None:
            distinct[name] = own
        else:
            same[name] = twin
    return same


def _groups(train: pl.DataFrame, grouping: str) -> np.ndarray:
    """The group of each row, `F` or `F AP`; null where any of the attributes is unknown."""
    return train.select(pl.concat_str(grouping.split("+"), separator=" "))[:, 0].to_numpy().astype(object)


def _of(grouping: str) -> str:
    parts = grouping.split("+")
    return f"attribute{'s' if len(parts) > 1 else ''} {' and '.join(parts)}"
