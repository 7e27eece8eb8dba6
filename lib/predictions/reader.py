"""One file of predictions in checked columns: images, truth, split, and the scores and decisions of one network or several.

The course's script writes classes: 0 = malade (sick), 1 = sain (healthy), in `labels` (truth) and `preds`, and the network's
outputs in `preds_logit0` and `preds_logit1`. Elsewhere 1 is sick; words (malade, sick, sain, healthy) say it themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lib.predictions.errors import PredictionError
from lib.predictions.scores import PAIR, Network, network_of
from lib.tabular import Columns, Table
from lib.tabular.classes import classes, is_classes, truth
from lib.tabular.columns import (
    DECISION,
    IMAGE,
    LABEL,
    SCORE,
    called,
    candidates,
    find_split,
    holds_images,
    is_numeric,
    missing,
    named,
    option_for,
)
from lib.tabular.values import bare, coded, counted, numbers, text

TURNED = re.compile(r"^1 ?- ?(?P<column>.+)$")
"""A chance of healthy, which is to be turned: `--score 1-p_normal`."""
OF_HEALTHY = ("sain", "saine", "healthy", "normal", "negative", "negatif", "nofinding")
OF_SICK = ("malade", "sick", "abnormal", "anormal", "disease", "positive", "positif", "patho")
NETWORK = re.compile(r"^(?P<method>.+)/seed(?P<seed>\d+)$")
"""A column for each network, as a study publishes them; all images of such a file were held out."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a file says, in the order of its rows: `frame` with `row` (its number), `image`, `label` (1 = sick, null unknown) and `split` where the
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


def read_predictions(table: Table, columns: Columns, scores: Sequence[str], elsewhere: Table | None) -> Predictions:
    """What a table says. `columns` names columns in other words, `scores` those of the chance of sick, a method each; columns
    that only the metadata, `elsewhere`, has are not looked for here.

    Raises `PredictionError` when it lacks a prediction, or holds a value that is none.
    """
    path, columns = table.path, _but(scores, table, columns.within(table, elsewhere))
    if table.frame.is_empty():
        raise PredictionError(f"{path} has no rows; one for each image is needed.")
    notes: list[str] = []
    frame = pl.DataFrame({"row": range(table.frame.height)})
    if (image := image_column(table, columns, notes)) is not None:
        frame = frame.with_columns(image=text(table.frame[image]))
        if frame["image"].null_count() == frame.height:
            raise PredictionError(f"{path}, {called(image)}: no row names an image.")
    label, coded_label = _label(table, columns)
    if label is not None:
        frame = frame.with_columns(label=label)
    if split := find_split(table, columns):
        frame = frame.with_columns(split=split[1])
        notes.append(f"{path.name}: column {split[0]!r} tells training images from others.")
    networks = _networks(table, columns, scores, notes)
    held_out = all(NETWORK.match(network.column) for network in networks)
    if image is not None and (empty := frame["image"].null_count()):
        notes.append(f"{path.name}: {counted(empty, 'row')} without the name of an image left out.")
        frame = frame.filter(pl.col("image").is_not_null())
        networks = tuple(network.at(frame["row"].to_numpy()) for network in networks)
        frame = frame.with_columns(row=pl.int_range(pl.len()))
    return Predictions(table, frame, networks, coded_label, held_out, tuple(notes))


def _but(scores: Sequence[str], table: Table, columns: Columns) -> Columns:
    """The options without those that name a score of this table: the truth of that name stands in the metadata."""
    taken = {named(table, name) for name in scores}
    options = {role: name for role, name in columns.given.items() if (named(table, name) or name) not in taken}
    return Columns(options, columns.like)


def image_column(table: Table, columns: Columns, notes: list[str]) -> str | None:
    """The column that names the images: by name, else the one that holds names of image files."""
    if (stated := columns.given.get(IMAGE)) and stated != "none" and columns.find(table, IMAGE) is None:
        raise PredictionError(missing(table, IMAGE, stated))
    column = columns.find(table, IMAGE)
    likely = candidates(table, IMAGE)
    if column is None or (IMAGE not in columns.given and not holds_images(table.frame[column]) and len(likely) == 1):
        column = likely[0] if len(likely) == 1 else column
        if likely:
            notes.append(f"{table.path.name}: {called(likely[0])} names the images.")
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
        names = [""] if len(scores) == 1 else list(scores)
        return tuple(
            network_of(
                table, columns, name, _asked(table, pairs, asked), pairs, notes, of_healthy=_turned(table, asked)
            )
            for name, asked in zip(names, scores, strict=True)
        )
    wide = [(column, found["method"]) for column in table.columns if (found := NETWORK.match(column))]
    if wide:
        return tuple(network_of(table, columns, method, (column,), pairs, notes) for column, method in wide)
    if outputs := _outputs(table, columns, pairs):
        return (network_of(table, columns, "", outputs, pairs, notes),)
    return (_decided(table, columns, _decision_column(table, columns), notes),)


def _outputs(table: Table, columns: Columns, pairs: dict[str, tuple[str, str]]) -> tuple[str, ...]:
    """The column of the chance of sick, or those of sick and healthy; none where decisions are all there is."""
    score, decision = columns.find(table, SCORE), columns.find(table, DECISION)
    if DECISION in columns.given and score is None and not pairs:
        return ()
    if of_course := next((pair for stem, pair in pairs.items() if bare(stem) == "preds"), None):
        return of_course
    if len(pairs) > 1:
        allowed = " or ".join(f"--score {stem or pair[0]}" for stem, pair in pairs.items())
        raise PredictionError(
            f"{table.path} has the outputs of {len(pairs)} networks: choose with {allowed}, or several."
        )
    if pairs:
        return _sick_first(table, columns, *pairs.values())
    if score:
        return (score,)
    if decision and bare(decision) != "preds" and not is_classes(table, decision) and is_numeric(table.frame[decision]):
        return (decision,)  # `pred` of many people is the chance itself
    return ()


