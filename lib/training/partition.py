"""`fit` and `tune` rows of the training patients."""

import numpy as np
import polars as pl


def fit_and_tune(train: pl.DataFrame, tune_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers (of `train`) for fitting and for choosing the epoch; no patient is in both.

    A share `tune_share` of the patients, drawn from `seed`, goes to tune. Raises ValueError when either part would
    lack a class.
    """
    patients = train["patient"].unique().sort()
    rng = np.random.default_rng([seed, 1])
    chosen = rng.permutation(len(patients))[: max(1, round(tune_share * len(patients)))]
    tune = train["patient"].is_in(patients.gather(chosen).implode()).to_numpy()
    labels = train["label"].to_numpy()
    for part, rows in (("fit", ~tune), ("tune", tune)):
        if len(np.unique(labels[rows])) < 2:
            raise ValueError(f"the {part} part of the training patients lacks a class; more patients are needed.")
    return np.flatnonzero(~tune), np.flatnonzero(tune)
