"""How far can the audit be trusted? Its intervals, p-values and words on cohorts whose truth is known.

    python -m benchmarks.coverage [cohorts] [processes] [parquet of real out-of-fold scores]      # writes data/trust/coverage.csv

Cohorts are drawn from a simulated population and, where a file is given, from real scores. Intervals are those of
`lib.audit.inference`; many cohorts are worked out side by side, as columns of the same figures, which changes none of them.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes, not threads
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

from benchmarks.methods import Setting, jitter, true_levels, world_of
from benchmarks.simulation import Batch, draw
from benchmarks.tally import COUNTED, KEY, Tally
from lib.audit.inference import Figures, pool, ratio
from lib.audit.metrics import Unit, mean_by_patient

OUT = Path(__file__).resolve().parent.parent / "data" / "trust" / "coverage.csv"
BATCH = {375: 40, 1500: 10}
"""Cohorts that are worked out side by side."""
NETWORKS = (1, 2, 3, 5)
AGREEMENT = 2
"""Batches of each setting on which twenty seeds are compared."""


def settings(sources: tuple[str, ...]) -> list[Setting]:
    """Every combination; gaps that are set are for power."""
    found = []
    for source in sources:
        for patients in (375, 1500):
            for unit in Unit:
                found += [Setting(source, world, unit, patients) for world in ("gaps", "none")]
        found += [Setting(source, f"gap {gap}", Unit.PATIENT, 375) for gap in (5, 10, 20, 30)]
    return found


@cache
def asked_of(setting: Setting, cohorts: int) -> tuple[tuple, pl.DataFrame, pl.DataFrame, np.ndarray, np.ndarray]:
    """What is asked of a cohort; index of the cells and of the figures of all cohorts, and the matrix and offset in between.

    Asked of each cohort: TPR and FPR of every cell, balanced accuracy of everyone, and the gaps in TPR and FPR.
    """
    people = world_of(setting, "baseline").population
    cells = [(c.attribute, c.group, m) for m in ("tpr", "fpr") for c in people.cells]
    at = {key: k for k, key in enumerate(cells)}
    asked = [("level", *key) for key in cells] + [("level", "overall", "all", "balanced_accuracy")]
    for name, attribute in people.attributes.items():
        for metric in ("tpr", "fpr"):
            for group in attribute.groups:
                if group != attribute.reference:
                    asked.append(("gap", name, f"{group} - {attribute.reference}", metric))
    matrix, offset = np.zeros((len(cells), len(asked))), np.zeros(len(asked))
    for k, (kind, attribute, what, metric) in enumerate(asked):
        if kind == "gap":
            one, two = what.split(" - ")
            matrix[at[attribute, one, metric], k], matrix[at[attribute, two, metric], k] = 1, -1
        elif metric == "balanced_accuracy":
            matrix[at[attribute, what, "tpr"], k], matrix[at[attribute, what, "fpr"], k], offset[k] = 0.5, -0.5, 0.5
        else:
            matrix[at[attribute, what, metric], k] = 1
    schema = {name: pl.String for name in ("kind", "attribute", "contrast", "metric")}
    index = pl.DataFrame(asked * cohorts, schema=schema, orient="row")
    plain = pl.DataFrame({"cell": [str(k) for k in range(len(cells) * cohorts)]})
    return tuple(asked), plain, index, np.kron(np.eye(cohorts), matrix), np.tile(offset, cohorts)


def figures(setting: Setting, batch: Batch, decisions: np.ndarray, weighting: str) -> Figures:
    """What is asked of each cohort of a batch, cohort by cohort, for decisions (S, n)."""
    people = batch.population
    sick = people.labels[:, None] == 1
    members = np.stack([cell.images for cell in people.cells], axis=1)
    images = np.concatenate([members & sick, members & ~sick], axis=1)
    numerators, denominators = mean_by_patient(people, decisions, images, setting.unit)

    def side_by_side(table: np.ndarray) -> np.ndarray:  # (.., M P, C) -> (.., P, M C)
        own = table.reshape(*table.shape[:-2], batch.cohorts, setting.patients, -1)
        return np.moveaxis(own, -3, -2).reshape(*table.shape[:-2], setting.patients, -1)

    _, plain, index, matrix, offset = asked_of(setting, batch.cohorts)
    many = np.stack([np.bincount(batch.of_image, own, batch.cohorts) for own in images.T], axis=1).ravel()
    base = ratio(
        plain, weighting, side_by_side(numerators), side_by_side(denominators), images=many, proportion=True, least=20
    )
    found = base.contrast(index, matrix)
    return Figures(index, found.arms, found.cells, found.matrix, offset)


def one_batch(setting: Setting, seed: int) -> dict[tuple, np.ndarray]:
    """Everything that the report asserts of some cohorts: sums by key."""
    tally, cohorts = Tally(), BATCH[setting.patients]
    generator = np.random.default_rng([seed, setting.patients, *setting.world.encode()])
    people = world_of(setting, "baseline")
    batch = draw(people, setting.patients, cohorts, generator)
    asked = asked_of(setting, cohorts)[0]
    true = {m: true_levels(setting, m, asked) for m in ("baseline", "closed", "half", "mirrored")}
    for_power = setting.world.startswith("gap ")
    most = 1 if for_power else max(NETWORKS)
    noise = {name: batch.noise(most) for name in ("uniform", "placebo", "closing")[: 1 if for_power else 3]}

    def called(method: str, weighting: str = "uniform", extra: np.ndarray | float = 0.0) -> Figures:
        logit = world_of(setting, method).logit[batch.rows]
        return figures(setting, batch, (logit + noise[weighting] + extra >= 0).astype(float), weighting)

    baseline, weightings, posts = called("baseline"), {}, {}
    if not for_power:
        weightings = {"placebo": ("baseline", called("baseline", "placebo"))}
        weightings["closing"] = "closed", called("closed", "closing")
        extra = jitter(people, batch.rows, generator, noise["uniform"].shape)
        posts = {"jitter": ("baseline", called("baseline", extra=extra))}
    if setting.world == "gaps":
        posts |= {name: (name, called(name)) for name in ("closed", "half", "mirrored")}
    for networks in (1,) if for_power else NETWORKS:
        key, few = (*setting.key, networks), _first(baseline, networks)
        pooled = pool({"uniform": few} | {name: _first(own, networks) for name, (_, own) in weightings.items()})
        own = pooled["uniform"] if networks > 1 else few
        seeds = 20 if networks == 1 and seed < AGREEMENT else 1
        established = tally.baseline(key, own, asked, true["baseline"], cohorts, seeds)
        if weightings and networks > 1:
            effects = {n: (true[m] - true["baseline"], pooled[n] - own) for n, (m, _) in weightings.items()}
            tally.effects(key, "weighting", effects, asked, established)
        if posts:
            effects = {n: (true[m] - true["baseline"], _first(a, networks) - few) for n, (m, a) in posts.items()}
            tally.effects(key, "post-processing", effects, asked, established)
        for name in ("closed", "half", "mirrored") if setting.world == "gaps" else ():
            tally.narrowed(key, name, few, _first(posts[name][1], networks), asked, true[name], established)
    return dict(tally.sums)


def _first(own: Figures, networks: int) -> Figures:
    """The same of the first networks alone."""
    (arm,) = own.arms
    values = arm.values[:networks]
    arm = replace(
        arm,
        values=values,
        influence=arm.influence[:networks],
        deviations=values - values.mean(axis=0),
        degrees=networks - 1,
    )
    return replace(own, arms=(arm,))


def tables(cohorts: int, processes: int, sources: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """A row for each figure of each setting; again and again, over ever more cohorts."""
    chosen = settings(sources)
    jobs = sorted(
        (seed * BATCH[s.patients], k, seed)
        for k, s in enumerate(chosen)
        for seed in range(-(-cohorts // BATCH[s.patients]))
    )
    total: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(2 * len(COUNTED)))
    with ProcessPoolExecutor(processes) as pool_:
        found = pool_.map(one_batch, (chosen[k] for _, k, _ in jobs), (seed for *_, seed in jobs))
        for done, part in enumerate(found, start=1):
            for key, sums in part.items():
                total[key] += sums
            if done % len(chosen) == 0 or done == len(jobs):
                print(f"{done} of {len(jobs)} batches", file=sys.stderr, flush=True)
                yield table(total)


def table(total: dict[tuple, np.ndarray]) -> pl.DataFrame:
    """Means of what was counted, a row for each key."""
    rows = []
    for key, sums in sorted(total.items()):
        means = [None if not n else round(float(s / n), 5) for n, s in sums.reshape(-1, 2)]
        rows.append((*key, int(sums[::2].max()), *means))
    schema = dict.fromkeys(KEY, pl.String) | {"patients": pl.Int64, "networks": pl.Int64, "cohorts": pl.Int64}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(COUNTED, pl.Float64), orient="row")


if __name__ == "__main__":
    cohorts, processes = (int(given) for given in (*sys.argv[1:3], *(1000, os.cpu_count())[len(sys.argv[1:3]) :]))
    for found in tables(cohorts, processes, ("simulated", *sys.argv[3:])):
        OUT.parent.mkdir(parents=True, exist_ok=True)
        found.write_csv(OUT)
