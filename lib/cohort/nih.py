"""Cohorts in the course's layout, made of the public NIH ChestX-ray14 download.

Source: X. Wang et al., ChestX-ray8, CVPR 2017, doi 10.1109/CVPR.2017.369; both public versions of Data_Entry_2017*.csv.
"""

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lib.cohort.layout import CohortError
from lib.cohort.nih_files import find_images, write_cohort, zip_folder
from lib.tabular import Columns, read_table

log = logging.getLogger(__name__)
HEALTHY = "No Finding"
NAME = re.compile(r"[^\W_]([\w-]{0,78}\w)?")


COLUMNS = {
    "Image Index": "image",
    "Finding Labels": "findings",
    "Patient ID": "patient",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view",
}
"""The columns of the public file, as this project calls them, and what they say."""


@dataclass(frozen=True)
class Choice:
    """Whom to take. `findings`: what counts as sick (empty: any finding; otherwise other sick images stay out).

    `train_list` and `valid_list` are official lists, one image name a line; without them `valid_share` of the patients
    go to valid. `students` names a file with one NOM_PRENOM a line: each gets `patients` patients, disjoint from the
    other students' unless `overlap`.
    """

    patients: int | None = None
    findings: tuple[str, ...] = ()
    valid_share: float = 0.25
    train_list: Path | None = None
    valid_list: Path | None = None
    seed: int = 0
    students: Path | None = None
    overlap: bool = False

    def __post_init__(self) -> None:
        if self.patients is not None and self.patients < 4:
            raise CohortError(f"--patients is {self.patients}; a cohort needs at least 4.")
        if not 0 < self.valid_share < 1:
            raise CohortError(f"--valid-share is {self.valid_share}; allowed is a share between 0 and 1.")
        if self.seed < 0:
            raise CohortError(f"--seed is {self.seed}; allowed are whole numbers from 0.")
        if self.students and self.patients is None:
            raise CohortError("--students needs --patients, the number of patients of each student.")
        if (self.train_list is None) != (self.valid_list is None):
            raise CohortError("--train-list and --valid-list are given together: one names train, the other valid.")


def import_nih(metadata: Path, images: Path, out: Path, choice: Choice, *, size: int = 256) -> list[Path]:
    """Write the cohort into `out`, or one folder and zip for each student; returns what was made.

    Images are turned into grey PNG of `size` x `size`; those already there are kept, so an interrupted import resumes.
    Equal arguments give equal cohorts. Raises `CohortError`, with one sentence, for anything that cannot be used.
    """
    if not 32 <= size <= 1024:
        raise CohortError(f"--size is {size}; allowed are 32 to 1024 pixels.")
    rows = select(read_text_columns(metadata), metadata, choice)
    places = find_images(images)
    there = rows.filter(pl.col("Image Index").is_in(list(places)))
    if there.is_empty():
        raise CohortError(f"{images} holds none of the {rows.height:,} images that {metadata} names.")
    if missing := rows.height - there.height:
        log.info("%s of %s images are not in %s: left out.", f"{missing:,}", f"{rows.height:,}", images)
    made = []
    for name, part in cohorts(there, choice).items():
        folder = out / name
        settings = {"size": size, "seed": choice.seed, "findings": choice.findings}
        settings["images"] = part["Image Index"].to_list()
        write_cohort(folder, part, places, size, json.dumps(settings))
        made.append(folder)
        if name:
            made.append(zip_folder(folder, out / f"{name}.zip"))
    return made


def read_text_columns(path: Path) -> pl.DataFrame:
    """A table as it is written, every column text; those that the NIH calls otherwise today (`Patient Sex`) as it called
    them before. Raises `CohortError` when it is no table.
    """
    table = read_table(path)
    names = {Columns().find(table, role): name for name, role in COLUMNS.items() if name not in table.columns}
    names.pop(None, None)
    return table.frame.select(pl.all().cast(pl.String)).rename(names)


