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
    the pixels, building the network, Lightning's start.
    """
    command = [sys.executable, "-m", "benchmarks.start", repr(time.time()), str(datadir), str(cache)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1])


class _Reached(Exception):
    pass


def _main(datadir: str, cache: str) -> None:
    from lib.dropin import train, training
    from lib.training.classifier import Classifier

    imported = time.time()
    times = {}

    def first_step(self: Classifier, batch: tuple) -> None:
        times["begins"] = time.time()
        return real(self, batch)

    class Bar(training.tqdm):
        def update(self, n: int = 1) -> None:
            times["ends"] = time.time()
            raise _Reached

    real, Classifier.training_step, training.tqdm = Classifier.training_step, first_step, Bar
    logs = Path(cache) / "logs" / f"{time.time_ns()}"
    table = Path(datadir) / "metadata.csv"
    with suppress(_Reached):
        train(logs, datadir, table, "WEIGHTS", epochs=20, seed=1, image_size=96, initial="none", pixels=Path(cache))
    seconds = {"import": imported - BEGAN} | {name: at - imported for name, at in times.items()}
    print(json.dumps(seconds))


if __name__ == "__main__":
    _main(*sys.argv[2:])
