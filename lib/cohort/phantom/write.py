"""A phantom cohort on disk, in the course's layout, with the truth beside it."""

import json
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
from joblib import Parallel, cpu_count, delayed
from PIL import Image
from tqdm import tqdm

from lib.cohort.layout import HEADER, NAMES, SPLITS
from lib.cohort.phantom.dials import DEFAULT, EFFECTS, Dials
from lib.cohort.phantom.patients import Record, Shot, draw_records
from lib.files import whole_folder

FEW = 100 * 256**2
"""Pixels; fewer are drawn before other processes have started."""


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
    with whole_folder(out) as building:
        for split, name in product(SPLITS, NAMES.values()):
            (building / split / name).mkdir(parents=True)
        shots = [(r.shot, str(building / r.split / NAMES[r.label] / r.image)) for r in records]
        jobs = 1 if len(shots) * size**2 < FEW else workers or cpu_count()
        drawing = Parallel(n_jobs=jobs, return_as="generator", batch_size=10)
        files = drawing(delayed(_draw)(shot, path, seed, size) for shot, path in shots)
        list(tqdm(files, "Drawing a cohort", len(shots), unit=" images"))
        (building / "metadata.csv").write_text("\n".join([HEADER, *map(_line, records)]) + "\n", "utf-8", newline="\n")
        strengths = asdict(dials)
        planted = {name: strength for name, strength in strengths.items() if strength and name in EFFECTS}
        truth = {
            "seed": seed,
            "images": len(records),
            "size": size,
            "dials": strengths,
            "planted": {name: {"dial": dial, "effect": EFFECTS[name].words} for name, dial in planted.items()},
            "sick_but_labelled_healthy": [r.image for r in records if r.sick and not r.label],
        }
        (building / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", "utf-8", newline="\n")
    return out


def _draw(shot: Shot, path: str, seed: int, size: int) -> None:
    from lib.cohort.phantom.render import render  # the processes that draw need it; the one that starts them does not

    np.empty(24 << 20, np.uint8)  # freeing a large block keeps glibc from giving the layers' memory back each time
    # run lengths alone (zlib's strategy 3): no larger than the default here, and four times as fast
    Image.fromarray(render(shot, seed=seed, size=size)).save(path, compress_level=1, compress_type=3)


def _line(r: Record) -> str:
    width, height = (2500, 2048) if r.view == "AP" else (2048, 2500)
    findings = "|".join(r.findings) or "No Finding"
    return (
        f"{r.image},{findings},{r.shot.visit},{r.shot.patient},{r.age},{r.sex},{r.view},{width},{height},0.168,0.168,1"
    )
