"""Predictions and metadata put together: whose image each row is, and which rows are audited."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from lib.cohort import CohortError
from lib.cohort.metadata import read_metadata
from lib.names import DEFAULTS
from lib.predictions.reader import IMAGE, PredictionError, Predictions, read_text

COLUMN = {"sex": "Patient Gender", "view": "View Position"}
Codes = Mapping[str, Mapping[str, str]]


def parse_codes(text: str) -> Codes:
    """`sex:0=M,1=F;view:0=AP,1=PA` as {attribute: {code: group}}. Raises `PredictionError` for anything else."""
    codes: dict[str, dict[str, str]] = {}
    for part in filter(None, text.replace(" ", "").split(";")):
        attribute, _, pairs = part.partition(":")
        if attribute not in COLUMN:
            raise PredictionError(f"--codes {text!r}: {attribute!r} cannot be coded; allowed are {', '.join(COLUMN)}.")
        codes[attribute] = dict(pair.split("=", 1) for pair in pairs.split(",") if "=" in pair)
        groups = DEFAULTS[attribute].groups
        if sorted(codes[attribute].values()) != sorted(groups):
            raise PredictionError(f"--codes {text!r}: {attribute} needs a code for each of {', '.join(groups)}, once.")
    return codes


def read_people(path: Path, codes: Codes) -> tuple[pl.DataFrame, list[str]]:
    """Metadata, one row per image: `image, findings, patient, age, sex, age_group, view`, and what is worth telling.

    Sex or view written as 0 and 1 cannot be known without `codes`. Raises `PredictionError`.
    """
    raw = read_text(path)
    try:
        rows, _ = read_metadata(path)
    except CohortError as error:
        raise PredictionError(str(error)) from None
    notices = []
    for attribute, column in COLUMN.items():
        values = raw.select(image=pl.col("Image Index").str.strip_chars(), code=pl.col(column).str.strip_chars())
        values = values.with_columns(pl.col("code").str.strip_suffix(".0")).unique("image", keep="first")
        if attribute in codes:
            group = pl.col("code").replace_strict(dict(codes[attribute]), default=None, return_dtype=pl.String)
            coded = values.with_columns(group=group)
            rows = rows.join(coded.select("image", "group"), on="image", how="left", maintain_order="left")
            rows = rows.with_columns(pl.coalesce(attribute, "group").alias(attribute)).drop("group")
        elif set(values["code"].drop_nulls()) and set(values["code"].drop_nulls()) <= {"0", "1"}:
            raise PredictionError(
                f"{path}, column {column!r} holds 0 and 1, whose meaning is not written: give metadata with the original "
                f'values, or say it, as in --codes "{attribute}:0={",1=".join(DEFAULTS[attribute].groups)}".'
            )
        if (unknown := rows[attribute].null_count()) > 0:
            notices.append(
                f"{attribute} is unknown for {unknown:,} images of the metadata; they are in no {attribute} group."
            )
    return rows.drop("weight"), notices


def matched(file: Predictions, people: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[str]]:
    """The file's rows with their people: by name of the image, else by position where that can be verified."""
    if "image" not in file.frame.columns:
        return _by_position(file, people, path)
    rows = file.frame.join(people, on="image", how="inner", maintain_order="left")
    if rows.is_empty():
        raise PredictionError(
            f"none of the {file.frame.height:,} images of {file.path} is in {path}; the first is {file.frame['image'][0]!r}."
        )
    rows, notices = _labelled(file.path, rows, path)
    if missing := file.frame.height - rows.height:
        notices.append(
            f"{file.path.name}: {missing:,} of {file.frame.height:,} images are not in {path.name}; left out."
        )
    return rows, notices


