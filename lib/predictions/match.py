"""Predictions and metadata put together: whose image each row is, its truth, and which rows are audited."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from lib.predictions.errors import PredictionError
from lib.predictions.reader import Predictions
from lib.predictions.scores import Network
from lib.tabular import Columns, People, file_name, plain_name
from lib.tabular.classes import sick as sick_of
from lib.tabular.columns import SEX, VIEW
from lib.tabular.usual import Codes
from lib.tabular.values import coded, counted

CODED = ("sex", "view")
OTHER_WAY = 0.9
"""Share of labels that contradict the findings from which on the codes mean the opposite."""
FOLDER = r"(?i)(?:^|[/\\])(train|valid|val|test)[/\\]"


@dataclass(frozen=True, eq=False)
class Matched:
    """`rows` with an image each (`image`, `label`, `patient`, attributes, `split` where it is known) and the `networks` in their
    order; `notes` say what was done, `warnings` what may mislead."""

    path: Path
    rows: pl.DataFrame
    networks: tuple[Network, ...]
    held_out: bool
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def at(self, keep: np.ndarray, *notes: str, held_out: bool | None = None) -> "Matched":
        """The same on some rows (positions), with more notes."""
        known = self.held_out if held_out is None else held_out
        networks = tuple(network.at(keep) for network in self.networks)
        return Matched(self.path, self.rows[keep.tolist()], networks, known, (*self.notes, *notes), self.warnings)


def parse_codes(written: str) -> Codes:
    """`sex:0=M,1=F;view:0=AP,1=PA` as {attribute: {code: group}}. Raises `PredictionError` for anything else."""
    codes: dict[str, dict[str, str]] = {}
    for part in filter(None, written.replace(" ", "").split(";")):
        attribute, _, pairs = part.partition(":")
        if attribute not in CODED:
            raise PredictionError(
                f"--codes {written!r}: {attribute!r} cannot be coded; allowed are {', '.join(CODED)}."
            )
        codes[attribute] = dict(pair.split("=", 1) for pair in pairs.split(",") if "=" in pair)
        groups = {"sex": ("F", "M"), "view": ("AP", "PA")}[attribute]
        if sorted(codes[attribute].values()) != sorted(groups):
            raise PredictionError(
                f"--codes {written!r}: {attribute} needs a code for each of {', '.join(groups)}, once."
            )
    return codes


def matched(file: Predictions, people: People) -> Matched:
    """The file's rows with their people: by name of the image, else by position where that can be verified."""
    rows, notes = (_by_name if "image" in file.frame.columns else _by_position)(file, people)
    order = rows["row"].to_numpy()
    networks = tuple(network.at(order) for network in file.networks)
    table = Matched(file.path, rows.drop("row"), networks, file.held_out, tuple(notes), ())
    return _labelled(file, _one_row_each(_with_scores(table)), people)


def _by_name(file: Predictions, people: People) -> tuple[pl.DataFrame, list[str]]:
    named_images = file.frame["image"]
    targets, different = people.names.match(named_images.to_list())
    if not targets:
        raise PredictionError(
            f"none of the {len(named_images):,} images of {file.path} is in {people.table.path}; the first is {named_images[0]!r}."
        )
    rows = file.frame.rename({"image": "written"})
    rows = rows.with_columns(image=pl.col("written").replace_strict(targets, default=None, return_dtype=pl.String))
    of_folders = False
    if "split" not in rows.columns:
        folder = rows["written"].str.extract(FOLDER).str.to_lowercase().replace({"val": "valid", "test": "valid"})
        if folder.null_count() == 0 and (folder == "valid").any():  # all of CheXpert lies in `train`
            rows, of_folders = rows.with_columns(split=folder), True
    rows = _joined(rows.filter(pl.col("image").is_not_null()).drop("written"), people)
    notes = [f"{file.path.name}: the folders in the names tell training images from others."] * of_folders
    if left := file.frame.height - rows.height:
        without = any(rows for check, rows, _ in people.checks if check.startswith("rows without"))
        notes.append(
            f"{file.path.name}: {left:,} of {len(named_images):,} images are not in {people.table.path.name}"
            f"{', or have no patient there' * without}; left out."
        )
    if different:
        notes.append(
            f"{file.path.name}: {counted(different, 'name')} written differently (folder, case or suffix) matched."
        )
    return rows, notes


