"""How long after its process began a training on a known cohort takes its first step; run by `benchmarks.training`."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

BEGAN = float(sys.argv[1]) if __name__ == "__main__" else 0.0


def measure(datadir: Path, cache: Path) -> dict[str, float]:
    """Seconds, in a fresh interpreter, of importing the libraries and of all else until the first step begins and ends.

    All else: reading metadata.csv, listing the images and checking that none has changed (every file is read), mapping
    the pixels, reading the network's start, timing both precisions, Lightning's start.
    """
    command = [sys.executable, "-m", "benchmarks.start", repr(time.time()), str(datadir), str(cache)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1])


class _Reached(Exception):
    pass


def _main(datadir: str, cache: str) -> None:
    from lib.dropin import train
    from lib.training.classifier import Classifier
    from lib.training.settings import TrainingSettings

    imported = time.time()
    times = []

    def step(self: Classifier, batch: tuple) -> None:
        times.append(time.time())
        if len(times) == 2:  # the first one is done
            raise _Reached
        return real(self, batch)

    real, Classifier.training_step = Classifier.training_step, step
    logs, table, recipe = Path(cache) / f"{time.time_ns()}", Path(datadir) / "metadata.csv", TrainingSettings()
    size, start = recipe.image_size, recipe.initial_weights
    with suppress(_Reached):
        train(logs, datadir, table, "WEIGHTS", epochs=2, seed=1, image_size=size, initial=start, pixels=Path(cache))
    print(json.dumps({"import": imported - BEGAN, "begins": times[0] - imported, "ends": times[1] - imported}))


if __name__ == "__main__":
    _main(*sys.argv[2:])
