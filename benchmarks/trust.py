"""The table of how far the audit can be trusted, a few cohorts at a time.

    python -m benchmarks.trust [cohorts] [processes] [parquet of real out-of-fold scores]      # adds to data/trust/coverage.csv

Adds cohorts up to the number asked, those of 1,500 patients a quarter as many, in rounds over all settings: it may be stopped
at any time, counts stay balanced, and goes on where it stopped. What was counted before another change of the audit's statistics is to be
deleted by hand, with all rows of its settings: a setting goes on from the row that counts most. CPU seconds a cohort of 375 patients, for one, two, three and five networks together: rates (`benchmarks.coverage`) .1,
questions (`benchmarks.asked`) 2.6, those that fit something again 2.1 more, all that follows post-processing (`benchmarks.fitted`) 2. The dear
ones have fewer cohorts a round; the column `cohorts` says how many.
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

from benchmarks import asked, coverage, fitted
from benchmarks.tally import ALL, COUNTED, KEY, Tally
from lib.audit.metrics import Unit
from lib.files import write_whole

OUT = Path(__file__).resolve().parent.parent / "data" / "trust" / "coverage.csv"
SCHEMA = (
    dict.fromkeys(KEY, pl.String)
    | {name: pl.Int64 for name in ("patients", "networks", "cohorts", "figures", "compared")}
    | dict.fromkeys(COUNTED, pl.Float64)
)
"""`figures`: intervals counted; `compared`: families of which `agree` is the share in which twenty seeds say the same."""
MEASURED = ("truth", "width")
"""What is counted of all else is a number of cases, whole again after it was rounded."""
QUESTIONS = {asked.DATA: {375: 10, 1500: 5}, asked.QUICK: {375: 2, 1500: 1}, asked.DEAR: {375: 2, 1500: 1}}
"""Cohorts of a job, by questions and patients."""
SELDOM = 5
"""A round of what is fitted comes with so many of the others."""
Key = tuple[str, str, str, int, int, str, str, str, str]
Sums = dict[Key, np.ndarray]


@dataclass(frozen=True)
class Job:
    """So many `cohorts` of a setting at a time: `run(seed)` counts them. `kinds`: the questions asked; rates without.

    `every`: how many rounds of the other jobs go by for one of this.
    """

    setting: tuple
    kinds: tuple[str, ...]
    cohorts: int
    run: Callable[[int], Sums]
    every: int = 1

    def counts(self, key: Key) -> bool:
        """Whether a row is of this setting."""
        kind = key[5].split(" (")[0]
        if not self.kinds:
            return kind not in asked.ASKED + fitted.FITTED + fitted.VERDICTS and key[:4] == self.setting
        place = key[0], key[3], key[4]
        return kind in self.kinds and place[: len(self.setting)] == self.setting


@dataclass(frozen=True)
class Rates:
    setting: coverage.Setting

    def __call__(self, seed: int) -> Sums:
        return coverage.one_batch(self.setting, seed)


@dataclass(frozen=True)
class Asked:
    """Some questions of some cohorts; rows by question and measure, over groups and the like."""

    source: str
    patients: int
    questions: tuple[str, ...]

    def __call__(self, seed: int) -> Sums:
        tally, count = Tally(), QUESTIONS[self.questions][self.patients]
        for k in range(count):
            for networks, unit, question, kind, measure, (true, low, high) in asked.one_cohort(
                self.source, self.patients, self.questions, seed * count + k
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


@dataclass(frozen=True)
class Fitted:
    """What is fitted on the cohort itself, and what is recommended."""

    source: str
    patients: int
    networks: int

    def __call__(self, seed: int) -> Sums:
        return fitted.one_batch(self.source, self.patients, self.networks, seed)


def _name(source: str, world: str, unit: str, patients: int) -> tuple:
    return coverage.Setting(source, world, Unit(unit), patients).key


def jobs(sources: tuple[str, ...]) -> list[Job]:
    """Every setting of rates, of questions and of what is fitted."""
    found = [Job(own.key, (), coverage.BATCH[own.patients], Rates(own)) for own in coverage.settings(sources)]
    for source in sources:
        label = _name(source, "gaps", Unit.PATIENT, 375)[0]
        for questions, counts in QUESTIONS.items():
            for patients, count in counts.items():
                found.append(Job((label, patients), questions, count, Asked(source, patients, questions)))
        for patients, networks in fitted.SETTINGS:
            run, count = Fitted(source, patients, networks), fitted.BATCH[patients]
            found.append(Job((label, patients, networks), fitted.FITTED + fitted.VERDICTS, count, run, SELDOM))
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
    write_whole(path, pl.DataFrame(rows, schema=SCHEMA, orient="row").write_csv)


def rounds(chosen: list[Job], cohorts: dict[Key, int], target: int) -> Iterator[tuple[int, int]]:
    """Jobs and seeds, those with the fewest done first."""
    done = []
    for k, job in enumerate(chosen):
        have = max((n for key, n in cohorts.items() if job.counts(key)), default=0)
        wanted = target if 1500 not in job.setting else target // 4
        done += [(seed * job.every, k, seed) for seed in range(have // job.cohorts, -(-wanted // job.cohorts))]
    for _, k, seed in sorted(done):
        yield k, seed


def main(target: int = 1000, processes: int = 1, *sources: str) -> None:
    """Adds to the table until every setting has its cohorts."""
    chosen = jobs(("simulated", *sources))
    sums, cohorts = read(OUT)
    todo = list(rounds(chosen, cohorts, target))
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        found = pool.map(_run, (chosen[k] for k, _ in todo), (seed for _, seed in todo))
        for done, ((k, _), part) in enumerate(zip(todo, found, strict=True), start=1):
            for key, own in part.items():
                sums[key] = sums.get(key, 0) + own
                cohorts[key] = cohorts.get(key, 0) + chosen[k].cohorts
            write(OUT, sums, cohorts)
            print(f"{done} of {len(todo)}", file=sys.stderr, flush=True)


def _run(job: Job, seed: int) -> Sums:
    return job.run(seed)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
