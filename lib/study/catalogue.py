"""The catalogue of weightings by re-trained last layer, and the noise floor beside which every effect is read.

The features are those of the networks trained with uniform weights, one set per seed; each weighting re-trains the last
layer on them, and so does its placebo, the same weights given to the wrong examples.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import polars as pl
from scipy.stats import t as student
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from lib.audit import Context, Population, answer
from lib.audit.inference import Figures
from lib.audit.judged import outcomes
from lib.files import alone_with, sweep, write_whole
from lib.messages import message
from lib.names import BASELINE, BASELINE_WEIGHTING, PLACEBO
from lib.preprocessing import catalogue, equivalents, example_weights
from lib.study.last_layer import head_scores, run_features
from lib.tables import RECORDED
from lib.training.batches import fit_and_tune
from lib.training.store import Plan

KEPT = "heads.parquet"


def catalogue_tables(
    plan: Plan, pixels: np.ndarray, people: Population, valid: pl.DataFrame, *, smallest_cell: int, **settings: float
) -> dict[str, pl.DataFrame]:
    """Tables `head_metrics`, `head_effects` and the heads' part of `noise_floor`.

    Weightings that are the same as an earlier one on this cohort are not tried again. The families are over the
    weightings tried; placebos are no hypotheses and enter the noise floor only. `valid` has the rows of `people`;
    `settings` are those of `Context`.
    """
    weights = _usable(plan, list(people.attributes))
    same = equivalents(weights)
    tried = [name for name in weights if name not in same]
    scores = _scores(plan, pixels, [*tried, *(f"{PLACEBO}{name}" for name in tried if name != BASELINE_WEIGHTING)])
    real = {name: scores[name] for name in tried}
    placebos = {name: values for name, values in scores.items() if name.startswith(PLACEBO)}
    floor = placebo_floor(people, real[BASELINE_WEIGHTING], placebos, smallest_cell=smallest_cell)
    return {"noise_floor": floor} | head_tables(people, valid, real, smallest_cell=smallest_cell, **settings)


def head_tables(
    people: Population, valid: pl.DataFrame, scores: Mapping[str, np.ndarray], **settings: float
) -> dict[str, pl.DataFrame]:
    """Tables `head_metrics` and `head_effects` of the scores (S, n) of re-trained last layers, by weighting."""
    decisions = {(name, *BASELINE[1:]): (rows >= 0.5).astype(float) for name, rows in scores.items()}
    audited = answer(Context(people, valid, scores, decisions, **settings), only=["metrics", "effects"])
    return {f"head_{name}": audited[name] for name in ("metrics", "effects")}


def embeddings(plan: Plan, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Features of the valid images under the networks trained with uniform weights, {weighting: (S, n_valid, width)}."""
    of_seed = []
    for seed in plan.seeds:
        features = run_features(plan.frame, pixels, plan.settings, seed, plan.folder(BASELINE_WEIGHTING, seed))
        of_seed.append(features.values[features.valid])
    return {BASELINE_WEIGHTING: np.stack(of_seed)}


def _usable(plan: Plan, attributes: list[str]) -> dict[str, np.ndarray]:
    """Weights on the training images of every weighting that also the rows that each seed fits on allow."""
    train = plan.frame.filter(pl.col("split") == "train")
    weights, refused = catalogue(train, attributes)
    for seed in plan.seeds:
        fit, _ = fit_and_tune(train, plan.settings.tune_share, seed)
        refused = catalogue(train[fit], attributes)[1] | refused
    return {name: values for name, values in weights.items() if name not in refused}


def placebo_floor(
    people: Population, base: np.ndarray, placebos: Mapping[str, np.ndarray], *, smallest_cell: int
) -> pl.DataFrame:
    """Per figure, the effect against the scores `base` (S, n) that 19 of 20 placebos stay under (in absolute value)."""
    start = _outcomes(people, base, smallest_cell)
    moved = np.array(
        [np.abs(_outcomes(people, rows, smallest_cell).estimate - start.estimate) for rows in placebos.values()]
    )
    floors = np.quantile(moved, 0.95, axis=0) if len(moved) else np.full(start.index.height, np.nan)
    return _floor("head", start, floors, len(moved))


def retraining_floor(people: Population, scores: Mapping[str, np.ndarray], *, smallest_cell: int) -> pl.DataFrame:
    """Per figure, how far two means over S networks of the *same* procedure lie apart in 19 of 20 repetitions.

    `scores[weighting]` (S, n). t(.975, d) sd sqrt(2 / S), the deviations of networks from the mean of their weighting pooled
    over weightings, d = sum of S - 1; S is that of the uniform networks. Null where nothing was trained twice.
    """
    each = {name: _outcomes(people, rows, smallest_cell) for name, rows in scores.items()}
    base = each[BASELINE_WEIGHTING]
    degrees = sum(len(figures.by_network) - 1 for figures in each.values())
    floors = np.full(base.index.height, np.nan)
    if degrees:
        pooled = sum(len(figures.by_network) * figures.by_network.var(axis=0) for figures in each.values()) / degrees
        floors = student.ppf(0.975, degrees) * np.sqrt(2 * pooled / len(base.by_network))
    return _floor("full", base, floors, len(base.by_network))


def _outcomes(people: Population, scores: np.ndarray, smallest_cell: int) -> Figures:
    """Balanced accuracy of everyone and the gaps in TPR and FPR, by patient, of scores (S, n) at the fixed threshold."""
    return outcomes(people, (scores >= 0.5).astype(float), smallest_cell=smallest_cell)


def _floor(trained: str, figures: Figures, floors: np.ndarray, count: int) -> pl.DataFrame:
    table = figures.index.select("attribute", "metric", "contrast").with_columns(
        trained=pl.lit(trained), floor=pl.Series(floors, dtype=pl.Float64).fill_nan(None), n=pl.lit(count, pl.Int64)
    )
    return table.select(*RECORDED["noise_floor"])


def _scores(plan: Plan, pixels: np.ndarray, wanted: list[str]) -> dict[str, np.ndarray]:
    """Scores (S, n_valid) by weighting, the heads of each seed kept beside its run."""
    seeds = tqdm(plan.seeds, message("Re-training last layers"), unit=message(" seeds"))
    by_seed = [_heads_of_seed(plan, pixels, seed, wanted) for seed in seeds]
    return {name: np.stack([heads[name].to_numpy() for heads in by_seed]) for name in wanted}


def _heads_of_seed(plan: Plan, pixels: np.ndarray, seed: int, wanted: list[str]) -> pl.DataFrame:
    folder = plan.folder(BASELINE_WEIGHTING, seed)
    kept = folder / KEPT
    with alone_with(folder):
        sweep(folder, "*.part")
        if kept.is_file() and set(wanted) <= set((heads := pl.read_parquet(kept)).columns):
            return heads
        features = run_features(plan.frame, pixels, plan.settings, seed, folder)
        fit = plan.frame[features.fit]
        weights = {name: partial(example_weights, name, fit, seed) for name in wanted}
        with threadpool_limits(1):  # the matrices are small: more threads wait for each other
            heads = pl.DataFrame(head_scores(features, plan.frame["label"].to_numpy(), weights))
        write_whole(kept, heads.write_parquet)
    return heads