def _decision_column(table: Table, columns: Columns) -> str:
    """The column of decisions, by its name or because no other holds such words. Raises `PredictionError`."""
    if DECISION in columns.given:
        return columns.need(table, DECISION)
    decision, likely = columns.find(table, DECISION), _likely(table)
    if decision and (bare(decision) == "preds" or is_classes(table, decision)):
        return decision
    words = [c for c in table.columns if c and is_classes(table, c) and c != columns.find(table, LABEL)]
    words = [c for c in words if not set(coded(table.frame[c]).drop_nulls()) <= {"0", "1"}]
    if likely or len(words) != 1:
        raise PredictionError(_no_prediction(table, likely))
    return words[0]


def _no_prediction(table: Table, likely: list[str]) -> str:
    if likely:
        several = ", or several as methods" * (len(likely) > 1)
        return (
            f"{table.path} has no prediction under a name that is known; it might be {', '.join(likely[:8])}: "
            f"name {'one' if several else 'it'}{several}, as in {_option(likely[0])}."
        )
    return (
        f"{table.path} has no prediction: a column score, the columns preds_logit0 and preds_logit1, or a column preds is "
        f"needed; it has {', '.join(table.columns[:12])}."
    )


def _likely(table: Table) -> list[str]:
    """Columns that may be the chance of sick: those within 0 to 1 if there are any, and those first that say so."""
    likely = candidates(table, SCORE)
    likely = [column for column in likely if _may_be_chances(table, column)] or likely
    return sorted(likely, key=lambda column: not any(word in bare(column) for word in OF_SICK) or _of_healthy(column))


def _may_be_chances(table: Table, column: str) -> bool:
    """Whether it has several values within 0 to 1, or is called so."""
    values = numbers(table.frame[column]).drop_nulls()
    within = len(values) > 0 and values.min() >= 0 and values.max() <= 1 and values.n_unique() > 2
    return bool(within) or any(word in bare(column) for word in ("logit", "proba", "score"))


def _of_healthy(column: str) -> bool:
    written = bare(column)
    return any(written.endswith(word) or written.startswith(word) for word in OF_HEALTHY) and "abnormal" not in written


def _option(column: str) -> str:
    return option_for(SCORE, f"1-{column}" if _of_healthy(column) else column)


def _pairs(table: Table) -> dict[str, tuple[str, str]]:
    """Columns of class 0 and class 1 by what is common in their names."""
    ends: dict[tuple[str, str], dict[str, str]] = {}
    for column in table.columns:
        if found := PAIR.match(column):
            ends.setdefault((found["stem"], found["kind"].lower()), {})[found["k"]] = column
    return {stem: (pair["0"], pair["1"]) for (stem, _), pair in ends.items() if len(pair) == 2}


def _asked(table: Table, pairs: dict[str, tuple[str, str]], name: str) -> tuple[str, ...]:
    """The column, or the two, that `--score` names: a column, what is common to two, or the one of two that is of sick."""
    if (column := named(table, name)) is not None:
        pair = next((pair for pair in pairs.values() if column in pair), (column,))
        return pair if pair[0] == column else pair[::-1]
    if name in pairs:
        return pairs[name]
    if _turned(table, name):
        return (named(table, TURNED.match(name)["column"]),)
    near = _likely(table) or table.columns
    raise PredictionError(f"{table.path} has no column {name!r} (--score); it has {', '.join(near[:12])}.")


def _turned(table: Table, name: str) -> bool:
    """Whether `--score` names a chance of healthy."""
    match = TURNED.match(name)
    return bool(match) and named(table, name) is None and named(table, match["column"]) is not None


def _sick_first(table: Table, columns: Columns, pair: tuple[str, str]) -> tuple[str, str]:
    """The column of sick, then that of healthy: as the file's truth counts its classes, else in the order of the course."""
    label = columns.find(table, LABEL)
    if label is None or bare(label) == "labels" or not is_classes(table, label):
        return pair
    written = sorted(coded(table.frame[label]).drop_nulls().unique())
    values, words = classes(table, label)
    sick = 1 if not words else values[(coded(table.frame[label]) == written[0]).arg_true()[0]] ^ 1
    return pair if sick == 0 else pair[::-1]


def _decided(table: Table, columns: Columns, column: str, notes: list[str]) -> Network:
    """A network known by its decisions only."""
    values, words = classes(table, column)
    if not words:
        sick = _sick_code(table, columns, column)
        values = values if sick else 1 - values
        notes.append(f"{table.path.name}: in {column!r}, {sick} is taken for sick.")
    decision = values.fill_null(-1).to_numpy()
    if DECISION not in columns.given and (likely := [c for c in _likely(table) if _may_be_chances(table, c)]):
        notes.append(
            f"{table.path.name}: the decisions in {column!r} are audited; {', '.join(map(repr, likely[:3]))} might be scores: "
            f"name one, as in {_option(likely[0])}."
        )
    return Network("", np.where(decision < 0, np.nan, decision), decision, False, column)


def _sick_code(table: Table, columns: Columns, column: str) -> int:
    """What is sick in decisions of 0 and 1: what it is in the file's truth, else what the course's `preds` have."""
    label = columns.find(table, LABEL)
    if label is not None and is_classes(table, label) and not classes(table, label)[1]:
        return int(bare(label) != "labels")
    return int(bare(column) != "preds")
