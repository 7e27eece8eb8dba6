"""How long the audit takes, beside fairlearn's bootstrap, and how its cost grows. Writes `benchmarks/audit.md`.

    make bench-audit

Every measurement is a process of its own. CPU seconds are those of all threads: unlike the clock, they do not depend on
what else the machine is doing.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from lib.audit import Context, Population, answer
from lib.names import BASELINE, DEFAULTS

TYPICAL = {"images": 5_000, "patients": 1_500, "methods": 20}
FULL = {"images": 112_120, "patients": 30_805, "methods": 20}
SMALL = {"images": 4_000, "patients": 1_000, "methods": 4}
STEPS = (1, 2, 4)
REPLICATES, FAIRLEARN_REPLICATES = 2_000, 20
"""Resamples that an interval of fairlearn's needs, and those that are measured."""
FAIRLEARN = {"images": TYPICAL["images"], "patients": TYPICAL["patients"], "replicates": FAIRLEARN_REPLICATES}
REPORT = Path(__file__).resolve().with_suffix(".md")


def cohort(images: int, patients: int) -> Population:
    """Images dealt to patients at random, every patient at least one; groups and labels at random."""
    draw = np.random.default_rng(0)
    patient = np.concatenate([np.arange(patients), draw.integers(0, patients, images - patients)])
    groups = {name: draw.choice(a.groups, patients)[patient] for name, a in DEFAULTS.items() if a.of_patient}
    groups |= {name: draw.choice(a.groups, images) for name, a in DEFAULTS.items() if not a.of_patient}
    return Population.from_frame(pl.DataFrame({"patient": patient, "label": draw.integers(0, 2, images), **groups}))


def ours(images: int, patients: int, methods: int) -> int:
    """Every table of the audit, methods with one network each; returns how many intervals were made."""
    people, draw = cohort(images, patients), np.random.default_rng(1)
    names = [BASELINE[0], *(f"method {k}" for k in range(1, methods))]
    scores = {name: np.clip(draw.normal(0.5 + 0.2 * (people.labels - 0.5), 0.2, (1, images)), 0, 1) for name in names}
    decisions = {(name, *BASELINE[1:]): (own >= 0.5).astype(float) for name, own in scores.items()}
    rows = pl.DataFrame({"patient": people.patients, "label": people.labels})
    tables = answer(Context(people, rows, scores, decisions))
    return sum(table["low"].count() for table in tables.values() if "low" in table.columns)


def fairlearns(images: int, patients: int, replicates: int) -> int:
    """One method, one attribute, four rates, by fairlearn's MetricFrame; returns how many intervals were made."""
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import balanced_accuracy_score

    people, draw = cohort(images, patients), np.random.default_rng(1)
    metrics = {
        "balanced_accuracy": balanced_accuracy_score,
        "tpr": true_positive_rate,
        "fpr": false_positive_rate,
        "selection_rate": selection_rate,
    }
    frame = MetricFrame(
        metrics=metrics,
        y_true=people.labels,
        y_pred=(draw.random(images) < 0.5).astype(int),
        sensitive_features=people.groups["view"],
        n_boot=replicates,
        ci_quantiles=[0.025, 0.975],
        random_state=0,
    )
    return frame.by_group_ci[0].size + frame.overall_ci[0].size + frame.difference_ci()[0].size


def measured(what: str, settings: Mapping[str, int]) -> dict[str, float]:
    """Run one measurement in a process of its own: wall and CPU seconds, peak memory in GB, intervals."""
    command = [sys.executable, "-m", "benchmarks.audit", what, json.dumps(settings)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure(what: str, settings: Mapping[str, int]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    intervals = {"ours": ours, "fairlearn": fairlearns}[what](**settings)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "gigabytes": used,
        "intervals": intervals,
    }


def slope(factors: tuple[int, ...], seconds: list[float]) -> float:
    """Slope of log seconds on log size: 1 is proportional, below 1 something fixed is paid once."""
    return float(np.polyfit(np.log(factors), np.log(seconds), 1)[0])


def report() -> str:
    """The page of results."""
    typical, theirs = measured("ours", TYPICAL), measured("fairlearn", FAIRLEARN)
    each = typical["cpu"] / typical["intervals"]
    other = theirs["cpu"] / theirs["intervals"] * REPLICATES / FAIRLEARN_REPLICATES
    full = measured("ours", FULL)
    lines = [
        "# Cost of the audit",
        "",
        f"{_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}; made by `make bench-audit`. All tables, three "
        "attributes and their crossings.",
        "",
        "| | images | patients | methods | intervals | seconds | CPU seconds | peak memory, GB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    rows = (("a cohort", TYPICAL, typical), ("all of ChestX-ray14", FULL, full))
    for name, settings, found in (*rows, ("fairlearn, one attribute", FAIRLEARN | {"methods": 1}, theirs)):
        sizes = " | ".join(f"{settings[key]:,}" for key in ("images", "patients", "methods"))
        numbers = f"{found['intervals']:,} | {found['wall']:.1f} | {found['cpu']:.1f} | {found['gigabytes']:.2f}"
        lines.append(f"| {name} | {sizes} | {numbers} |")
    lines += [
        "",
        f"An interval takes {1e3 * each:.2f} ms of CPU here and {other:.1f} s with fairlearn's `n_boot` of {REPLICATES:,} "
        f"(measured with {FAIRLEARN_REPLICATES}, cost is proportional): "
        f"{other / each:,.0f} times. Theirs resamples images, ours patients.",
        "",
        f"Growth of CPU seconds from {', '.join(f'{v:,} {k}' for k, v in SMALL.items())}, each alone times "
        f"{', '.join(map(str, STEPS))}: seconds grow with the power given.",
        "",
        "| grows | CPU seconds | power |",
        "|---|---|--:|",
    ]
    for key in SMALL:
        seconds = [measured("ours", SMALL | {key: SMALL[key] * step})["cpu"] for step in STEPS]
        lines.append(f"| {key} | {', '.join(f'{s:.2f}' for s in seconds)} | {slope(STEPS, seconds):.2f} |")
    return "\n".join(lines) + "\n"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.is_file() else []
    return models[0].split(":")[1].strip() if models else "unknown processor"


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_measure(sys.argv[1], json.loads(sys.argv[2]))))
    else:
        REPORT.write_text(report(), "utf-8")
