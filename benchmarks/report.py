"""The figures of `benchmarks.training` as tables, and their place in training.md."""

import os
import platform
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.limit import operations, trained_network
from benchmarks.quality import WANTED, Quality
from benchmarks.reference import SIZE, plain_network
from lib.training.settings import TrainingSettings

PAGE = Path(__file__).with_name("training.md")
Rates = dict[str, tuple[float, float]]
"""Images a second by name: by wall time, and by processor time."""


class Stopwatch:
    def __init__(self) -> None:
        self.began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self.began


def speed(rounds: list[Rates], starts: list[dict[str, float]], private: dict[int, dict | None]) -> str:
    """All tables of speed, in Markdown."""
    size = TrainingSettings().image_size
    lines = [
        f"Processor: {_processor()}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, "
        f"torch {version('torch')}; {date.today().isoformat()}. {len(rounds)} rounds; load average "
        f"after each, this benchmark included: {_span([found['load'][0] for found in rounds], 1)}.",
        "",
        "| | images/s | ratio to the plain script | ratio by processor time |",
        "|---|---|---|---|",
        _row(rounds, f"plain script, training at {SIZE} px", "plain train"),
        _row(rounds, f"training by default: {size} px, float32", "train float32"),
        _row(rounds, f"the same in bfloat16, {size} px", "train bfloat16"),
        _row(rounds, "the same at 128 px, float32", "train 128"),
        _row(rounds, "the same at 224 px, float32, batches of 16", "train 224"),
        _row(rounds, f"plain script, prediction at {SIZE} px", "plain predict"),
        _row(rounds, f"prediction by default: {size} px, float32", "predict float32"),
        _row(rounds, f"the same in bfloat16, {size} px", "predict bfloat16"),
        _row(rounds, "the same at 128 px, float32", "predict 128"),
        _row(rounds, "image and mirror, float32", "predict mirror"),
        _row(rounds, "images decoded for the first time, float32", "predict first"),
        "",
        *_limits(rounds),
        "",
        "| start of a training on a known cohort | seconds |",
        "|---|---|",
        f"| importing the libraries | {_span([s['import'] for s in starts], 1)} |",
        f"| then, until the first step begins | {_span([s['begins'] for s in starts], 2)} |",
        f"| then, until the first step is done | {_span([s['ends'] for s in starts], 2)} |",
    ]
    if all(private.values()):
        lines += [
            "",
            "| images in the map | private memory, MiB | mapped files, MiB |",
            "|---|---|---|",
            *(f"| {images:,} | {m['private']:,.0f} | {m['mapped']:,.0f} |" for images, m in private.items()),
        ]
    return "\n".join(lines)


def _row(rounds: list[Rates], name: str, key: str) -> str:
    reference = f"plain {'train' if 'train' in key else 'predict'}"
    rate = _span([found[key][0] for found in rounds], 1)
    if key == reference:
        return f"| {name} | {rate} | 1 | 1 |"
    ratios = [[found[key][k] / found[reference][k] for found in rounds] for k in (0, 1)]
    return f"| {name} | {rate} | {_span(ratios[0], 2)} | {_span(ratios[1], 2)} |"


def _limits(rounds: list[Rates]) -> list[str]:
    """What products of matrices and what the convolutions alone would allow, measured in the same rounds."""
    recipe = TrainingSettings()
    own = operations(trained_network(recipe), recipe.image_size)
    lines = [
        "| training | Gflop an image | matrix products, Gflop/s | they would allow, images/s | reached "
        "| convolutions alone would allow, images/s | reached |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, need, precision in (
        (f"plain script, {SIZE} px", operations(plain_network(), SIZE, 3), None),
        (f"default, {recipe.image_size} px, float32", own, "float32"),
        (f"default, {recipe.image_size} px, bfloat16", own, "bfloat16"),
    ):
        rate = [found[f"train {precision}" if precision else "plain train"][0] for found in rounds]
        products = [found[f"products {precision or 'float32'}"][0] for found in rounds]
        line = f"| {name} | {need / 1e9:.2f} | {_span([p / 1e9 for p in products], 0)} "
        line += _reached(rate, [p / need for p in products])
        line += _reached(rate, [found[f"convolutions {precision}"][0] for found in rounds]) if precision else "| | "
        lines.append(f"{line}|")
    return lines


def _reached(rates: list[float], limits: list[float]) -> str:
    share = [100 * rate / limit for rate, limit in zip(rates, limits, strict=True)]
    return f"| {_span(limits, 0)} | {_span(share, 0)} % "


def plain_epoch(found: Rates, train: int, valid: int) -> float:
    """Seconds of an epoch of the plain script, its look at valid included, at the rates of a round."""
    return train / found["plain train"][0] + valid / found["plain predict"][0]


def quality(q: Quality, rounds: list[Rates]) -> str:
    """Minutes until the AUC on valid is what is wanted, in Markdown; the plain script's at the rates of each round."""
    minutes = [q.plain_epochs * plain_epoch(found, q.train, q.valid) / 60 for found in rounds]
    least = "" if q.plain_reached else "at least "
    aucs = ", ".join(f"{auc:.3f}" for auc in q.plain) or "none was run"
    lines = [
        f"{q.name}: {q.train:,} images in train, {q.valid:,} in valid.",
        "",
        f"| | AUC on valid | reach {WANTED:.2f} | minutes of the machine for one | ratio |",
        "|---|---|---|---|---|",
        f"| plain script, 224 px | after each epoch: {aucs} | {least}{q.plain_epochs} epochs | {least}{_span(minutes, 1)} | 1 |",
    ]
    for name, own in q.ours.items():
        reached, mine = sum(auc >= WANTED for auc in own.aucs), own.seconds / 60
        ratio = f"{least}{_span([m / mine for m in minutes], 1)}" if reached else ""
        aucs = ", ".join(f"{auc:.3f}" for auc in own.aucs)
        lines.append(f"| {name} | {aucs} | {reached} of {len(own.aucs)} networks | {mine:.1f} | {ratio} |")
    return "\n".join(lines)


def _span(values: list[float], digits: int) -> str:
    """Median, and in brackets the lowest and the highest of the rounds."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def keep(kind: str, text: str) -> None:
    """Put the tables of `kind` between its marks in training.md, in place of those that were there."""
    page = PAGE.read_text("utf-8")
    head, rest = page.split(f"<!-- {kind} -->\n")
    tail = rest.split(f"<!-- end of {kind} -->\n")[1]
    PAGE.write_text(f"{head}<!-- {kind} -->\n{text}\n<!-- end of {kind} -->\n{tail}", "utf-8")
