"""One file of predictions in checked columns: images, truth, split, and the scores and decisions of one network or several.

The course's script writes classes: 0 = malade (sick), 1 = sain (healthy), in `labels` (truth) and `preds`, and the network's
outputs in `preds_logit0` and `preds_logit1`. Elsewhere 1 is sick; words (malade, sick, sain, healthy) say it themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from lib.predictions.errors import PredictionError, of_predictions
from lib.tabular import Columns, Table, read_table
from lib.tabular.classes import classes, is_classes, truth
from lib.tabular.columns import (
    DECISION,
    IMAGE,
    LABEL,
    SCORE,
    candidates,
    find_split,
    holds_images,
    is_numeric,
    missing,
    named,
)
from lib.tabular.values import bare, coded, numbers, text

PAIR = re.compile(r"^(?P<stem>.*?)[ _.-]?(?P<kind>logits?|probas?|probs?|scores?)[ _.-]?(?P<k>[01])$", re.IGNORECASE)
"""Two columns, of class 0 (malade, in the alphabetical order of the course's folders) and of class 1 (sain)."""
NETWORK = re.compile(r"^(?P<method>.+)/seed(?P<seed>\d+)$")
"""A column for each network, as a study publishes them; all images of such a file were held out."""


@dataclass(frozen=True, eq=False)
class Network:
    """One network: `score` of sick (n,) in 0 to 1, NaN where none is written; `decision` (n,) 1 = called sick, -1 where
    none is written, None where the file has none; `ranked`: scores are more than decisions."""

    method: str
    score: np.ndarray
    decision: np.ndarray | None
    ranked: bool
    column: str

    def at(self, rows: np.ndarray) -> "Network":
        """The same network on these rows."""
        decision = None if self.decision is None else self.decision[rows]
        return replace(self, score=self.score[rows], decision=decision)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a file says, in the order of its rows: `frame` with `image`, `label` (1 = sick, null unknown) and `split` where the
    file has them; `networks`, of the method "" where the file does not tell several apart; `coded_label`: the truth is
    written 0 and 1; `held_out`: the file says that nothing of training is in it; `notes`, what was made of its columns."""

    table: Table
    frame: pl.DataFrame
    networks: tuple[Network, ...]
    coded_label: bool
    held_out: bool
    notes: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.table.path


def read_predictions(
    path: Path, columns: Columns | None = None, scores: Sequence[str] = (), elsewhere: Table | None = None
) -> Predictions:
    """Read a file. `columns` names columns in other words, `scores` those of the chance of sick, a method each; columns that
    only the metadata, `elsewhere`, has are not looked for here.

    Raises `PredictionError` when it is no table, lacks a prediction, or holds a value that is none.
    """
    with of_predictions():
        table = read_table(path)
        columns = (columns or Columns()).within(table, elsewhere)
        if table.frame.is_empty():
            raise PredictionError(f"{path} has no rows; one for each image is needed.")
        notes: list[str] = []
        found: dict[str, pl.Series] = {}
        if (image := image_column(table, columns, notes)) is not None:
            found["image"] = text(table.frame[image])
            if empty := found["image"].null_count():
                raise PredictionError(f"{path}, column {image!r}: {empty} rows name no image.")
        label, coded_label = _label(table, columns)
        if label is not None:
            found["label"] = label
        if split := find_split(table, columns):
            found["split"] = split[1]
            notes.append(f"{path.name}: column {split[0]!r} tells training images from others.")
        networks = _networks(table, columns, scores, notes)
        held_out = all(NETWORK.match(network.column) for network in networks)
        frame = pl.DataFrame(
            {name: column.alias(name) for name, column in found.items()} or {"row": range(table.frame.height)}
        )
        return Predictions(table, frame, networks, coded_label, held_out, tuple(notes))


def image_column(table: Table, columns: Columns, notes: list[str]) -> str | None:
    """The column that names the images: by name, else the one that holds names of image files."""
    if (asked := columns.given.get(IMAGE)) and asked != "none" and columns.find(table, IMAGE) is None:
        raise PredictionError(missing(table, IMAGE, asked))
    column = columns.find(table, IMAGE)
    likely = candidates(table, IMAGE)
    if column is None or (IMAGE not in columns.given and not holds_images(table.frame[column]) and len(likely) == 1):
        column = likely[0] if len(likely) == 1 else column
        if likely:
            notes.append(f"{table.path.name}: column {likely[0]!r} names the images.")
    return column


def _label(table: Table, columns: Columns) -> tuple[pl.Series | None, bool]:
    column = columns.find(table, LABEL)
    if column is not None:
        return truth(table, column)
    if LABEL in columns.given:
        raise PredictionError(missing(table, LABEL, columns.given[LABEL]))
    return None, False


def _networks(table: Table, columns: Columns, scores: Sequence[str], notes: list[str]) -> tuple[Network, ...]:
    pairs = _pairs(table)
    if scores:
        chosen = [_asked(table, pairs, name) for name in scores]
        names = [""] if len(chosen) == 1 else list(scores)
        return tuple(_network(table, columns, name, own, pairs, notes) for name, own in zip(names, chosen, strict=True))
    wide = [(column, found["method"]) for column in table.columns if (found := NETWORK.match(column))]
    if wide:
        return tuple(_network(table, columns, method, (column,), pairs, notes) for column, method in wide)
    if DECISION in columns.given and columns.find(table, SCORE) is None and not pairs:
        return (_decided(table, columns),)
    if own := next((pair for stem, pair in pairs.items() if bare(stem) == "preds"), None):
        return (_network(table, columns, "", own, pairs, notes),)
    if len(pairs) == 1:
        return (_network(table, columns, "", next(iter(pairs.values())), pairs, notes),)
    if len(pairs) > 1:
        allowed = " or ".join(f"--score {stem or pair[0]}" for stem, pair in pairs.items())
        raise PredictionError(
            f"{table.path} has the outputs of {len(pairs)} networks: choose with {allowed}, or several."
        )
    if column := columns.find(table, SCORE):
        return (_network(table, columns, "", (column,), pairs, notes),)
    if columns.find(table, DECISION) and bare(columns.find(table, DECISION)) == "preds":
        return (_decided(table, columns),)
    likely = candidates(table, SCORE)
    if decision := columns.find(table, DECISION):
        if is_classes(table, decision):
            return (_decided(table, columns),)
        if is_numeric(table.frame[decision]):  # `pred` of many people is the chance itself
            return (_network(table, columns, "", (decision,), pairs, notes),)
    words = [c for c in table.columns if c and is_classes(table, c) and c != columns.find(table, LABEL)]
    words = [c for c in words if not set(coded(table.frame[c]).drop_nulls()) <= {"0", "1"}]
    if not likely and len(words) == 1:
        return (_decided(table, Columns({**columns.given, DECISION: words[0]}, columns.like)),)
    raise PredictionError(_no_prediction(table, likely))


def _no_prediction(table: Table, likely: list[str]) -> str:
    if likely:
        return f"{table.path} has no prediction under a name that is known; it might be {', '.join(likely[:8])}: name it, as in '--score {likely[0]}'."
    return (
        f"{table.path} has no prediction: a column score, the columns preds_logit0 and preds_logit1, or a column preds is "
        f"needed; it has {', '.join(table.columns[:12])}."
    )


def _pairs(table: Table) -> dict[str, tuple[str, str]]:
    """Columns of class 0 and class 1 by what is common in their names."""
    ends: dict[tuple[str, str], dict[str, str]] = {}
    for column in table.columns:
        if found := PAIR.match(column):
            ends.setdefault((found["stem"], found["kind"].lower()), {})[found["k"]] = column
    return {stem: (own["0"], own["1"]) for (stem, _), own in ends.items() if len(own) == 2}


def _asked(table: Table, pairs: dict[str, tuple[str, str]], name: str) -> tuple[str, ...]:
    """The column, or the two, that `--score` names: a column, what is common to two, or one of two."""
    if (column := named(table, name)) is not None:
        return next((pair for pair in pairs.values() if column in pair), (column,))
    if name in pairs:
        return pairs[name]
    near = candidates(table, SCORE) or table.columns
    raise PredictionError(f"{table.path} has no column {name!r} (--score); it has {', '.join(near[:12])}.")


def _network(
    table: Table,
    columns: Columns,
    method: str,
    own: tuple[str, ...],
    pairs: dict[str, tuple[str, str]],
    notes: list[str],
) -> Network:
    values = [_finite(table, column) for column in own]
    if len(own) == 2:
        sick, healthy = values
        if PAIR.match(own[0])["kind"].lower().startswith("logit"):
            score = 1 / (1 + np.exp(np.clip(healthy - sick, -700, 700)))
        else:
            with np.errstate(invalid="ignore", divide="ignore"):
                score = _bounded(table, own[0], sick) / (sick + _bounded(table, own[1], healthy))
        if bare(own[0]) != "predslogit0":
            notes.append(
                f"{table.path.name}: {own[0]!r} is taken for sick and {own[1]!r} for healthy, in the order of the course."
            )
    elif "logit" in bare(own[0]):
        score = 1 / (1 + np.exp(np.clip(-values[0], -700, 700)))
        notes.append(f"{table.path.name}: {own[0]!r} is turned from logits of sick into chances.")
    else:
        score = _bounded(table, own[0], values[0])
    decision = _decision(table, columns, own, score, pairs)
    if decision is not None and "confidence" in bare(own[0]) and _of_decision(score, decision):
        score = np.where(decision == 1, score, 1 - score)
        notes.append(
            f"{table.path.name}: {own[0]!r} is taken for the confidence in the decision, not for the chance of sick."
        )
    known = score[np.isfinite(score)]
    return Network(method, score, decision, bool(((known != 0) & (known != 1)).any()), own[0])


def _of_decision(score: np.ndarray, decision: np.ndarray) -> bool:
    known = np.isfinite(score) & (decision >= 0)
    return bool(known.any() and score[known].min() >= 0.5 and 0 < decision[known].mean() < 1)


def _decided(table: Table, columns: Columns) -> Network:
    """A network known by its decisions only."""
    column = columns.need(table, DECISION)
    values, words = classes(table, column)
    if not words and bare(column).startswith("pred"):  # the course's: 0 = malade
        values = 1 - values
    decision = values.fill_null(-1).to_numpy()
    return Network("", np.where(decision < 0, np.nan, decision), decision, False, column)


def _decision(
    table: Table, columns: Columns, own: tuple[str, ...], score: np.ndarray, pairs: dict[str, tuple[str, str]]
) -> np.ndarray | None:
    """The decisions that go with a score, 1 = called sick; where they are 0 and 1, the one with higher scores is sick."""
    stem = next((stem for stem, pair in pairs.items() if pair == own), None)
    column = columns.find(table, DECISION)
    if DECISION in columns.given and column is None:
        raise PredictionError(missing(table, DECISION, columns.given[DECISION]))
    if stem and DECISION not in columns.given:
        column = named(table, stem)
    if column is None or column in own or not is_classes(table, column):
        if DECISION in columns.given:
            classes(table, column)
        return None
    values, words = classes(table, column)
    decision = values.fill_null(-1).to_numpy().copy()
    known = np.isfinite(score) & (decision >= 0)
    if not words and known.any() and 0 < decision[known].mean() < 1:
        if score[known & (decision == 0)].mean() > score[known & (decision == 1)].mean():
            decision = np.where(decision < 0, -1, 1 - decision)
    elif not words:
        constant = decision[known][0] if known.any() else 0
        if known.any() and (score[known].mean() >= 0.5) != (constant == 1):
            decision = np.where(decision < 0, -1, 1 - decision)
    return decision


def _finite(table: Table, column: str) -> np.ndarray:
    """The numbers of a column, NaN where nothing is written. Raises `PredictionError` for what is no finite number."""
    written, values = table.frame[column], numbers(table.frame[column])
    found = values.cast(pl.Float64).to_numpy().astype(float)
    wrong = np.isinf(found) | (values.is_null() & text(written).is_not_null()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise PredictionError(
            f"{table.path}, column {column!r}, row {row + 2}: {written[row]!r} is not a finite number ({wrong.sum()} such rows)."
        )
    return found


def _bounded(table: Table, column: str, values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    if known.size and (known.min() < 0 or known.max() > 1):
        raise PredictionError(
            f"{table.path}, column {column!r}: values from {known.min():g} to {known.max():g}; allowed is 0 to 1, the chance of "
            "sick."
        )
    return values
