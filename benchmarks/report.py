"""The figures of `benchmarks.training` as tables, and their place in training.md."""

import os
import platform
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch
from lib.training.network import build
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import resnet18

from lib.training.run import native_precision
from lib.training.settings import TrainingSettings

PAGE = Path(__file__).with_name("training.md")
Rates = dict[str, tuple[float, float]]


class Stopwatch:
    def __init__(self) -> None:
        self.began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self.began


def over_epochs(first: tuple[float, float], last: tuple[float, float]) -> tuple[float, float]:
    """Images a second of a training that spends the epochs of the default settings at two sizes."""
    settings = TrainingSettings()
    small = sum(settings.size_at(epoch) < settings.image_size for epoch in range(settings.epochs)) / settings.epochs
    return tuple(1 / (small / a + (1 - small) / b) for a, b in zip(first, last, strict=True))


def speed(rounds: list[Rates], starts: list[dict[str, float]], private: dict[int, dict | None]) -> str:
    """All tables of speed, in Markdown."""
    for found in rounds:
        found["progressive 224"] = over_epochs(found["64 of 224"], found["224"])
        found["default"] = over_epochs(found["64 of 96"], found["96"])
    train, predict = "reference train", "reference predict"
    lines = [
        f"Processor: {_processor()}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, "
        f"torch {version('torch')}, {native_precision()}; {date.today().isoformat()}. {len(rounds)} rounds; load average "
        f"after each, this benchmark included: {_span([found['load'][0] for found in rounds], 1)}.",
        "",
        "| | images/s | ratio to the plain script | ratio by processor time |",
        "|---|---|---|---|",
        _row(rounds, "plain script, training at 224 px, batches of 16", train, train),
        _row(rounds, "224 px throughout, batches of 16", "224", train),
        _row(rounds, "224 px reached from 64 px", "progressive 224", train),
        _row(rounds, "default setting: 96 px reached from 64 px", "default", train),
        _row(rounds, "plain script, prediction at 224 px", predict, predict),
        _row(rounds, "prediction by default: 96 px", "predict 96", predict),
        _row(rounds, "prediction at 96 px, image and mirror", "predict 96, mirror", predict),
        _row(rounds, "prediction at 224 px", "predict 224", predict),
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


def _row(rounds: list[Rates], name: str, key: str, reference: str) -> str:
    rate = _span([found[key][0] for found in rounds], 1)
    if key == reference:
        return f"| {name} | {rate} | 1 | 1 |"
    ratios = [[found[key][k] / found[reference][k] for found in rounds] for k in (0, 1)]
    return f"| {name} | {rate} | {_span(ratios[0], 2)} | {_span(ratios[1], 2)} |"


def _limits(rounds: list[Rates]) -> list[str]:
    """Operations needed for a trained image, over the rate of matrix products measured in the same rounds."""
    lines = [
        f"Matrix rate, all cores, each one thread: {_span([f['sgemm'][0] / 1e9 for f in rounds], 0)} Gflop/s.",
        "",
        "| training at | Gflop an image | limit of the arithmetic, images/s | reached |",
        "|---|---|---|---|",
    ]
    for name, key, size, plain in (
        ("224 px, plain script", "reference train", 224, True),
        ("224 px", "224", 224, False),
        ("96 px", "96", 96, False),
        ("64 px", "64 of 96", 64, False),
    ):
        need = operations(size, plain)
        limits = [found["sgemm"][0] / need for found in rounds]
        reached = [found[key][0] / limit for found, limit in zip(rounds, limits, strict=True)]
        lines.append(f"| {name} | {need / 1e9:.2f} | {_span(limits, 1)} | {_span([100 * r for r in reached], 0)} % |")
    return lines


def operations(size: int, plain: bool) -> int:
    """Floating-point operations of a training step for one image: those of the forward pass, three times.

    A multiplication and an addition count as two; the gradients of activations and of weights take as many each.
    """
    network, channels = (resnet18(num_classes=2), 3) if plain else (build(None), 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, channels, size, size))
    return 3 * counter.get_total_flops()


def _span(values: list[float], digits: int) -> str:
    """Median, and in brackets the lowest and the highest of the rounds."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def keep(kind: str, text: str) -> None:
    """Put a table of `kind` (quality: a line is added; else it is replaced) between its marks in training.md."""
    page = PAGE.read_text("utf-8")
    head, rest = page.split(f"<!-- {kind} -->\n")
    old, tail = rest.split(f"<!-- end of {kind} -->\n")
    new = (old if kind == "quality" else "") + text + "\n"
    PAGE.write_text(f"{head}<!-- {kind} -->\n{new}<!-- end of {kind} -->\n{tail}", "utf-8")
