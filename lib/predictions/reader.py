"""One file of predictions in checked columns: images, truth, split, and the scores and decisions of one network or several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from lib.predictions.outputs import NETWORK, Network, networks_of
from lib.tabular import Columns, Table, plain_name
from lib.tabular import TableError as PredictionError
from lib.tabular.classes import truth
from lib.tabular.columns import LABEL, called, find_split, image_column, is_numeric, named
from lib.tabular.values import counted, text

METHODS = ("model", "method", "model name", "modele", "methode", "classifier", "architecture", "arch", "algorithm")
NETWORKS = ("seed", "run", "network", "graine", "replicate", "repetition")
"""Names of columns that tell methods apart, and the networks of one."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a file says."""

    table: Table
    frame: pl.DataFrame
    """A row for each of the file's, later for each image: `image`, `label` (1 = sick, null unknown) and `split` where the file
    has them, `score k` and `decision k` of network k, see `outputs.networks_of`."""
    networks: tuple[Network, ...]
    """Of the method "" in a file of one method."""
    coded_label: bool
    """Whether the truth is written 0 and 1."""
    held_out: bool
    """Whether nothing of training is in it."""

    @property
    def path(self) -> Path:
        return self.table.path

    def score(self, k: int) -> np.ndarray:
        """Of sick, in 0 to 1, (n,), by network k."""
        return self.frame[f"score {k}"].to_numpy()

    def decision(self, k: int) -> np.ndarray:
        """1 = called sick, NaN where the file does not say, (n,), by network k."""
        return self.frame[f"decision {k}"].to_numpy()

    def called(self, k: int, threshold: float | None = None) -> np.ndarray:
        """1 = called sick, (n,): by the threshold, if there is one to apply, else as the file says, else at .5."""
        at_half = (self.score(k) >= 0.5).astype(float)
        if threshold is not None and self.networks[k].ranked:
            return (self.score(k) >= threshold).astype(float)
        return np.where(np.isnan(self.decision(k)), at_half, self.decision(k))


def read_predictions(
    table: Table, columns: Columns, scores: Sequence[str], elsewhere: Table | None, notes: list[str]
) -> Predictions:
    """What a table says. `columns` names columns in other words, `scores` those of the chance of sick, a method each; columns
    that only the metadata, `elsewhere`, has are not looked for here. `notes` gets what was made of its columns.

    Raises `PredictionError` when it lacks a prediction, or holds a value that is none.
    """
    path, columns = table.path, _but(scores, table, columns.within(table, elsewhere))
    if table.frame.is_empty():
        raise PredictionError(f"{path} has no rows; one for each image is needed.")
    facts: dict[str, pl.Series] = {}
    if (image := image_column(table, columns, notes)) is not None:
        facts["image"] = text(table.frame[image])
        if facts["image"].null_count() == table.frame.height:
            raise PredictionError(f"{path}, {called(image)}: no row names an image.")
    coded_label = False
    if label := columns.find(table, LABEL):
        facts["label"], coded_label = truth(table, label)
    if split := find_split(table, columns):
        facts["split"] = split[1]
        notes.append(f"{path.name}: column {split[0]!r} tells training images from others.")
    networks, outputs = networks_of(table, columns, scores, notes)
    frame = pl.DataFrame(facts | outputs)
    if "image" in facts and (empty := frame["image"].null_count()):
        notes.append(f"{path.name}: {counted(empty, 'row')} without the name of an image left out.")
        frame = frame.drop_nulls("image")
    held_out = all(NETWORK.match(network.column) for network in networks)
    return Predictions(table, frame, networks, coded_label, held_out)


def _but(scores: Sequence[str], table: Table, columns: Columns) -> Columns:
    """The options without those that name a score of this table: the truth of that name stands in the metadata."""
    taken = {named(table, name) for name in scores}
    options = {role: name for role, name in columns.names.items() if (named(table, name) or name) not in taken}
    return Columns(options, columns.like)


def divided(table: Table, columns: Columns, notes: list[str]) -> list[tuple[str, Table]]:
    """The table of each method (its name) and network; the table itself, of the method "", where each image has one row as a
    rule, or nothing tells its rows apart."""
    whole = [("", table)]
    image = image_column(table, columns, [])
    if image is None or text(table.frame[image]).is_unique().all():
        return whole
    methods, networks = (_first(table, names) for names in (METHODS, NETWORKS))
    if networks and not methods and not is_numeric(table.frame[networks]):
        methods, networks = networks, None  # `network`: resnet, densenet
    telling = [column for column in (methods, networks) if column]
    frame = table.frame.unique(maintain_order=True)
    if not telling or frame.select(image, *telling).is_duplicated().any():
        return whole
    parts = frame.partition_by(telling, as_dict=True, maintain_order=True)
    what = f"{len(parts)} {'networks' if networks else 'methods'}"
    notes.append(f"{table.path.name}: column {' and '.join(map(repr, telling))} tells {what} apart.")
    return [
        (plain_name(str(key[0])) if methods else "", replace(table, frame=part.drop(telling)))
        for key, part in parts.items()
    ]


def _first(table: Table, names: tuple[str, ...]) -> str | None:
    columns = (column for name in names if (column := named(table, name)))
    return next((column for column in columns if table.frame[column].n_unique() > 1), None)
