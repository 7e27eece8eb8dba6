"""Which rows of a file are audited: those that `--valid` names, those that are not of training, or all."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from lib.predictions.reader import Predictions, image_column
from lib.tabular import Columns, match, read_table
from lib.tabular import TableError as PredictionError
from lib.tabular.values import text

IMAGES = (".png", ".jpg", ".jpeg", ".dcm")
Named = dict[str, list[str]]
"""Images that `--valid` names (`valid`), and those that the same folder has for training (`train`)."""


def restricted(file: Predictions, named: Named | None, notes: list[str], warnings: list[str]) -> Predictions:
    """The rows to audit: those that `--valid` names, else those whose split is not train, else all."""
    rows, name = file.frame, file.path.name
    if named is not None:
        sides = {
            image: side
            for side in ("train", "valid")
            for image in match(named[side], rows["image"].to_list())[0].values()
        }
        if "valid" not in sides.values():
            raise PredictionError(
                f"none of the images of {file.path} is among the {len(named['valid']):,} named by --valid."
            )
        rows = rows.with_columns(split=pl.col("image").replace_strict(sides, default=None, return_dtype=pl.String))
    if "split" not in rows.columns or rows["split"].null_count() == rows.height:
        return file
    valid, train = rows.filter(split="valid"), rows.filter(split="train")
    if valid.is_empty():
        raise PredictionError(f"{file.path} has no validation image: its split is train in every row that has one.")
    if both := set(train["patient"]) & set(valid["patient"]):
        images = valid["patient"].is_in(sorted(both)).sum()
        warnings.append(
            f"{name}: {len(both):,} patients have images on both sides of the split, {images:,} of the {valid.height:,} images "
            "audited are theirs, and rates on patients seen in training flatter."
        )
    if valid.height < rows.height:
        notes.append(
            f"{name}: {valid.height:,} of {rows.height:,} images are marked for validation or testing; the others are left out."
        )
    return replace(file, frame=valid, held_out=True)


def names_in(valid: Path) -> Named:
    """Images named by `--valid`: those in `valid/*` of a cohort folder, or in the image column of a table."""
    if not valid.is_dir():
        table = read_table(valid)
        column = image_column(table, Columns(), []) or table.columns[0]
        return {"valid": text(table.frame[column]).drop_nulls().to_list(), "train": []}
    from lib.cohort.layout import split_folder

    folders = {"valid": split_folder(valid, "valid") or valid, "train": split_folder(valid, "train")}
    names = {side: _images_in(folder) if folder else [] for side, folder in folders.items()}
    if not names["valid"]:
        raise PredictionError(f"{valid} holds no images; a cohort folder or a table of names is needed.")
    return names


def _images_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
