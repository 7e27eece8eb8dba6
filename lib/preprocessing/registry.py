"""Weightings by name, as written in `study.toml`: `family`, `family_attribute`, `family_attribute+attribute`.

A name led by `patient_balanced_x_` gives the weights of the rest of the name divided by the images of the patient; one
led by `placebo_` gives the weights of the rest to the wrong examples.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import polars as pl

from lib.names import BY_PATIENT, DEFAULTS, PLACEBO, WEIGHTINGS, by_groups, is_weighting
from lib.preprocessing import weightings as w
from lib.preprocessing.weightings import WeightingError

__all__ = ["catalogue", "equivalents", "example_weights", "names"]

_FAMILIES: dict[str, Callable[[w.Examples], np.ndarray]] = {
    "uniform": w.uniform,
    "patient_balanced": w.patient_balanced,
    "inverse_class_frequency": w.inverse_class_frequency,
    "kamiran_calders": w.kamiran_calders,
    "group_balanced": w.group_balanced,
    "group_label_balanced": w.group_label_balanced,
    "group_label_balanced_sqrt": w.group_label_balanced_sqrt,
    "effective_number": w.effective_number,
    "median_frequency": w.median_frequency,
    "csv": w.given,
}
MOST_CROSSED = 3
"""Attributes up to which all crossings of them are listed; of more, pairs."""


def names(attributes: Sequence[str] = tuple(DEFAULTS)) -> list[str]:
    """Every weighting that `study.toml` may name, those times `patient_balanced` and placebos apart."""
    largest = len(attributes) if len(attributes) <= MOST_CROSSED else 2
    sizes = range(1, largest + 1)
    groupings = ["+".join(chosen) for size in sizes for chosen in combinations(attributes, size)]
    families = dict.fromkeys(parts[0] for name in WEIGHTINGS if (parts := by_groups(name)) and parts[0] in _FAMILIES)
    grouped = [f"{family}_{grouping}" for family in families for grouping in groupings]
    plain = [name for name in WEIGHTINGS if name in _FAMILIES]
    return [*(name for name in plain if name != "csv"), *grouped, "csv"]


def example_weights(name: str, train: pl.DataFrame, seed: int = 0) -> np.ndarray:
    """Weights (n,) with mean 1 of the rows of `train` (columns `image`, `label`, `patient`, `weight`, the attributes).

    Only the columns that the weighting looks at are needed. `seed` draws the permutation of a placebo and is not looked
    at otherwise. Raises `WeightingError` for an unknown name or a weighting that these rows do not allow.
    """
    if not is_weighting(name):
        raise WeightingError("Weighting {name} is unknown; allowed are {names}.", repr(name), ", ".join(names()))
    if name.startswith(PLACEBO):
        return w.placebo(example_weights(name.removeprefix(PLACEBO), train), seed)
    plain = name.removeprefix(BY_PATIENT)
    family, attributes = (plain, ()) if plain in _FAMILIES else by_groups(plain)
    if lacking := [attribute for attribute in attributes if attribute not in train.columns]:
        raise WeightingError(
            "Weighting {name}: there is no attribute {attribute}; [audit] attributes names those that there are.",
            name,
            repr(lacking[0]),
        )
    grouping = "+".join(attributes)
    examples = _examples(train, grouping)
    try:
        weights = _FAMILIES[family](examples)
        return w.times(weights, w.patient_balanced(examples)) if name.startswith(BY_PATIENT) else weights
    except WeightingError as error:
        raise WeightingError("Weighting {name}: {why}", name, error) from None


def catalogue(
    train: pl.DataFrame, attributes: Sequence[str] = tuple(DEFAULTS)
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Weights of every weighting that `train` allows, and the sentence of every one that it does not."""
    possible, refused = {}, {}
    for name in names(attributes):
        try:
            possible[name] = example_weights(name, train)
        except WeightingError as error:
            refused[name] = str(error)
    return possible, refused


def equivalents(weights: Mapping[str, np.ndarray]) -> dict[str, str]:
    """For each weighting that is the same as an earlier one on these examples (to 0.1 %), the name of that one."""
    same: dict[str, str] = {}
    distinct: dict[str, np.ndarray] = {}
    for name, values in weights.items():
        twin = next(
            (other for other, theirs in distinct.items() if np.allclose(values, theirs, rtol=1e-3, atol=1e-6)), None
        )
        if twin is None:
            distinct[name] = values
        else:
            same[name] = twin
    return same


def _examples(train: pl.DataFrame, grouping: str) -> w.Examples:
    """The rows as weightings see them; groups are `F` or `F AP`, None where any of the attributes is unknown."""
    crossed = pl.concat_str(grouping.split("+"), separator=" ") if grouping else None
    columns = {
        "groups": crossed,
        "patients": pl.col("patient") if "patient" in train.columns else None,
        "given": pl.col("weight").cast(pl.Float64).fill_null(np.nan) if "weight" in train.columns else None,
        "images": pl.col("image") if "image" in train.columns else None,
    }
    arrays = {name: train.select(column)[:, 0].to_numpy() for name, column in columns.items() if column is not None}
    if grouping:
        arrays["groups"] = arrays["groups"].astype(object)
    return w.Examples(train["label"].to_numpy().astype(int), **arrays)