def select(table: pl.DataFrame, metadata: Path, choice: Choice) -> pl.DataFrame:
    """Rows of the metadata with `sick` and, where official lists are given, `split`; one row per image."""
    if missing := [c for c in COLUMNS if c not in table.columns]:
        raise CohortError(f"{metadata} lacks the column(s) {', '.join(missing)}; it has {', '.join(table.columns)}.")
    rows = table.with_columns(pl.col(*COLUMNS).str.strip_chars()).unique(
        "Image Index", keep="first", maintain_order=True
    )
    rows = rows.drop_nulls(["Image Index", "Patient ID", "Finding Labels"])
    labels = pl.col("Finding Labels").str.split("|")
    known = rows.select(labels.explode().unique().sort()).to_series().to_list()
    if unknown := [f for f in choice.findings if f not in known or f == HEALTHY]:
        allowed = ", ".join(f for f in known if f != HEALTHY)
        raise CohortError(f"--findings: {unknown[0]!r} is not in {metadata}; allowed are {allowed}.")
    chosen = labels.list.eval(pl.element().is_in(choice.findings)).list.any() if choice.findings else True
    healthy = pl.col("Finding Labels") == HEALTHY
    rows = rows.filter(healthy | chosen).with_columns(sick=~healthy)
    return _official(rows, choice) if choice.train_list else rows


def _official(rows: pl.DataFrame, choice: Choice) -> pl.DataFrame:
    """The rows that the lists name, with their split."""
    splits = {"train": _lines(choice.train_list), "valid": _lines(choice.valid_list)}
    parts = [
        rows.filter(pl.col("Image Index").is_in(names)).with_columns(split=pl.lit(split))
        for split, names in splits.items()
    ]
    listed = pl.concat(parts)
    both = listed.group_by("Patient ID").agg(pl.col("split").n_unique()).filter(pl.col("split") > 1)
    if both.height:
        raise CohortError(
            f"{choice.train_list} and {choice.valid_list} share {both.height:,} patients, such as "
            f"{both['Patient ID'].sort()[0]}; a patient is allowed in one of them only."
        )
    return listed


def cohorts(rows: pl.DataFrame, choice: Choice) -> dict[str, pl.DataFrame]:
    """The rows of each student, or of the one cohort under the name "", with their split; patients are never divided."""
    patients = rows["Patient ID"].unique().sort().to_list()
    names = student_names(choice.students) if choice.students else [""]
    wanted = choice.patients or len(patients)
    needed = wanted * (1 if choice.overlap else len(names))
    if needed > len(patients):
        hint = "; --overlap lets students share some" if len(names) > 1 and not choice.overlap else ""
        raise CohortError(f"{needed:,} patients are wanted and {len(patients):,} are there{hint}.")
    order = np.random.default_rng([choice.seed, 0]).permutation(len(patients))
    parts = {}
    for number, name in enumerate(names):
        seed = [choice.seed, 1, *name.encode()]
        if choice.overlap:
            order = np.random.default_rng(seed).permutation(len(patients))
        start = 0 if choice.overlap else number * wanted
        chosen = [patients[k] for k in order[start : start + wanted]]
        part = rows.filter(pl.col("Patient ID").is_in(chosen))
        parts[name] = part if "split" in part.columns else _split(part, chosen, choice, seed)
    return parts


def _split(part: pl.DataFrame, chosen: list[str], choice: Choice, seed: list[int]) -> pl.DataFrame:
    order = np.random.default_rng([*seed, 2]).permutation(len(chosen))
    count = min(max(round(choice.valid_share * len(chosen)), 2), len(chosen) - 2)
    valid = [chosen[k] for k in order[:count]]
    is_valid = pl.col("Patient ID").is_in(valid)
    return part.with_columns(split=pl.when(is_valid).then(pl.lit("valid")).otherwise(pl.lit("train")))


def student_names(path: Path) -> list[str]:
    """The names in the file, each fit for a folder. Raises `CohortError` for others, doubles or none."""
    names = _lines(path)
    if wrong := [n for n in names if not NAME.fullmatch(n)]:
        raise CohortError(f"{path}: {wrong[0]!r} is no NOM_PRENOM; allowed are letters, digits, _ and -.")
    if len({n.casefold() for n in names}) < len(names):
        raise CohortError(f"{path} names a student twice; each is allowed once.")
    return names


def _lines(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise CohortError(f"{path} is not text in UTF-8; a list has one name a line.") from None
    if not any(lines):
        raise CohortError(f"{path} is empty; a list has one name a line.")
    return [line for line in lines if line]
