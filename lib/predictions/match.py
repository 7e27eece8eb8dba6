"""Predictions and metadata put together: whose image each row is, its truth, and which rows are audited."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from lib.predictions.reader import Predictions
from lib.tabular import Columns, People, file_name, match, plain_name, read_table
from lib.tabular import TableError as PredictionError
from lib.tabular.classes import sick as sick_of
from lib.tabular.columns import SEX, VIEW, image_column
from lib.tabular.values import coded, counted, text

OTHER_WAY = 0.9
"""Share of labels that contradict the findings from which on the codes mean the opposite."""
FOLDER = r"(?i)(?:^|[/\\])(train|valid|val|test)[/\\]"
IMAGES = (".png", ".jpg", ".jpeg", ".dcm")
Named = dict[str, list[str]]
"""Images that `--valid` names (`valid`), and those that the same folder has for training (`train`)."""


def matched(file: Predictions, people: People, notes: list[str], warnings: list[str]) -> Predictions:
    """The file with one row for each image that has a score and a truth, and its people: by name of the image, else by position
    where that can be verified. `notes` gets what was done, `warnings` what may mislead."""
    rows = (_by_name if "image" in file.frame.columns else _by_position)(file, people, notes)
    known = rows.drop_nulls([f"score {k}" for k in range(len(file.networks))])
    if known.is_empty():
        raise PredictionError(f"{file.path} has no score for any of its images that are in the metadata.")
    if left := rows.height - known.height:
        notes.append(f"{file.path.name}: {counted(left, 'row')} without a score left out.")
    return _labelled(replace(file, frame=_one_row_each(file, known, notes)), people, notes, warnings)


def _by_name(file: Predictions, people: People, notes: list[str]) -> pl.DataFrame:
    rows, name, metadata = file.frame, file.path.name, people.table.path
    targets, different = people.names.match(rows["image"].to_list())
    if not targets:
        raise PredictionError(
            f"none of the {rows.height:,} images of {file.path} is in {metadata}; the first is {rows['image'][0]!r}."
        )
    if "split" not in rows.columns:
        folder = rows["image"].str.extract(FOLDER).str.to_lowercase().replace({"val": "valid", "test": "valid"})
        if folder.null_count() == 0 and (folder == "valid").any():  # all of CheXpert lies in `train`
            rows = rows.with_columns(split=folder)
            notes.append(f"{name}: the folders in the names tell training images from others.")
    image = pl.col("image").replace_strict(targets, default=None, return_dtype=pl.String)
    rows = rows.with_columns(image).drop_nulls("image")
    if left := file.frame.height - rows.height:
        unowned = any(count for check, count, _ in people.checks if check.startswith("rows without"))
        notes.append(
            f"{name}: {left:,} of {file.frame.height:,} images are not in {metadata.name}"
            f"{', or have no patient there' * unowned}; left out."
        )
    if different:
        notes.append(f"{name}: {counted(different, 'name')} written differently (folder, case or suffix) matched.")
    known = people.frame.drop("weight", *{"split"} & set(rows.columns) & set(people.frame.columns))
    rows = rows.join(known, on="image", how="left", maintain_order="left")
    if people.names.depth == 1:  # else folders are part of the name
        rows = rows.with_columns(pl.col("image").map_elements(file_name, pl.String))
    return rows


def _by_position(file: Predictions, people: People, notes: list[str]) -> pl.DataFrame:
    path = people.table.path
    why = f"{file.path} names no images (columns 'Image Index', 'image', ...)"
    if file.frame.height != people.frame.height:
        raise PredictionError(
            f"{why} and has {file.frame.height:,} rows where {path} has {people.frame.height:,} images: rows cannot be matched."
        )
    known = people.frame.drop("weight", *set(file.frame.columns) & set(people.frame.columns))
    rows = pl.concat([file.frame, known], how="horizontal")
    agree: dict[str, bool] = {}
    if "label" in rows.columns and rows["findings"].null_count() == 0:
        same = (rows["label"] == sick_of(rows["findings"])).mean()
        agree["labels"] = same == 1 or (same == 0 and file.coded_label)
    for attribute, role in (("sex", SEX), ("view", VIEW)):
        if (column := Columns().find(file.table, role)) and attribute in rows.columns:
            pairs = pl.DataFrame({"file": coded(file.table.frame[column]), "known": rows[attribute]})
            pairs = pairs.drop_nulls().unique()
            if pairs.height:
                agree[attribute] = bool(pairs["file"].is_unique().all() and pairs["known"].is_unique().all())
    if not agree:
        raise PredictionError(
            f"{why} and neither labels nor attributes by which its rows could be checked against {path}."
        )
    if wrong := [what for what, same in agree.items() if not same]:
        raise PredictionError(f"{why}, and its {wrong[0]} disagree with {path} row by row: rows cannot be matched.")
    notes.append(f"{file.path.name} names no images: matched by position, {' and '.join(agree)} agree in every row.")
    return rows


def _one_row_each(file: Predictions, rows: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    """Each image once. Raises `PredictionError` for rows that contradict each other, naming them."""
    said = [name for name in rows.columns if name.split(" ")[0] in ("image", "label", "split", "score", "decision")]
    distinct = rows.unique(said, keep="first", maintain_order=True)
    if (twice := distinct.filter(distinct["image"].is_duplicated())).height:
        names = twice["image"].unique(maintain_order=True)
        shown = ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
        raise PredictionError(
            f"{file.path} has rows that differ for the same image ({shown}); one for each image is allowed."
        )
    if left := rows.height - distinct.height:
        notes.append(f"{file.path.name}: {counted(left, 'repeated row')} left out, each like an earlier one.")
    return distinct


def _labelled(file: Predictions, people: People, notes: list[str], warnings: list[str]) -> Predictions:
    """With the truth: the file's, else what the findings of the metadata say; where they contradict, that is said."""
    rows, name, meta = file.frame, file.path.name, people.table.path.name
    sick = sick_of(rows["findings"])
    if "label" not in rows.columns:
        if sick.null_count() == rows.height:
            raise PredictionError(
                f"{file.path} has no column of the truth (label, labels, ...), and {people.table.path} does not say who is sick: "
                "name one, as in --label COLUMN."
            )
        notes.append(f"{name} has no labels: those of {meta} are used.")
        rows = rows.with_columns(label=sick)
    elif sick.null_count() == 0:
        rows = rows.with_columns(pl.col("label").fill_null(sick))
    known = pl.DataFrame({"label": rows["label"], "sick": sick}).drop_nulls()
    differ = known.filter(pl.col("label") != pl.col("sick")).height
    if known.height >= 20 and differ >= OTHER_WAY * known.height and file.coded_label:
        # decisions alone, written 0 and 1, mean what the labels of their file mean; scores say themselves what is sick
        turned = [f"{what} {k}" for k, n in enumerate(file.networks) if not n.ranked for what in ("score", "decision")]
        rows = rows.with_columns((1 - pl.col("label", *turned)).name.keep())
        warnings.append(
            f"{name}: in {differ:,} of {known.height:,} images the labels are the opposite of the {people.truth} of "
            f"{meta}; they are read the other way round."
        )
        differ = known.height - differ
    if known.height and differ > known.height / 2:
        raise PredictionError(
            f"{file.path}: labels contradict the {people.truth} of {people.table.path} in {differ:,} of {known.height:,} images; "
            "in `labels`, 0 is malade (sick) and 1 is sain, in `label`, 1 is sick."
        )
    if differ:
        warnings.append(
            f"{name}: labels differ from the {people.truth} of {meta} in {differ:,} images; the file's are kept."
        )
    if unknown := rows["label"].null_count():
        notes.append(f"{name}: {counted(unknown, 'image')} without a truth left out.")
    return replace(file, frame=rows.drop_nulls("label"))


