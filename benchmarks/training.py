"""Speed of training and prediction beside a plain script, measured side by side; `make bench`.

python -m benchmarks.training [--cohort FOLDER] [--rounds 4] [--write]      speed
python -m benchmarks.training --cohort FOLDER --quality EPOCHS [--store FOLDER] [--write]
                                                                            quality of both after equal epochs
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import memory, report, start
from benchmarks.cohort import draw_cohort
from benchmarks.ours import Ours
from benchmarks.quality import compare, row
from benchmarks.reference import Reference
from benchmarks.workers import Worker, all_at_once, rates

SECONDS = 420
"""No round begins later."""
TRAINED = {
    # name: batches, pixels of the map, pixels shown, images a batch
    "224": (1, 224, 224, 16),
    "64 of 224": (5, 224, 64, 32),
    "64 of 96": (5, 96, 64, 32),
    "96": (3, 96, 96, 32),
}
PREDICTED = {
    # name: images, pixels, mirror images too
    "predict 96": (1024, 96, False),
    "predict 96, mirror": (1024, 96, True),
    "predict 224": (64, 224, False),
}


def measure(cohort: Path, cache: Path, rounds: int) -> list[dict[str, tuple[float, float]]]:
    """For each round, images a second (wall, processor time) of everything, one after the other.

    The plain script's processor time is that of a run on one thread: threads that wait for each other are busy, too.
    """
    from lib.cohort import list_images, load_pixels, with_digest
    from lib.cores import usable_cores

    frame = with_digest(list_images(cohort))
    for size in (224, 96):
        load_pixels(frame, size, cache)
    cores = usable_cores()
    plain, plain_alone = Worker(Reference, str(cohort)), Worker(Reference, str(cohort), threads=1)
    own = [Worker(Ours, str(cohort), str(cache), threads=1) for _ in range(cores)]
    done = []
    clock = report.Stopwatch()
    while len(done) < rounds and (clock.seconds() < SECONDS or not done):
        found = {"reference train": _of_reference(plain, plain_alone, "train", 2)}
        found |= {name: rates(all_at_once(own, "train", *given)) for name, given in TRAINED.items()}
        found["reference predict"] = _of_reference(plain, plain_alone, "predict", 4)
        found |= {name: rates(all_at_once(own[:1], "predict", *given)) for name, given in PREDICTED.items()}
        found["sgemm"] = (sum(all_at_once(own, "sgemm")),) * 2
        found["load"] = (os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,) * 2
        done.append(found)
        print(f"round {len(done)} of {rounds}: {clock.seconds():.0f} s {found}", file=sys.stderr, flush=True)
    for worker in [plain, plain_alone, *own]:
        worker.stop()
    return done


def _of_reference(plain: Worker, alone: Worker, what: str, batches: int) -> tuple[float, float]:
    return rates(all_at_once([plain], what, batches))[0], rates(all_at_once([alone], what, 1))[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path, help="cohort folder (default: 1,000 drawn images)")
    parser.add_argument("--rounds", type=int, default=4, help="of the comparison of speed (default: %(default)s)")
    parser.add_argument("--quality", type=int, metavar="EPOCHS", help="compare balanced accuracy on valid instead")
    parser.add_argument("--store", type=Path, help="where --quality keeps what it trained (default: nowhere)")
    parser.add_argument("--seed", type=int, default=1, help="of --quality (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/training.md")
    given = parser.parse_args()
    # the plain script has torch's own number of threads, whatever the shell says
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        if given.quality:
            if not given.cohort:
                parser.error("--quality needs a --cohort of real images")
            text = row(
                compare(given.cohort, given.quality, given.store or folder, given.seed), given.cohort.resolve().name
            )
            kind = "quality"
        else:
            cohort = given.cohort or draw_cohort(folder / "cohort")
            done = measure(cohort, folder, given.rounds)
            starts = [start.measure(cohort, folder) for _ in range(3)]
            private = {}
            for images in (1_000, 10_000, 100_000):
                private[images] = memory.measure(images, folder)
            text, kind = report.speed(done, starts, private), "speed"
    print(text)
    if given.write:
        report.keep(kind, text)


if __name__ == "__main__":
    main()
