"""Data analysis: who is in each split, how often they are sick, and which columns go together.

Every function reads the cohort frame, a row per image: `split` (train, valid), `patient`, `label` (1 = sick), `age` in
years, and a String column per attribute; null = unknown, left out of the groups and of the pairs it would belong to.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl

from lib.audit.amplification import prevalence
from lib.audit.frames import frame, optional
from lib.audit.population import Population
from lib.audit.resampling import Array, never_certain, patient_counts, percentile_interval, resampled_sums
from lib.audit.shares import shares, visits
from lib.audit.simpson import Levels, simpson
from lib.names import ATTRIBUTES

SPLITS = ("train", "valid")
S, I, F = pl.String, pl.Int64, pl.Float64
_INTERVAL = {"low": F, "high": F}
_COUNTS = {"images": I, "patients": I, "sick": I}
COMPOSITION = {"split": S, "attribute": S, "group": S} | _COUNTS | {"prevalence": F} | _INTERVAL
PAIRS = {name: S for name in ("split", "attribute", "group", "other", "other_group")} | _COUNTS
ASSOCIATIONS = {"split": S, "attribute": S, "other": S, "cramers_v": F} | _INTERVAL | {"images": I}
AGES = {"split": S, "label": I, "age": I, "images": I}


def describe(
    cohort: pl.DataFrame, *, replicates: int = 2000, smallest_cell: int = 20, seed: int = 0
) -> dict[str, pl.DataFrame]:
    """Tables `composition`, `pairs`, `shares`, `associations`, `ages`, `visits` and `simpson` (of the data), as in the bundle.

    `smallest_cell`: patients under which a difference within a stratum is not estimable.
    """
    split = list(_splits(cohort))
    counted = [
        shares(name, people, patient_counts(people.n_patients, replicates, seed, f"shares {name}"))
        for name, people in split
    ]
    return {
        "shares": pl.concat(counted),
        "visits": pl.concat([visits(name, people) for name, people in split]),
        "composition": composition(cohort, replicates=replicates, seed=seed),
        "pairs": pairs(cohort),
        "associations": associations(cohort, replicates=replicates, seed=seed),
        "ages": ages(cohort),
        "simpson": pl.concat([_simpson(name, people, replicates, seed, smallest_cell) for name, people in split]),
    }


def _simpson(split: str, people: Population, replicates: int, seed: int, smallest_cell: int) -> pl.DataFrame:
    """The table `simpson` of the shares of sick."""
    crossed, levels = people.crossed(), []
    counts = patient_counts(people.n_patients, replicates, seed, f"strata {split}")
    once = np.ones((1, people.n_patients), dtype=counts.dtype)
    for side in (people, crossed):
        levels.append(Levels(prevalence(side, once)[0], prevalence(side, counts)))
    return simpson(split, people, crossed, {"prevalence": tuple(levels)}, smallest_cell)


def composition(cohort: pl.DataFrame, *, replicates: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Images, patients and sick images of everyone and of each group, by split; empty groups are kept.

    prevalence = sick images / images, 95 % interval by patient (a patient's images are drawn together); null where the
    group has no image. A patient whose images differ in view is counted in both views.
    """
    rows = []
    for split, people in _splits(cohort):
        counts = patient_counts(people.n_patients, replicates, seed, f"prevalence {split}")
        for cell in people.cells:
            sick = cell.images & (people.labels == 1)
            sums = resampled_sums(counts, people.sums_by_patient(np.stack([sick, cell.images], axis=1)))
            with np.errstate(invalid="ignore"):
                share = np.float64(sick.sum()) / cell.images.sum()
                bounds = percentile_interval(sums[:, 0] / sums[:, 1])
            sizes = int(cell.images.sum()), people.count_patients(cell.images), int(sick.sum())
            low, high = never_certain(share, *bounds, sizes[1])
            rows.append((split, cell.attribute, cell.group, *sizes, *optional([share, low, high])))
    return frame(rows, COMPOSITION)


