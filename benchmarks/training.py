"""Speed of training and prediction, and time to quality, beside a plain script with the same start; `make bench`.

python -m benchmarks.training [--cohort FOLDER] [--rounds 4] [--seconds 420] [--store FOLDER] [--write]
"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from joblib import cpu_count

from benchmarks import memory, quality, report, start
from benchmarks.cohort import draw_cohort
from benchmarks.ours import Ours
from benchmarks.reference import Reference
from benchmarks.report import Rates, Stopwatch
from benchmarks.workers import Worker, all_at_once, rates
from lib.training.settings import TrainingSettings

RECIPE = TrainingSettings()
HALF = replace(RECIPE, precision="bf16-mixed")
SIZE = RECIPE.image_size
TRAINED = {
    # name: batches, settings
    "train float32": (3, RECIPE),
    "train bfloat16": (3, HALF),
    "train 128": (3, replace(RECIPE, image_size=128, first_image_size=128)),
    "train 224": (2, replace(RECIPE, image_size=224, first_image_size=224, batch_size=16)),
}
PREDICTED = {
    # name: images, pixels, mirror images too, precision, decoded for the first time
    "predict float32": (1024, SIZE, False, "32-true"),
    "predict bfloat16": (512, SIZE, False, "bf16-mixed"),
    "predict 128": (1024, 128, False, "32-true"),
    "predict mirror": (512, SIZE, True, "32-true"),
    "predict first": (0, SIZE, False, "32-true", True),
}


def measure(cohort: Path, cache: Path, rounds: int, seconds: float) -> list[Rates]:
    """For each round, images a second (wall, processor time) of everything, one after the other.

    No round begins after `seconds`. The plain script's processor time is that of a run on one thread: threads that wait
    for each other are busy, too.
    """
    clock, done = Stopwatch(), []
    plain, alone = Worker(Reference, str(cohort)), Worker(Reference, str(cohort), threads=1)
    own = [Worker(Ours, str(cohort), str(cache), threads=1) for _ in range(cpu_count())]
    for one in TRAINED.values():
        all_at_once(own[:1], "train", 1, one[1])  # decodes the images
    while len(done) < rounds and (clock.seconds() < seconds or not done):
        found = {"plain train": _of_plain(plain, alone, "train", 2)}
        found |= {name: rates(all_at_once(own, "train", *given)) for name, given in TRAINED.items()}
        found["plain predict"] = _of_plain(plain, alone, "predict", 4)
        found |= {name: rates(all_at_once(own[:1], "predict", *given)) for name, given in PREDICTED.items()}
        for name, settings in (("float32", RECIPE), ("bfloat16", HALF)):
            found[f"products {name}"] = (sum(all_at_once(own, "products", settings.precision)),) * 2
            found[f"convolutions {name}"] = (sum(all_at_once(own, "convolutions", settings)),) * 2
        found["load"] = (os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,) * 2
        done.append(found)
        print(f"round {len(done)} of {rounds}: {clock.seconds():.0f} s {found}", file=sys.stderr, flush=True)
    for worker in [plain, alone, *own]:
        worker.stop()
    return done


def _of_plain(plain: Worker, alone: Worker, what: str, batches: int) -> tuple[float, float]:
    return rates(all_at_once([plain], what, batches))[0], rates(all_at_once([alone], what, 1))[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cohort", type=Path, help="cohort folder of real images (default: 1,000 drawn ones, speed alone)"
    )
    parser.add_argument("--rounds", type=int, default=4, help="of the comparison of speed (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=420, help="after which nothing begins (default: %(default)s)")
    parser.add_argument("--store", type=Path, help="keeps the plain script's epochs, to go on from (default: nowhere)")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/training.md")
    given = parser.parse_args()
    # the plain script has torch's own number of threads, whatever the shell says
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.pop(name, None)
    clock = Stopwatch()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        cohort = given.cohort or draw_cohort(folder / "cohort")
        done = measure(cohort, folder, given.rounds, given.seconds / 2)
        starts = [start.measure(cohort, folder) for _ in range(3)]
        private = {images: memory.measure(images, folder) for images in (1_000, 100_000)}
        texts = {"speed": report.speed(done, starts, private)}
        if given.cohort:
            train, valid = quality.images(cohort)
            epoch = median(report.plain_epoch(found, train, valid) for found in done)
            found = quality.compare(cohort, given.store or folder, given.seconds - clock.seconds(), epoch)
            texts["quality"] = report.quality(found, done)
    for kind, text in texts.items():
        print(text, end="\n\n")
        if given.write:
            report.keep(kind, text)


if __name__ == "__main__":
    main()
