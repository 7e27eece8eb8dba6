"""How far can the audit be trusted? Its intervals and verdicts on simulated cohorts whose true rates are known.

    python -m benchmarks.coverage [cohorts] [processes]      # writes data/trust/coverage.csv

Each cohort goes through `lib.audit.audit` as a study does; an interval covers when the truth of its world lies in it.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes, not threads

import numpy as np
import polars as pl

from benchmarks.simulation import World, draw, truth
from lib.audit import BASELINE, Population, audit
from lib.names import MAX_MIN

PATIENTS, SMALLEST_CELL = 375, 20
REPLICATES, MANY = 400, 1500
"""Resamples, and those of every fifth cohort: Holm's correction can decide among 25 differences only with so many."""
METRICS = ("balanced_accuracy", "auc", "tpr", "fpr")
WORLDS = {
    "gaps": World(gaps=True, effects=(("uniform", 0.0), ("by_view", -0.4))),
    "null": World(gaps=False, effects=(("uniform", 0.0), ("placebo", 0.0))),
}
KEY = ("world", "networks", "level", "kind", "attribute", "metric", "contrast")
SCHEMA = dict(zip(KEY, (pl.String, pl.Int64, *[pl.String] * 5), strict=True)) | {
    "cohorts": pl.Int64,
    "truth": pl.Float64,
    **{name: pl.Float64 for name in ("covered", "below", "above", "p_below_5", "width", "decided")},
}
ANY = "any"
Row = tuple[tuple, float | None, float | None, float | None, float | None, bool]
CASES = (("gaps", 2), ("gaps", 3), ("gaps", 5), ("null", 2), ("null", 3))
"""Worlds and numbers of networks."""


def one_cohort(world: World, networks: int, seed: int, *, by_image: bool) -> Iterator[Row]:
    """(key after the networks, truth, low, high, p, decided after Holm) of every figure of one simulated cohort."""
    cohort = draw(world, PATIENTS, networks, np.random.default_rng(seed))
    people = Population.from_frame(cohort.frame)
    settings = {"replicates": MANY if seed % 5 == 0 else REPLICATES, "smallest_cell": SMALLEST_CELL, "seed": seed}
    settings["further"] = False
    decisions = {(w, *BASELINE[1:]): (scores >= 0.5).astype(float) for w, scores in cohort.scores.items()}
    tables = audit(people, cohort.scores, decisions, **settings)
    yield from _levels(tables["interval_levels"], world)
    yield from _gaps(tables["gaps"].filter(weighting="uniform"), world, "patient")
    yield from _changes(tables["changes"], world)
    if by_image:
        alone = audit(
            people.by_image(), {"uniform": cohort.scores["uniform"]}, {BASELINE: decisions[BASELINE]}, **settings
        )
        yield from _gaps(alone["gaps"], world, "image")


def _levels(table: pl.DataFrame, world: World) -> Iterator[Row]:
    true = truth(world, "uniform")
    for row in table.filter(pl.col("metric").is_in(METRICS)).drop_nulls("low").to_dicts():
        key = row["level"], "level", row["attribute"], row["metric"], row["group"]
        yield key, true[row["attribute"], row["group"], row["metric"]], row["low"], row["high"], None, False


def _gaps(table: pl.DataFrame, world: World, level: str) -> Iterator[Row]:
    true = truth(world, "uniform")
    rows = table.filter(pl.col("contrast") != MAX_MIN, pl.col("metric").is_in(METRICS)).drop_nulls("low").to_dicts()
    for row in rows:
        group, reference = (true[row["attribute"], name, row["metric"]] for name in row["contrast"].split(" - "))
        key = level, "gap", row["attribute"], row["metric"], row["contrast"]
        yield key, group - reference, row["low"], row["high"], row["p"], row["verdict"] in ("higher", "lower")
    decided = any(row["verdict"] in ("higher", "lower") for row in rows)
    yield (level, "gap", ANY, ANY, ANY), None, None, None, None, decided


def _changes(table: pl.DataFrame, world: World) -> Iterator[Row]:
    before = truth(world, "uniform")
    undecided = ("cannot be told from noise", "not estimable")
    for weighting in table["weighting"].unique(maintain_order=True):
        after = truth(world, weighting)
        rows = table.filter(weighting=weighting).filter(pl.col("metric").is_in(METRICS)).drop_nulls("low")
        kind = f"change, {weighting}"
        for row in rows.filter(pl.col("contrast") != MAX_MIN).to_dicts():
            place = row["attribute"], row["contrast"], row["metric"]
            key = "patient", kind, row["attribute"], row["metric"], row["contrast"]
            decided = row["verdict"] not in undecided
            yield key, after[place] - before[place], row["low"], row["high"], row["p"], decided
        for row in rows.filter(contrast=MAX_MIN).to_dicts():
            spreads = [_spread(true, row["attribute"], row["metric"]) for true in (after, before)]
            key = "patient", kind, row["attribute"], row["metric"], MAX_MIN
            yield key, spreads[0] - spreads[1], row["low"], row["high"], row["p"], row["verdict"] not in undecided


def _spread(true: dict[tuple[str, str, str], float], attribute: str, metric: str) -> float:
    values = [value for (own, _, name), value in true.items() if own == attribute and name == metric]
    return max(values) - min(values)


def many_cohorts(job: tuple[str, int, range]) -> dict[tuple, np.ndarray]:
    """Sums over cohorts: count, truth, covered, truth below, truth above, p below .05, width, decided, count of those."""
    name, networks, seeds = job
    sums: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(9))
    for seed in seeds:
        for key, true, low, high, p, decided in one_cohort(WORLDS[name], networks, seed, by_image=seed % 5 == 1):
            known = true is not None
            bounds = (true, low <= true <= high, true < low, true > high) if known else (np.nan,) * 4
            width = high - low if known else np.nan
            many = seed % 5 == 0
            tail = np.nan if p is None else p < 0.05
            sums[name, networks, *key] += (1, *bounds, tail, width, decided and many, many)
    return dict(sums)


def tables(cohorts: int, processes: int) -> Iterator[pl.DataFrame]:
    """A row for each figure of each world and number of networks; again and again, over ever more cohorts."""
    step = 10
    jobs = [
        (name, networks, range(start, min(start + step, cohorts)))
        for start in range(0, cohorts, step)
        for name, networks in CASES
    ]
    total: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(9))
    with ProcessPoolExecutor(processes) as pool:
        for done, part in enumerate(pool.map(many_cohorts, jobs), start=1):
            for key, sums in part.items():
                total[key] += sums
            if done % len(CASES) == 0:
                print(f"{done // len(CASES) * step} of {cohorts} cohorts", file=sys.stderr)
                yield _table(total)


def _table(total: dict[tuple, np.ndarray]) -> pl.DataFrame:
    rows = [
        (*key, int(sums[0]), *_shares(sums[1:7], sums[0]), *_shares(sums[7:8], sums[8]))
        for key, sums in sorted(total.items())
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _shares(sums: np.ndarray, count: float) -> list[float | None]:
    return [None if np.isnan(value) or not count else round(float(value / count), 5) for value in sums]


if __name__ == "__main__":
    cohorts, processes = (int(given) for given in (*sys.argv[1:], *(1000, os.cpu_count())[len(sys.argv) - 1 :]))
    target = Path(__file__).resolve().parent.parent / "data" / "trust" / "coverage.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    for table in tables(cohorts, processes):
        table.write_csv(target)
