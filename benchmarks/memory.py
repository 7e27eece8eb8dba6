"""Private memory of a training process whose pixel map holds ever more images; run by `benchmarks.training`."""

import json
import subprocess
import sys
from pathlib import Path

SIZE, BATCHES = 96, 6


def measure(images: int, folder: Path) -> dict[str, float] | None:
    """Mebibytes at the end of a few steps, in a fresh process: `private` (RssAnon) and `mapped` (RssFile, libraries too).

    Pages of the pixel map count as mapped: the system drops them when memory is needed elsewhere. None where the system
    does not tell the two apart (it is Linux that does).
    """
    if not Path("/proc/self/status").is_file():
        return None
    path = folder / f"{images}.npy"
    draw_map(images, path)
    command = [sys.executable, "-m", "benchmarks.memory", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    path.unlink()
    return json.loads(done.stdout.splitlines()[-1])


def draw_map(images: int, path: Path) -> None:
    """A pixel map of noise, written a thousand images at a time."""
    import numpy as np

    draw = np.random.default_rng(1)
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(images, SIZE, SIZE))
    for start in range(0, images, 1000):
        pixels[start : start + 1000] = draw.integers(0, 256, pixels[start : start + 1000].shape, np.uint8)
        pixels.flush()


def _main(path: Path) -> None:
    import numpy as np
    import torch
    from torch.utils.data import DataLoader

    from lib.training.batches import Rows, WeightedBatches
    from lib.training.classifier import Classifier
    from lib.training.settings import TrainingSettings

    torch.set_num_threads(1)
    torch.manual_seed(1)
    pixels = np.load(path, mmap_mode="r")
    images = len(pixels)
    data = Rows(pixels, np.arange(images) % 2, np.ones(images))
    sampler = WeightedBatches(np.arange(images), np.ones(images), 32, 1)
    model = Classifier(TrainingSettings(image_size=SIZE, first_image_size=SIZE), 1, len(sampler), None)
    optimizer = model.configure_optimizers()["optimizer"]
    model.on_train_epoch_start()
    model.train()
    highest = 0
    for step, batch in enumerate(DataLoader(data, sampler=sampler, batch_size=None)):
        optimizer.zero_grad()
        model.training_step(batch).backward()
        optimizer.step()
        highest = max(highest, _kibibytes("RssAnon"))
        if step + 1 == BATCHES:
            break
    print(json.dumps({"private": highest / 1024, "mapped": _kibibytes("RssFile") / 1024}))


def _kibibytes(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
