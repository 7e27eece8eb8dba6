"""Which rows of a file are audited: those that `--valid` names, those that are not of training, or all."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from lib.predictions.errors import PredictionError
from lib.predictions.match import Matched
from lib.predictions.reader import image_column
from lib.tabular import Columns, match, read_table
from lib.tabular.values import text

IMAGES = (".png", ".jpg", ".jpeg", ".dcm")


@dataclass(frozen=True)
class Named:
    """Images that `--valid` names, and those that the same folder has for training."""

    images: list[str]
    train: list[str]


def restricted(table: Matched, valid: Named | None) -> Matched:
    """The rows to audit: those that `valid` names, else those whose split is not train, else all."""
    rows, name = table.rows, table.path.name
    if valid is not None:
        targets, _ = match(valid.images, rows["image"].to_list())
        inside = rows["image"].is_in(sorted(set(targets.values())))
        if not inside.any():
            raise PredictionError(
                f"none of the images of {table.path} is among the {len(valid.images):,} named by --valid."
            )
        train, _ = match(valid.train, rows["image"].to_list())
        split = pl.Series(
            "split", np.where(inside, "valid", np.where(rows["image"].is_in(sorted(set(train.values()))), "train", ""))
        )
        rows = rows.with_columns(split.replace({"": None}))
        table = replace(table, rows=rows, held_out=True)
    if "split" not in rows.columns or rows["split"].null_count() == rows.height:
        return table
    inside = (rows["split"] == "valid").fill_null(False).to_numpy()
    if not inside.any():
        raise PredictionError(f"{table.path} has no validation image: its split is train in every row that has one.")
    both = set(rows.filter(split="train")["patient"]) & set(rows.filter(split="valid")["patient"])
    warnings = list(table.warnings)
    if both:
        images = int((rows["patient"].is_in(sorted(both)).to_numpy() & inside).sum())
        warnings.append(
            f"{name}: {len(both):,} patients have images on both sides of the split, {images:,} of the {inside.sum():,} images "
            "audited are theirs, and rates on patients seen in training flatter."
        )
    kept = (
        table
        if inside.all()
        else table.at(
            np.flatnonzero(inside),
            f"{name}: {inside.sum():,} of {rows.height:,} images are marked for validation or testing; the others are left out.",
        )
    )
    return replace(kept, held_out=True, warnings=tuple(warnings))


def names_in(valid: Path) -> Named:
    """Images named by `--valid`: those in `valid/*` of a cohort folder, or in the image column of a table."""
    if valid.is_dir():
        from lib.cohort.layout import split_folder

        folder, train = split_folder(valid, "valid") or valid, split_folder(valid, "train")
        names = _images_in(folder)
        if not names:
            raise PredictionError(f"{valid} holds no images; a cohort folder or a table of names is needed.")
        return Named(names, _images_in(train) if train else [])
    names = read_table(valid)
    column = image_column(names, Columns(), []) or names.columns[0]
    return Named(text(names.frame[column]).drop_nulls().to_list(), [])


def _images_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
