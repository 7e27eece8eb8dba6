"""The catalogue of weightings by re-trained last layer, and the noise floor beside which every effect is read.

The features are those of the networks trained with uniform weights, one set per seed; each weighting re-trains the last
layer on them, and so does its placebo, the same weights given to the wrong examples.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import polars as pl
from scipy.stats import t as student
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from lib.audit import Population, audit, point_values
from lib.files import alone_with, sweep, write_whole
from lib.names import BASELINE_POSTPROCESSING, BASELINE_WEIGHTING, MAX_MIN, NO_TARGET, OVERALL, PLACEBO
from lib.preprocessing import catalogue, effective_share, equivalents, example_weights
from lib.results import TABLES
from lib.training.batches import fit_and_tune
from lib.training.last_layer import head_scores, run_features
from lib.training.store import Plan

KEPT = "heads.parquet"
FIXED = (BASELINE_POSTPROCESSING, NO_TARGET)


def catalogue_tables(
    plan: Plan, pixels: np.ndarray, people: Population, *, replicates: int, smallest_cell: int
) -> dict[str, pl.DataFrame]:
    """Tables `catalogue`, `head_metrics`, `head_changes` and the heads' part of `noise_floor`.

    Weightings that are the same as an earlier one on this cohort are listed and not tried again. Holm's correction of
    the changes is over the weightings tried; placebos are no hypotheses and enter the noise floor only.
    """
    weights, refused = _usable(plan)
    same = equivalents(weights)
    tried = [name for name in weights if name not in same]
    scores = _scores(plan, pixels, [*tried, *(f"{PLACEBO}{name}" for name in tried if name != BASELINE_WEIGHTING)])
    listed = [
        (name, effective_share(own), float(own.max()), same.get(name), refused.get(name))
        for name, own in weights.items()
    ] + [(name, None, None, None, why) for name, why in refused.items()]
    real = {name: scores[name] for name in tried}
    decisions = {(name, *FIXED): (rows >= 0.5).astype(float) for name, rows in real.items()}
    audited = audit(people, real, decisions, replicates=replicates, smallest_cell=smallest_cell, further=False)
    values = partial(point_values, people, smallest_cell=smallest_cell)
    base = values((scores[BASELINE_WEIGHTING] >= 0.5).astype(float))
    placebos = [values((rows >= 0.5).astype(float)) for name, rows in scores.items() if name.startswith(PLACEBO)]
    return {
        "catalogue": pl.DataFrame(listed, schema=TABLES["catalogue"], orient="row"),
        "head_metrics": audited["metrics"],
        "head_changes": audited["changes"],
        "noise_floor": placebo_floor(base, placebos),
    }


def embeddings(plan: Plan, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Features of the valid images under the networks trained with uniform weights, {weighting: (S, n_valid, width)}."""
    of_seed = []
    for seed in plan.seeds:
        found = run_features(plan.frame, pixels, plan.settings, seed, plan.folder(BASELINE_WEIGHTING, seed))
        of_seed.append(found.values[found.valid])
    return {BASELINE_WEIGHTING: np.stack(of_seed)}


def _usable(plan: Plan) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Weights on the training images of every weighting that also the rows that each seed fits on allow; the others' reasons."""
    train = plan.frame.filter(pl.col("split") == "train")
    weights, refused = catalogue(train)
    for seed in plan.seeds:
        fit, _ = fit_and_tune(train, plan.settings.tune_share, seed)
        refused = catalogue(train[fit])[1] | refused
    return {name: own for name, own in weights.items() if name not in refused}, refused


def placebo_floor(base: Mapping[tuple, float | None], placebos: list[Mapping[tuple, float | None]]) -> pl.DataFrame:
    """Per figure, the change against `base` that 19 of 20 placebos stay under (in absolute value)."""
    rows = []
    for key in _outcomes(base):
        moved = [abs(own[key] - base[key]) for own in placebos if own[key] is not None and base[key] is not None]
        rows.append(("head", *key, float(np.quantile(moved, 0.95)) if moved else None, len(moved)))
    return pl.DataFrame(rows, schema=TABLES["noise_floor"], orient="row")


def retraining_floor(people: Population, scores: Mapping[str, np.ndarray], *, smallest_cell: int) -> pl.DataFrame:
    """Per figure, how far two means over S networks of the *same* procedure lie apart in 19 of 20 repetitions.

    `scores[weighting]` (S, n). t(.975, d) sd sqrt(2 / S), the deviations of networks from the mean of their weighting pooled
    over weightings, d = sum of S - 1; S is that of the uniform networks. Null where nothing was trained twice.
    """
    values = partial(point_values, people, smallest_cell=smallest_cell)
    each = {name: [values(own[None]) for own in (rows >= 0.5).astype(float)] for name, rows in scores.items()}
    networks, degrees = len(each[BASELINE_WEIGHTING]), sum(len(rows) - 1 for rows in each.values())
    rows = []
    for key in _outcomes(each[BASELINE_WEIGHTING][0]):
        by_weighting = [[own[key] for own in rows] for rows in each.values()]
        floor = None
        if degrees and not any(None in own for own in by_weighting):
            pooled = sum(len(own) * np.var(own) for own in by_weighting) / degrees
            floor = float(student.ppf(0.975, degrees) * np.sqrt(2 * pooled / networks))
        rows.append(("full", *key, floor, networks))
    return pl.DataFrame(rows, schema=TABLES["noise_floor"], orient="row")


def _outcomes(values: Mapping[tuple, float | None]) -> list[tuple[str, str, str]]:
    """The figures that changes are reported of: levels of everyone, and spreads over groups."""
    return [key for key in values if key[0] == OVERALL or key[2] == MAX_MIN]


def _scores(plan: Plan, pixels: np.ndarray, wanted: list[str]) -> dict[str, np.ndarray]:
    """Scores (S, n_valid) by weighting, the heads of each seed kept beside its run."""
    by_seed = []
    with tqdm(total=len(wanted) * len(plan.seeds), desc="Re-training last layers", unit=" heads") as bar:
        for seed in plan.seeds:
            by_seed.append(_heads_of_seed(plan, pixels, seed, wanted, bar.update))
    return {name: np.stack([own[name].to_numpy() for own in by_seed]) for name in wanted}


def _heads_of_seed(
    plan: Plan, pixels: np.ndarray, seed: int, wanted: list[str], done: Callable[[int], object]
) -> pl.DataFrame:
    folder = plan.folder(BASELINE_WEIGHTING, seed)
    kept = folder / KEPT
    with alone_with(folder):
        sweep(folder, "*.part")
        if kept.is_file() and set(wanted) <= set((found := pl.read_parquet(kept)).columns):
            done(len(wanted))
            return found
        features = run_features(plan.frame, pixels, plan.settings, seed, folder)
        fit = plan.frame[features.fit]
        weights = {name: partial(example_weights, name, fit, seed) for name in wanted}
        with threadpool_limits(1):  # the matrices are small: more threads wait for each other
            found = pl.DataFrame(head_scores(features, plan.frame["label"].to_numpy(), weights, partial(done, 1)))
        content = io.BytesIO()
        found.write_parquet(content)
        write_whole(kept, content.getbuffer())
    return found
