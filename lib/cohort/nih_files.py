"""Files of an NIH import: where the images are, how they are resized and kept, and the zip handed out."""

import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import polars as pl
from PIL import Image
from tqdm import tqdm

from lib.cohort.images import UNREADABLE, read_grey
from lib.cohort.layout import HEADER, NAMES, SPLITS, CohortError
from lib.files import write_whole

FIELDS = HEADER.split(",")
RECORD = "import.json"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a zip, so that equal cohorts give equal zips."""


def find_images(folder: Path) -> dict[str, Path]:
    """Every PNG under `folder` by name, whether in one folder or in `images_001/images` to `images_012/images`."""
    if not folder.is_dir():
        raise CohortError(
            f"{folder} is not a folder; allowed is one that holds the images or images_001 to images_012."
        )
    paths: dict[str, Path] = {}
    for path in sorted(folder.rglob("[!.]*.[pP][nN][gG]")):
        paths.setdefault(path.name, path)
    return paths


def write_cohort(folder: Path, rows: pl.DataFrame, places: dict[str, Path], size: int, settings: str) -> None:
    """Resize what is not there yet, then write `metadata.csv`: a cohort that has one is whole.

    Raises `CohortError` when the folder holds something else, or when images cannot be read.
    """
    record = folder / RECORD
    if folder.exists() and any(folder.iterdir()) and not record.is_file():
        raise CohortError(
            f"{folder} is in use; allowed is a new or empty folder, or an interrupted import of the same kind."
        )
    if record.is_file() and record.read_text("utf-8") != settings:
        raise CohortError(f"{folder} holds an import with other settings; give another folder, or delete that one.")
    for split, name in product(SPLITS, NAMES.values()):
        (folder / split / name).mkdir(parents=True, exist_ok=True)
    write_whole(record, settings)
    targets = [
        (name, folder / split / NAMES[sick] / name)
        for name, split, sick in rows.select("Image Index", "split", "sick").iter_rows()
    ]
    todo = [(places[name], target, size) for name, target in targets if not target.is_file()]
    with ThreadPoolExecutor() as pool:
        shown = tqdm(pool.map(_resize, todo), f"Resizing for {folder.name}", len(todo), unit=" images")
        bad = [source for source in shown if source]
    if bad:
        raise CohortError(
            f"{len(bad):,} images cannot be read, such as {bad[0]}; download them again, then start again to resume."
        )
    write_whole(folder / "metadata.csv", _metadata(rows))


def _resize(todo: tuple[Path, Path, int]) -> Path | None:
    """Write one image; returns its source when it cannot be read."""
    source, target, size = todo
    try:
        grey = read_grey(source, size)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno:
            raise
        return source
    write_whole(target, partial(Image.fromarray(grey).save, format="PNG"))
    return None


def _metadata(rows: pl.DataFrame) -> str:
    table = rows.with_columns(WEIGHTS=pl.lit("1")) if "WEIGHTS" not in rows.columns else rows
    missing = [pl.lit("").alias(field) for field in FIELDS if field not in table.columns]
    lines = table.with_columns(missing).select(FIELDS).write_csv(include_header=False, line_terminator="\n")
    return f"{HEADER}\n{lines}"


def zip_folder(folder: Path, target: Path) -> Path:
    """The cohort as a zip, its bytes depending on nothing but the content; written whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != RECORD):
            entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    part.replace(target)
    return target
