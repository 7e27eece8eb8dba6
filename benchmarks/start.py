"""How long after its process began a training on a known cohort takes its first step; run by `benchmarks.training`."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

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


def first_step(datadir: Path, cache: Path) -> dict[str, float]:
    """When (seconds since the epoch) the libraries are imported, and when the first step of a training begins and ends."""
    from lib.dropin import training
    from lib.training.classifier import Classifier
    from lib.training.settings import TrainingSettings

    times = [time.time()]
    real, recipe = Classifier.training_step, TrainingSettings()

    def step(self: Classifier, batch: tuple) -> Any:
        times.append(time.time())
        if len(times) == 3:  # the first one is done
            raise _Reached
        return real(self, batch)

    logs, table = cache / f"{time.time_ns()}", datadir / "metadata.csv"
    with patch.object(Classifier, "training_step", step), patch.object(training, "PIXELS", cache), suppress(_Reached):
        training.train(
            logs, datadir, table, "WEIGHTS", epochs=2, image_size=recipe.image_size, initial=recipe.initial_weights
        )
    return dict(zip(("imported", "begins", "ends"), times, strict=True))


if __name__ == "__main__":
    at = first_step(Path(sys.argv[2]), Path(sys.argv[3]))
    imported = at.pop("imported")
    print(json.dumps({"import": imported - BEGAN} | {name: when - imported for name, when in at.items()}))