def pairs(cohort: pl.DataFrame) -> pl.DataFrame:
    """Images, patients and sick images in each crossing of two attributes, by split; empty crossings are kept."""
    rows = []
    for split, people in _splits(cohort):
        cells = people.cells[1:]
        for one, two in combinations(cells, 2):
            if one.attribute != two.attribute:
                both = one.images & two.images
                sizes = int(both.sum()), people.count_patients(both), int((people.labels[both] == 1).sum())
                rows.append((split, one.attribute, one.group, two.attribute, two.group, *sizes))
    return frame(rows, PAIRS)


def associations(cohort: pl.DataFrame, *, replicates: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Cramer's V between every two attributes, and between each and the label, by split.

    V = sqrt(chi2 / (n (min(r, c) - 1))) over the images where both are known: 0 = unrelated, 1 = one tells the other.
    Null where fewer than two values of either occur. 95 % interval by patient: V cannot be below 0, so resampling
    inflates it; the mean inflation is taken off V squared before the percentiles are read, and the bounds stop at 0.
    Source: Cramer 1946, Mathematical Methods of Statistics, ch. 21.
    """
    rows = []
    for split, people in _splits(cohort):
        counts = patient_counts(people.n_patients, replicates, seed, f"associations {split}")
        columns = [(name, codes, len(ATTRIBUTES[name].groups)) for name, codes in people.groups.items()]
        columns.append(("label", people.labels, 2))
        for (one, a, width), (two, b, height) in combinations(columns, 2):
            known = (a >= 0) & (b >= 0)
            crossed = np.zeros((people.n_images, width * height))
            crossed[np.flatnonzero(known), (a * height + b)[known]] = 1
            sums = resampled_sums(counts, people.sums_by_patient(crossed)).reshape(-1, width, height)
            squared = cramers_v_squared(crossed.sum(axis=0).reshape(1, width, height))[0]
            drawn = cramers_v_squared(sums)
            if not np.isnan(squared):
                drawn = np.maximum(drawn - max(0.0, np.nanmean(drawn) - squared), 0)
            low, high = (np.sqrt(np.clip(bound, 0, 1)) for bound in percentile_interval(drawn))
            numbers = optional([np.sqrt(squared), low, high]) if not np.isnan(squared) else [None] * 3
            rows.append((split, one, two, *numbers, int(known.sum())))
    return frame(rows, ASSOCIATIONS)


def cramers_v_squared(tables: Array) -> Array:
    """Squared Cramer's V, (B,), of tables of counts (B, r, c); rows and columns that are empty do not count."""
    across, down = tables.sum(axis=2), tables.sum(axis=1)
    n = tables.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = across[:, :, None] * down[:, None, :] / n[:, None, None]
        terms = np.where(expected > 0, (tables - expected) ** 2 / expected, 0)
        smaller = np.minimum((across > 0).sum(axis=1), (down > 0).sum(axis=1)) - 1
        return np.where(smaller > 0, terms.sum(axis=(1, 2)) / (n * smaller), np.nan)


def ages(cohort: pl.DataFrame) -> pl.DataFrame:
    """Images by split, label and ten-year bin of age (`age` = first year of the bin); unknown ages are left out."""
    return (
        cohort.filter(pl.col("age").is_not_null())
        .with_columns(pl.col("label").cast(I), age=(pl.col("age").cast(F) / 10).floor().cast(I) * 10)
        .group_by("split", "label", "age")
        .agg(images=pl.len().cast(I))
        .sort("split", "label", "age")
        .select(*AGES)
    )


def _splits(cohort: pl.DataFrame) -> Iterator[tuple[str, Population]]:
    present = cohort["split"].unique().to_list()
    if wrong := [split for split in present if split not in SPLITS]:
        raise ValueError(f"column 'split' holds {wrong[0]!r}; allowed are {', '.join(SPLITS)}.")
    for split in SPLITS:
        if split in present:
            yield split, Population.from_frame(cohort.filter(pl.col("split") == split))
