"""The table of how far the audit can be trusted, a few cohorts at a time.

    python -m benchmarks.trust [cohorts] [processes] [parquet of real out-of-fold scores]      # adds to data/trust/coverage.csv

Adds cohorts up to the number asked, those of 1,500 patients a quarter as many, in rounds over all settings: it may be stopped
at any time, counts stay balanced, and goes on where it stopped. What was counted before another change of the audit's statistics is to be
deleted by hand. Questions (`benchmarks.asked`) cost more than rates (`benchmarks.coverage`) and have fewer cohorts.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes, not threads
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

from benchmarks import asked, coverage
from benchmarks.tally import ALL, COUNTED, KEY, Tally
from lib.audit.metrics import Unit

OUT = Path(__file__).resolve().parent.parent / "data" / "trust" / "coverage.csv"
SCHEMA = (
    dict.fromkeys(KEY, pl.String)
    | {name: pl.Int64 for name in ("patients", "networks", "cohorts", "figures", "compared")}
    | dict.fromkeys(COUNTED, pl.Float64)
)
"""`figures`: intervals counted; `compared`: families of which `agree` is the share in which twenty seeds say the same."""
MEASURED = ("truth", "width")
"""What is counted of all else is a number of cases, whole again after it was rounded."""
QUESTIONS = {375: 4, 1500: 1}
"""Cohorts of a job, of questions."""
Key = tuple[str, str, str, int, int, str, str, str, str]
Sums = dict[Key, np.ndarray]


@dataclass(frozen=True)
class Job:
    """So many `cohorts` of a setting at a time: `run(seed)` counts them."""

    setting: tuple
    asks: bool
    cohorts: int
    run: Callable[[int], Sums]

    def counts(self, key: Key) -> bool:
        """Whether a row is of this setting."""
        asks = key[5].split(" (")[0] in asked.ASKED
        where = (key[0], key[3]) if self.asks else key[:4]
        return asks == self.asks and where == self.setting


@dataclass(frozen=True)
class Rates:
    setting: coverage.Setting

    def __call__(self, seed: int) -> Sums:
        return coverage.one_batch(self.setting, seed)


@dataclass(frozen=True)
class Asked:
    """All questions of some cohorts; rows by question and measure, over groups and the like."""

    source: str
    patients: int

    def __call__(self, seed: int) -> Sums:
        tally, count = Tally(), QUESTIONS[self.patients]
        for k in range(count):
            for networks, unit, question, kind, measure, (true, low, high) in asked.one_cohort(
                self.source, self.patients, seed * count + k
            ):
                key = (
                    *_name(self.source, "gaps", unit, self.patients),
                    networks,
                    f"{question} ({kind})",
                    ALL,
                    measure,
                    ALL,
                )
                columns = {
                    "truth": true,
                    "covered": (low <= true) & (true <= high),
                    "below": true < low,
                    "above": true > high,
                    "width": high - low,
                }
                tally.count(key, columns)
        return dict(tally.sums)


def _name(source: str, world: str, unit: str, patients: int) -> tuple:
    return coverage.Setting(source, world, Unit(unit), patients).key


def jobs(sources: tuple[str, ...]) -> list[Job]:
    """Every setting of rates and of questions."""
    found = [Job(own.key, False, coverage.BATCH[own.patients], Rates(own)) for own in coverage.settings(sources)]
    for source in sources:
        for patients, count in QUESTIONS.items():
            label = _name(source, "gaps", Unit.PATIENT, patients)[0]
            found.append(Job((label, patients), True, count, Asked(source, patients)))
    return found


def read(path: Path) -> tuple[Sums, dict[Key, int]]:
    """Sums and numbers of cohorts by key, as `write` left them; none without a file."""
    sums, cohorts = {}, {}
    if path.is_file():
        for row in pl.read_csv(path, schema_overrides=SCHEMA).iter_rows(named=True):
            key = tuple(row[name] for name in KEY)
            cohorts[key] = row["cohorts"]
            own = np.zeros(2 * len(COUNTED))
            for k, name in enumerate(COUNTED):
                if row[name] is not None:
                    count = row["compared" if name == "agree" else "figures"]
                    total = row[name] * count
                    own[2 * k : 2 * k + 2] = count, total if name in MEASURED else round(total)
            sums[key] = own
    return sums, cohorts


def write(path: Path, sums: Sums, cohorts: dict[Key, int]) -> None:
    """Means of what was counted, a row for each key."""
    rows, agree = [], COUNTED.index("agree")
    for key, own in sorted(sums.items()):
        pairs = own.reshape(-1, 2)
        means = [None if not n else round(float(s / n), 6) for n, s in pairs]
        figures = int(np.delete(pairs, agree, axis=0)[:, 0].max())
        rows.append((*key, cohorts[key], figures, int(pairs[agree, 0]), *means))
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part")
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_csv(whole)
    whole.replace(path)


def rounds(chosen: list[Job], cohorts: dict[Key, int], target: int) -> Iterator[tuple[int, int]]:
    """Jobs and seeds, those with the fewest done first."""
    done = []
    for k, job in enumerate(chosen):
        have = max((n for key, n in cohorts.items() if job.counts(key)), default=0)
        wanted = target if job.setting[-1] < 1500 else target // 4
        done += [(seed, k) for seed in range(have // job.cohorts, -(-wanted // job.cohorts))]
    for seed, k in sorted(done):
        yield k, seed


def main(target: int = 1000, processes: int = 1, *sources: str) -> None:
    """Adds to the table until every setting has its cohorts."""
    chosen = jobs(("simulated", *sources))
    sums, cohorts = read(OUT)
    todo = list(rounds(chosen, cohorts, target))
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        found = pool.map(_run, (chosen[k] for k, _ in todo), (seed for _, seed in todo))
        for done, ((k, seed), part) in enumerate(zip(todo, found, strict=True), start=1):
            for key, own in part.items():
                sums[key] = sums.get(key, 0) + own
                cohorts[key] = (seed + 1) * chosen[k].cohorts
            write(OUT, sums, cohorts)
            print(f"{done} of {len(todo)}", file=sys.stderr, flush=True)


def _run(job: Job, seed: int) -> Sums:
    return job.run(seed)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
