"""A cohort folder read into one checked frame; every defect and what was done about it is counted."""

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from joblib import Parallel, cpu_count, delayed

from lib.cohort.images import Pixels, can_read_dicom, load_pixels, read_header
from lib.cohort.layout import CLASSES, SPLITS, CohortError, class_folders, metadata_of
from lib.messages import message
from lib.names import DEFAULTS, DRAWN, Attribute
from lib.tabular import AttributeSpec, match, read_people

log = logging.getLogger(__name__)
DICOM = (".dcm", ".dicom")
MOST_NAMED = 5
"""Files of a kind that are named; the others are counted."""
SUFFIXES = (".png", ".jpg", ".jpeg", *DICOM)


@dataclass(frozen=True)
class Cohort:
    """A checked cohort.

    `frame` has one row per usable image: `image`, `path` (absolute), `digest` (of the file), `split` (train, valid),
    `label` (1 sick, 0 healthy), `patient`, `findings` (as written), `age` (years), `sex`, `age_group`, `view`, `weight` (the CSV's WEIGHTS);
    unknown attributes are null. `checks` has `check`, `rows`, `action`: everything noticed on the way.
    `key` identifies images and metadata together: equal keys mean equal content. `attributes` are those to
    compare, each a column of `frame` (default: sex, age group and view).
    """

    folder: Path
    frame: pl.DataFrame
    checks: pl.DataFrame
    key: str
    attributes: dict[str, Attribute]

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def source(self) -> str | None:
        """Where the images come from, when the folder says so itself: phantoms carry the truth beside them."""
        return DRAWN if (self.folder / "truth.json").is_file() else None


def read_cohort(folder: str | Path, attributes: Sequence[AttributeSpec] | None = None) -> Cohort:
    """Read `folder/{train,valid}/{malade,sain}/*` and `folder/metadata.csv`.

    The folder decides split and label. Raises `CohortError` with one sentence where the cohort cannot be used at all;
    every smaller defect is counted in `checks`.
    """
    folder = Path(folder)
    images, others = _list_images(folder)
    people = read_people(metadata_of(folder), attributes=attributes, strict=True)
    rows, checks = people.frame.drop("split", strict=False), people.checks  # the folder decides
    checks = [
        ("images in the folders", images.height, "read"),
        ("files that are no PNG, JPEG or DICOM by name", others, "ignored"),
        *checks,
    ]

    images, doubles = _one_file_per_name(images)
    files, renamed = match(rows["image"], images["image"])
    rows = rows.with_columns(pl.col("image").replace(files))
    checks += [*doubles, ("image names written differently (folder, case, accents or suffix)", renamed, "matched")]
    joined = images.join(rows, on="image", how="left", maintain_order="left")
    known = joined.filter(pl.col("patient").is_not_null())
    orphans = rows.join(images, on="image", how="anti").height
    checks += [
        ("images without a row in metadata.csv", joined.height - known.height, "left out"),
        ("rows without an image", orphans, "ignored"),
    ]
    disagree = known.filter((pl.col("findings") == "No Finding").cast(pl.Int8) == pl.col("label")).height
    checks.append(("folder and Finding Labels disagree", disagree, "kept; the folder decides"))

    both = known.group_by("patient").agg(pl.col("split").n_unique()).filter(pl.col("split") > 1)["patient"]
    leaking = pl.col("patient").is_in(both.implode()) & (pl.col("split") == "train")
    checks.append(
        ("training images of patients who are also in valid", known.filter(leaking).height, "left out of training")
    )
    frame = known.filter(~leaking)
    sexes = frame.group_by("patient").agg(pl.col("sex").drop_nulls().n_unique()).filter(pl.col("sex") > 1).height
    checks.append(("patients recorded with two sexes", sexes, "kept as recorded on each image"))
    others = {name: attribute.label for name, attribute in people.attributes.items() if name not in DEFAULTS}
    for column, label in ({"age": "age", "sex": "sex", "view": "view"} | others).items():
        checks.append((f"images whose {label} is unknown", frame[column].null_count(), f"kept, in no {label} group"))
    require_both_classes(folder, frame)
    for split in SPLITS:
        if frame.filter(split=split)["patient"].n_unique() < 2:  # nothing could be said beyond that one
            raise CohortError(
                "{folder} holds images of one patient only; at least two patients are needed.", folder / split
            )

    frame = with_digest(frame)
    headers = _in_threads(read_header, frame["path"])
    shapes, modes = Counter(shape for shape, _ in headers if shape), Counter(mode for _, mode in headers if mode)
    checks += [
        ("images identical to another one", frame.height - frame["digest"].n_unique(), "kept"),
        ("images of another size than most", shapes.total() - max(shapes.values(), default=0), "resized"),
        ("images that are not 8-bit grey", modes.total() - modes["L"], "turned into 8-bit grey"),
    ]
    checks.append(("images used", frame.height, "kept"))
    table = pl.DataFrame(checks, schema={"check": pl.String, "rows": pl.Int64, "action": pl.String}, orient="row")
    return Cohort(folder, frame, table, _key(frame, people.attributes), people.attributes)