def common(files: Sequence[Predictions], notes: list[str]) -> list[Predictions]:
    """Every file cut to the images that all have, in one order. Raises `PredictionError` where labels contradict."""
    shared = files[0].frame.select("image", "label")
    for file in files[1:]:
        shared = shared.join(file.frame.select("image", other="label"), on="image", maintain_order="left")
        if shared.is_empty():
            raise PredictionError(f"{file.path} has no image in common with {files[0].path}: they cannot be compared.")
        if (differ := shared.filter(pl.col("label") != pl.col("other"))).height:
            raise PredictionError(
                f"{file.path} and {files[0].path} disagree on the label of {differ.height:,} images, "
                f"{differ['image'][0]!r} among them."
            )
        shared = shared.drop("other")
    if any(file.frame.height > shared.height for file in files):
        sizes = ", ".join(f"{plain_name(file.path.name)} {file.frame.height:,}" for file in files)
        notes.append(f"The files differ in their images ({sizes}): audited on the {shared.height:,} that all have.")
    images = shared.select("image")
    return [
        replace(file, frame=images.join(file.frame, on="image", how="left", maintain_order="left")) for file in files
    ]


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
    names = {
        side: sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in IMAGES) if folder else []
        for side, folder in folders.items()
    }
    if not names["valid"]:
        raise PredictionError(f"{valid} holds no images; a cohort folder or a table of names is needed.")
    return names