def _joined(rows: pl.DataFrame, people: People) -> pl.DataFrame:
    """Rows with their people; a split that the file does not say is that of the metadata."""
    frame = people.frame.drop("weight")
    shared = [name for name in ("split",) if name in rows.columns and name in frame.columns]
    joined = rows.join(frame.drop(shared), on="image", how="left", maintain_order="left")
    if people.names.depth == 1:  # else folders are part of the name
        names = {name: file_name(name) for name in joined["image"].unique()}
        joined = joined.with_columns(pl.col("image").replace_strict(names, return_dtype=pl.String))
    return joined


def _by_position(file: Predictions, people: People) -> tuple[pl.DataFrame, list[str]]:
    path = people.table.path
    why = f"{file.path} names no images (columns 'Image Index', 'image', ...)"
    if file.frame.height != people.frame.height:
        raise PredictionError(
            f"{why} and has {file.frame.height:,} rows where {path} has {people.frame.height:,} images: rows cannot be matched."
        )
    frame = people.frame.drop("weight")
    rows = pl.concat(
        [file.frame, frame.drop(*set(file.frame.columns) & set(frame.columns))],
        how="horizontal",
    )
    agree = []
    if "label" in rows.columns and rows["findings"].null_count() == 0:
        same = (rows["label"] == sick_of(rows["findings"])).mean()
        agree.append(("labels", same == 1 or (same == 0 and file.coded_label)))
    for attribute, role in (("sex", SEX), ("view", VIEW)):
        if (column := Columns().find(file.table, role)) and attribute in rows.columns:
            pairs = (
                pl.DataFrame({"own": coded(file.table.frame[column]), "known": rows[attribute]}).drop_nulls().unique()
            )
            if pairs.height:
                agree.append((attribute, bool(pairs["own"].is_unique().all() and pairs["known"].is_unique().all())))
    if not agree:
        raise PredictionError(
            f"{why} and neither labels nor attributes by which its rows could be checked against {path}."
        )
    if wrong := [what for what, same in agree if not same]:
        raise PredictionError(f"{why}, and its {wrong[0]} disagree with {path} row by row: rows cannot be matched.")
    checked = " and ".join(what for what, _ in agree)
    return rows, [f"{file.path.name} names no images: matched by position, {checked} agree in every row."]


def _with_scores(table: Matched) -> Matched:
    """Without the rows that have no score, or no decision where there are only decisions."""
    known = np.all([np.isfinite(network.score) for network in table.networks], axis=0)
    if known.all():
        return table
    if not known.any():
        raise PredictionError(f"{table.path} has no score for any of its images that are in the metadata.")
    left = int((~known).sum())
    return table.at(np.flatnonzero(known), f"{table.path.name}: {counted(left, 'row')} without a score left out.")


def _one_row_each(table: Matched) -> Matched:
    """Each image once. Raises `PredictionError` for rows that contradict each other, naming them."""
    told = [name for name in ("image", "label", "split") if name in table.rows.columns]
    scores = {f"score {k}": network.score for k, network in enumerate(table.networks)}
    decisions = {f"decision {k}": n.decision for k, n in enumerate(table.networks) if n.decision is not None}
    rows = table.rows.select(told).with_columns(
        pl.Series(name, values) for name, values in (scores | decisions).items()
    )
    distinct = rows.with_row_index("row").unique(rows.columns, keep="first", maintain_order=True)
    if (twice := distinct.filter(distinct["image"].is_duplicated())).height:
        names = twice["image"].unique(maintain_order=True)
        shown = ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
        raise PredictionError(
            f"{table.path} has rows that differ for the same image ({shown}); one for each image is allowed."
        )
    if left := rows.height - distinct.height:
        note = f"{table.path.name}: {counted(left, 'repeated row')} left out, each like an earlier one."
        return table.at(distinct["row"].to_numpy(), note)
    return table


