"""Private memory of a training process whose pixel map holds ever more images; run by `benchmarks.training`."""

import json
import subprocess
import sys
from pathlib import Path

BATCHES = 6


def measure(images: int, folder: Path) -> dict[str, float] | None:
    """Mebibytes at the end of a few steps, in a fresh process: `private` (RssAnon) and `mapped` (RssFile, libraries too).

    Pages of the pixel map count as mapped: the system drops them when memory is needed elsewhere. None where the system
    does not tell the two apart (it is Linux that does).
    """
    if not Path("/proc/self/status").is_file():
        return None
    command = [sys.executable, "-m", "benchmarks.memory", str(images), str(folder / f"{images}.npy")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1])


def _main(images: int, path: Path) -> None:
    import numpy as np
    import torch
    from torch.utils.data import DataLoader

    from lib.training.batches import Rows, WeightedBatches
    from lib.training.classifier import Classifier
    from lib.training.settings import TrainingSettings

    torch.set_num_threads(1)
    settings = TrainingSettings()
    shape = (images, settings.image_size, settings.image_size)
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    data = Rows(pixels, np.arange(images) % 2, np.zeros((images, 0)), np.ones(images))
    sampler = WeightedBatches(np.arange(images), np.ones(images), settings.batch_size, 1)
    model = Classifier(settings, 1, len(sampler), None)
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
    del pixels, data
    path.unlink()


def _kibibytes(name: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]))
