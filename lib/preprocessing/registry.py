"""Weightings by name, as written in `study.toml`."""

import numpy as np
import polars as pl

from lib.names import ATTRIBUTES
from lib.preprocessing.weightings import WeightingError, inverse_class_frequency, kamiran_calders, uniform

__all__ = ["WeightingError", "example_weights", "names"]

_KAMIRAN_CALDERS = {f"kamiran_calders_{a}": a for a in ATTRIBUTES}


def names() -> list[str]:
    """Every weighting that `study.toml` may name."""
    return ["uniform", "inverse_class_frequency", *_KAMIRAN_CALDERS]


def example_weights(name: str, train: pl.DataFrame) -> np.ndarray:
    """Weights (n,) with mean 1 of the rows of `train` (columns `label` and the attributes).

    Raises `WeightingError` for an unknown name or a weighting that these rows do not allow.
    """
    labels = train["label"].to_numpy().astype(int)
    if name == "uniform":
        return uniform(labels)
    if name == "inverse_class_frequency":
        return inverse_class_frequency(labels)
    if name in _KAMIRAN_CALDERS:
        attribute = _KAMIRAN_CALDERS[name]
        try:
            return kamiran_calders(labels, train[attribute].to_numpy())
        except WeightingError as error:
            raise WeightingError(f"Weighting {name}, attribute {attribute}: {error}") from None
    raise WeightingError(f"Weighting {name!r} is unknown; allowed are {', '.join(names())}.")