def list_images(folder: str | Path) -> pl.DataFrame:
    """The images of `folder/{train,valid}/{malade,sain}` alone: `image`, `path`, `split`, `label`; none is opened.

    One row per name: a name found in both classes is left out, of one found in both splits the copy of valid is kept.
    Raises `CohortError` when a folder is missing.
    """
    return _one_file_per_name(_list_images(Path(folder))[0])[0]


def with_digest(images: pl.DataFrame) -> pl.DataFrame:
    """The images with the column `digest`, that of the file at `path`."""
    return images.with_columns(digest=pl.Series(_in_threads(_digest, images["path"]), dtype=pl.String))


def _list_images(folder: Path) -> tuple[pl.DataFrame, int]:
    """Every image file with its split and label, and the number of other files; hidden files are not looked at."""
    rows, others, scans = [], 0, 0
    for (split, name), place in class_folders(folder).items():
        with os.scandir(place.absolute()) as entries:
            files = sorted((e.name, e.path) for e in entries if e.is_file() and not e.name.startswith("."))
        named = [
            (file, path, split, CLASSES[name])
            for file, path in files
            if Path(file).suffix.lower() in SUFFIXES
            and file == os.fsencode(file).decode("utf-8", errors="replace")  # else no row could name it
        ]
        scans += sum(Path(file).suffix.lower() in DICOM for file, *_ in named)
        rows += named
        others += len(files) - len(named)
    if scans and not can_read_dicom():
        raise CohortError(
            "{folder} holds {scans:,} DICOM images, which are read by pydicom: install it, or save them as PNG.",
            folder,
            scans,
        )
    schema = {"image": pl.String, "path": pl.String, "split": pl.String, "label": pl.Int8}
    return pl.DataFrame(rows, schema=schema, orient="row"), others


def _one_file_per_name(images: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, int, str]]]:
    """Drop names found in folders of both classes; of names found twice in one class keep the validation copy."""
    contradictory = pl.col("label").n_unique().over("image") > 1
    kept = images.filter(~contradictory)
    unique = kept.sort("split", "image", descending=[True, False], maintain_order=True).unique(
        "image", keep="first", maintain_order=True
    )
    return unique.sort("split", "label", "image", descending=[False, True, False]), [
        ("image names in both malade and sain", images.height - kept.height, "left out"),
        ("image names found twice", kept.height - unique.height, "one copy kept (that of valid, if any)"),
    ]


def readable(cohort: Cohort, size: int, cache: Path) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    """The frame without unreadable images, the checks with their count, and the pixels (n, size, size) of what is left.

    Raises `CohortError` when a class of a split has no readable image.
    """
    frame, pixels = readable_images(cohort.folder, cohort.frame, size, cache)
    count = ("files that are no readable image", cohort.frame.height - frame.height, "left out")
    rows = [*cohort.checks.rows()[:-1], count, ("images used", frame.height, "kept")]
    return frame, pl.DataFrame(rows, schema=cohort.checks.schema, orient="row"), pixels.values


def readable_images(folder: Path, images: pl.DataFrame, size: int, cache: Path) -> tuple[pl.DataFrame, Pixels]:
    """The images (`path`, `digest`, `split`, `label`) without the files that are none, and their pixels.

    Raises `CohortError` when a class of a split has no readable image.
    """
    require_both_classes(folder, images)
    pixels = load_pixels(images, size, cache)
    if pixels.unreadable.any():
        unreadable = pl.Series(pixels.unreadable)
        names = images.filter(unreadable)["path"].head(MOST_NAMED).to_list()
        log.warning(message("No readable image: {names} ({count:,} in all).", names, unreadable.sum()))
        return readable_images(folder, images.filter(~unreadable), size, cache)
    return images, pixels


def require_both_classes(folder: Path, frame: pl.DataFrame) -> None:
    """Raises `CohortError` when a split of `frame` lacks a class, naming its folder."""
    for split in SPLITS:
        for name, label in CLASSES.items():
            if frame.filter(pl.col("split") == split, pl.col("label") == label).is_empty():
                raise CohortError(
                    "{folder} holds no usable image (a readable image with a row in metadata.csv); both classes need "
                    "some in train and in valid.",
                    folder / split / name,
                )


def _in_threads(read: Callable, paths: Iterable[str]) -> list:
    """What `read` says of each file, a task for many of them: one for each would cost more than reading it."""
    return Parallel(n_jobs=cpu_count() + 4, prefer="threads", batch_size=64)(delayed(read)(path) for path in paths)


def _digest(path: str) -> str:
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()


def _key(frame: pl.DataFrame, attributes: Mapping[str, Attribute]) -> str:
    columns = ["image", "digest", "split", "label", "findings", "patient", "age", "sex", "view", "weight"]
    columns += [name for name in attributes if name not in DEFAULTS]
    return hashlib.blake2b(frame.select(columns).write_csv().encode(), digest_size=16).hexdigest()