def _by_position(file: Predictions, people: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[str]]:
    why = f"{file.path} names no images (columns {', '.join(IMAGE[:3])}, ...)"
    if file.frame.height != people.height:
        raise PredictionError(
            f"{why} and has {file.frame.height:,} rows where {path} has {people.height:,} images: rows cannot be matched."
        )
    rows = pl.concat([file.frame, people], how="horizontal")
    agree = []
    if "label" in rows.columns:
        agree.append(("labels", (rows["label"] == (rows["findings"] != "No Finding").cast(pl.Int64)).all()))
    for attribute in COLUMN:
        if f"file_{attribute}" in rows.columns:
            pairs = rows.select(f"file_{attribute}", attribute).drop_nulls().unique()
            one_to_one = pairs[attribute].is_unique().all() and pairs[f"file_{attribute}"].is_unique().all()
            agree.append((attribute, bool(one_to_one)))
    if not agree:
        raise PredictionError(
            f"{why} and neither labels nor attributes by which its rows could be checked against {path}."
        )
    if wrong := [what for what, same in agree if not same]:
        raise PredictionError(f"{why}, and its {wrong[0]} disagree with {path} row by row: rows cannot be matched.")
    checked = " and ".join(what for what, _ in agree)
    rows, notices = _labelled(file.path, rows, path)
    return rows, [*notices, f"{file.path.name} names no images: matched by position, {checked} agree in every row."]


def _labelled(file: Path, rows: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, list[str]]:
    found = (pl.col("findings") != "No Finding").cast(pl.Int64)
    if "label" not in rows.columns:
        if rows["findings"].null_count():
            raise PredictionError(f"{file} has no labels and {path} lacks Finding Labels for some of its images.")
        return rows.with_columns(label=found), [f"{file.name} has no labels: those of {path.name} are used."]
    known = rows.filter(pl.col("findings").is_not_null())
    differ = known.filter(pl.col("label") != found).height
    if known.height and differ > known.height / 2:
        raise PredictionError(
            f"{file}: labels contradict the Finding Labels of {path} in {differ:,} of {known.height:,} images; in `labels`, 0 "
            "is malade (sick) and 1 is sain, in `label`, 1 is sick."
        )
    if differ:
        return rows, [f"{file.name}: labels differ from Finding Labels in {differ:,} images; the file's are kept."]
    return rows, []


def restricted(rows: pl.DataFrame, valid: set[str] | None, file: Path) -> tuple[pl.DataFrame, bool]:
    """The rows to audit, and whether they are known to be held out: those of `valid`, else those whose split says so."""
    if valid is not None:
        kept = rows.filter(pl.col("image").is_in(sorted(valid)))
        if kept.is_empty():
            raise PredictionError(f"none of the images of {file} is among the {len(valid):,} named by --valid.")
        return kept, True
    if "split" in rows.columns:
        kept = rows.filter(pl.col("split") == "valid")
        if kept.is_empty():
            raise PredictionError(f"{file} has no validation image: its split is train in every row.")
        return kept, True
    return rows, False


def names_in(valid: Path) -> set[str]:
    """Images named by `--valid`: those in `valid/*` of a cohort folder, or in the image column of a CSV."""
    if valid.is_dir():
        folder = valid / "valid" if (valid / "valid").is_dir() else valid
        names = {path.name for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg")}
        if not names:
            raise PredictionError(f"{valid} holds no images; a cohort folder or a CSV of names is needed.")
        return names
    frame = read_text(valid)
    column = next((c for c in frame.columns if c.lower() in IMAGE), frame.columns[0])
    return {name.strip().replace("\\", "/").split("/")[-1] for name in frame[column].drop_nulls()}


def common(tables: Sequence[tuple[Path, pl.DataFrame]]) -> tuple[list[pl.DataFrame], list[str]]:
    """Every table cut to the images that all have, in one order. Raises `PredictionError` where labels contradict."""
    shared = tables[0][1].select("image", "label")
    for path, rows in tables[1:]:
        shared = shared.join(rows.select("image", other="label"), on="image", how="inner", maintain_order="left")
        if shared.is_empty():
            raise PredictionError(f"{path} has no image in common with {tables[0][0]}: they cannot be compared.")
        if (differ := shared.filter(pl.col("label") != pl.col("other"))).height:
            raise PredictionError(
                f"{path} and {tables[0][0]} disagree on the label of {differ.height:,} images, {differ['image'][0]!r} among them."
            )
        shared = shared.drop("other")
    kept = [shared.select("image").join(rows, on="image", how="left", maintain_order="left") for _, rows in tables]
    if all(rows.height == shared.height for _, rows in tables):
        return kept, []
    sizes = ", ".join(f"{path.name} {rows.height:,}" for path, rows in tables)
    return kept, [f"The files differ in their images ({sizes}): audited on the {shared.height:,} that all have."]
