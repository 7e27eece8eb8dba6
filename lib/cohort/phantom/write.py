"""A phantom cohort on disk, in the course's layout, with the truth beside it."""

import json
import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from lib.cohort.phantom.dials import DEFAULT, EFFECTS, Dials
from lib.cohort.phantom.patients import Record, draw_records
from lib.cohort.phantom.shot import Shot

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],WEIGHTS"
)
"""As published: the commas inside the brackets are separators like the others."""
FEW = 100 * 256**2
"""Pixels; fewer are drawn before other processes have started."""
FOLDERS = {1: "malade", 0: "sain"}


def draw_phantom(
    out: str | Path,
    *,
    images: int = 1500,
    seed: int = 0,
    dials: Dials = DEFAULT,
    size: int = 256,
    workers: int | None = None,
) -> Path:
    """Draw a cohort into the folder `out`, which must be new or empty; returns it.

    Equal `images`, `seed`, `dials` and `size` give equal bytes under equal versions of the libraries. The folder
    appears when it is whole. Raises ValueError for a folder in use, fewer than 20 images, a size that is no multiple
    of 32 pixels, or a negative seed.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is in use: a phantom cohort is drawn into a new or empty folder.")
    if images < 20 or size < 32 or size % 32 or seed < 0:
        raise ValueError(
            f"{images} images of {size} pixels from seed {seed} cannot be drawn; allowed are 20 images or more, of a multiple "
            "of 32 pixels, from a seed of 0 or more."
        )
    records = draw_records(seed, images, dials)
    out.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for split in ("train", "valid"):
            for folder in FOLDERS.values():
                (building / split / folder).mkdir(parents=True)
        _draw_all(
            [(r.shot, str(building / r.split / FOLDERS[r.label] / r.image)) for r in records], seed, size, workers
        )
        (building / "metadata.csv").write_text("\n".join([HEADER, *map(_line, records)]) + "\n", "utf-8", newline="\n")
        truth = json.dumps(_truth(records, seed, dials, size), indent=1)
        (building / "truth.json").write_text(truth + "\n", "utf-8", newline="\n")
        building.chmod(0o755)
        if out.exists():
            out.rmdir()
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return out


def _draw_all(todo: list[tuple[Shot, str]], seed: int, size: int, workers: int | None) -> None:
    workers = workers or os.cpu_count() or 1
    with tqdm(total=len(todo), desc="Drawing a cohort", unit=" images") as bar:
        if workers == 1 or len(todo) * size**2 < FEW:
            for one in todo:
                bar.update(_draw_some([one], seed=seed, size=size))
            return
        parts = [todo[i : i + 10] for i in range(0, len(todo), 10)]
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_start) as pool:
            for done in pool.map(partial(_draw_some, seed=seed, size=size), parts):
                bar.update(done)


def _start() -> None:
    """One thread per process; and let malloc keep the layers' memory, which it would give back and fault in each time."""
    threadpool_limits(1)
    np.empty(24 << 20, np.uint8)  # freeing a large block raises glibc's threshold for giving memory back


def _draw_some(todo: list[tuple[Shot, str]], *, seed: int, size: int) -> int:
    from lib.cohort.phantom.render import render  # the processes that draw need it; the one that starts them does not

    for shot, path in todo:
        # run lengths alone (zlib's strategy 3): no larger than the default here, and four times as fast
        Image.fromarray(render(shot, seed=seed, size=size)).save(path, compress_level=1, compress_type=3)
    return len(todo)


def _line(r: Record) -> str:
    width, height = (2500, 2048) if r.view == "AP" else (2048, 2500)
    findings = "|".join(r.findings) or "No Finding"
    return (
        f"{r.image},{findings},{r.shot.visit},{r.shot.patient},{r.age},{r.sex},{r.view},{width},{height},0.168,0.168,1"
    )


def _truth(records: list[Record], seed: int, dials: Dials, size: int) -> dict:
    """What was planted, and which labels are wrong because of it."""
    return {
        "seed": seed,
        "images": len(records),
        "size": size,
        "dials": asdict(dials),
        "planted": {
            name: {"dial": value, "effect": EFFECTS[name].words}
            for name, value in asdict(dials).items()
            if value and name in EFFECTS
        },
        "sick_but_labelled_healthy": [r.image for r in records if r.sick and not r.label],
    }
