"""How long the whole grid takes: every weighting x post-processing x target attribute, fitted, cross-fitted and audited.

    python -m benchmarks.grid            # the grid at 5,000 images, then its growth; writes benchmarks/grid.md

Scores are simulated: fitting and auditing see numbers only. Each line is one run in a process of its own.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as a study's audit runs
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import polars as pl

from lib.audit import Context, Population, answer
from lib.names import DEFAULTS
from lib.postprocessing import REGISTRY, post_process

RULES = [name for name in REGISTRY if name not in ("calibrated_odds_fnr", "calibrated_odds_fpr", "temperature")]
"""Fifteen post-processings."""
SETS = ((5000, 20, 2), (5000, 5, 2), (5000, 10, 2), (10_000, 5, 2), (5000, 5, 4))
"""Images, weightings and networks of each: the grid, then its growth."""
ASKED = {"attribute": "view", "largest_loss": 0.02, "may_use_demographics": False}


def simulated(images: int, weightings: int, networks: int) -> tuple[Population, dict[str, np.ndarray]]:
    """Patients of one to seven images, groups at random, scores of AUC about 0.76."""
    draw = np.random.default_rng(0)
    patient = np.repeat(np.arange(images), draw.integers(1, 8, images))[:images]
    label = draw.integers(0, 2, images)
    groups = {name: draw.choice(attribute.groups, images) for name, attribute in DEFAULTS.items()}
    population = Population.from_frame(pl.DataFrame({"patient": patient, "label": label, **groups}))
    names = ["uniform", *(f"weighting {k}" for k in range(1, weightings))]
    noise = draw.normal(0, 1, (weightings, networks, images))
    return population, {name: 1 / (1 + np.exp(0.5 - label - noise[k])) for k, name in enumerate(names)}


def once(images: int, weightings: int, networks: int) -> tuple[float, float, float, float, int]:
    """CPU seconds of this process to fit, to audit and to compare; seconds by the clock; and how many methods there were."""
    began = time.perf_counter()
    population, scores = simulated(images, weightings, networks)
    marks = [time.process_time()]
    processed = post_process(population, scores, RULES, list(DEFAULTS), refits=0)
    marks.append(time.process_time())
    rows = pl.DataFrame({"patient": population.patients, "label": population.labels})
    context = Context(population, rows, scores, processed.decisions, preferences=ASKED)
    answer(context, only=["effects"])
    marks.append(time.process_time())
    answer(context, only=["recommendation"])
    marks.append(time.process_time())
    return *np.diff(marks), time.perf_counter() - began, len(processed.decisions)


def main() -> None:
    """Print one run when given its size, else run all sizes and write the table."""
    if len(sys.argv) > 1:
        print(*once(*map(int, sys.argv[1:])))
        return
    lines, page = [], Path(__file__).with_suffix(".md")
    for size in SETS:
        fit, audited, compared, _, methods = _run(size, {"LOKY_MAX_CPU_COUNT": "1"})
        cells = [*(f"{n:,}" for n in (*size, int(methods))), *(f"{s:.1f}" for s in (fit, audited, compared))]
        lines.append(f"| {' | '.join(cells)} | {fit + audited + compared:.1f} |")
        print(lines[-1], flush=True)
        page.write_text(HEAD.format(machine=_machine()) + "\n".join(lines) + "\n", "utf-8")
    clock = _run(SETS[0], {})[3]
    told = f"\nThe first line in as many processes as there are cores: {clock:.1f} s by the clock, to the same numbers. {_machine()}\n"
    page.write_text(page.read_text("utf-8") + told, "utf-8")


def _run(size: tuple[int, int, int], variables: dict[str, str]) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.grid", *map(str, size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | variables)
    return [float(number) for number in done.stdout.split()]


HEAD = """# The whole grid, in CPU seconds of one thread

Weightings x 15 post-processings x 3 target attributes, 5 patient-grouped folds and the naive fit; `make bench-grid` makes this table. {machine}

| images | weightings | networks | methods | fit | audit | compare | all |
|---:|---:|---:|---:|---:|---:|---:|---:|
"""


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.is_file() else []
    processor = models[0].split(":")[1].strip() if models else platform.machine()
    cores, load = os.cpu_count(), os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"Measured on {cores} cores ({processor}); load at the end {load:.1f} (above {cores}: other work ran beside, which makes the same work take longer)."


if __name__ == "__main__":
    main()