def _labelled(file: Predictions, table: Matched, people: People) -> Matched:
    """With the truth: the file's, else what the findings of the metadata say; where they contradict, that is said."""
    rows, name, meta = table.rows, file.path.name, people.table.path.name
    sick = sick_of(rows["findings"])
    if "label" not in rows.columns:
        if sick.null_count() == rows.height:
            raise PredictionError(
                f"{file.path} has no column of the truth (label, labels, ...), and {people.table.path} does not say who is sick: "
                "name one, as in --label COLUMN."
            )
        notes = (*table.notes, f"{name} has no labels: those of {meta} are used.")
        table = replace(table, rows=rows.with_columns(sick.alias("label")), notes=notes)
        if unknown := sick.null_count():
            known = np.flatnonzero(sick.is_not_null().to_numpy())
            return table.at(known, f"{name}: {counted(unknown, 'image')} without a truth in {meta} left out.")
        return table
    warnings, networks, label = (
        list(table.warnings),
        table.networks,
        rows["label"].fill_null(sick) if sick.null_count() == 0 else rows["label"],
    )
    known = pl.DataFrame({"label": label, "sick": sick}).drop_nulls()
    differ = known.filter(pl.col("label") != pl.col("sick")).height
    if known.height >= 20 and differ >= OTHER_WAY * known.height and file.coded_label:
        label, differ = 1 - label, known.height - differ
        networks = tuple(_other_way(network) for network in networks)
        warnings.append(
            f"{name}: in {known.height - differ:,} of {known.height:,} images the labels are the opposite of the {people.truth} of "
            f"{meta}; they are read the other way round."
        )
    if known.height and differ > known.height / 2:
        raise PredictionError(
            f"{file.path}: labels contradict the {people.truth} of {people.table.path} in {differ:,} of {known.height:,} images; "
            "in `labels`, 0 is malade (sick) and 1 is sain, in `label`, 1 is sick."
        )
    if differ:
        warnings.append(
            f"{name}: labels differ from the {people.truth} of {meta} in {differ:,} images; the file's are kept."
        )
    table = replace(table, rows=rows.with_columns(label.alias("label")), networks=networks, warnings=tuple(warnings))
    if empty := label.null_count():
        return table.at(
            np.flatnonzero(label.is_not_null().to_numpy()), f"{name}: {counted(empty, 'row')} without a label left out."
        )
    return table


def _other_way(network: Network) -> Network:
    """Decisions alone, written 0 and 1, mean what the labels of their file mean; scores say themselves what is sick."""
    if network.ranked or network.decision is None:
        return network
    turned = np.where(network.decision < 0, -1, 1 - network.decision)
    return Network(network.method, np.where(turned < 0, np.nan, turned), turned, False, network.column)


def common(tables: Sequence[Matched]) -> tuple[list[Matched], list[str]]:
    """Every file cut to the images that all have, in one order. Raises `PredictionError` where labels contradict."""
    shared = tables[0].rows.select("image", "label")
    for table in tables[1:]:
        shared = shared.join(table.rows.select("image", other="label"), on="image", how="inner", maintain_order="left")
        if shared.is_empty():
            raise PredictionError(
                f"{table.path} has no image in common with {tables[0].path}: they cannot be compared."
            )
        if (differ := shared.filter(pl.col("label") != pl.col("other"))).height:
            raise PredictionError(
                f"{table.path} and {tables[0].path} disagree on the label of {differ.height:,} images, "
                f"{differ['image'][0]!r} among them."
            )
        shared = shared.drop("other")
    if len(tables) == 1:
        return list(tables), []
    kept = []
    for table in tables:
        place = table.rows.select("image").with_row_index("place")
        kept.append(table.at(shared.join(place, on="image", how="left", maintain_order="left")["place"].to_numpy()))
    if all(table.rows.height == shared.height for table in tables):
        return kept, []
    sizes = ", ".join(f"{plain_name(table.path.name)} {table.rows.height:,}" for table in tables)
    return kept, [f"The files differ in their images ({sizes}): audited on the {shared.height:,} that all have."]
