"""Outputs of a network as chances of sick, and the decisions that go with them.

Logits, percent and the confidence in a decision become chances in 0 to 1 where there is no doubt what they are.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.special import expit

from lib.predictions.errors import PredictionError
from lib.tabular import Columns, Table
from lib.tabular.classes import classes, is_classes
from lib.tabular.columns import DECISION, missing, named
from lib.tabular.values import bare, numbers, text

PAIR = re.compile(r"^(?P<stem>.*?)[ _.-]?(?P<kind>logits?|probas?|probs?|scores?)[ _.-]?(?P<k>[01])$", re.IGNORECASE)
"""Two columns, of class 0 (malade, in the alphabetical order of the course's folders) and of class 1 (sain)."""
MANY = 0.1
"""Share of values below 0 from which on they are logits, and no slips of the pen."""


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

    def called(self, threshold: float | None = None) -> np.ndarray:
        """1 = called sick, (n,): by the threshold, if there is one to apply, else as the file says, else at .5."""
        if threshold is not None and self.ranked:
            return (self.score >= threshold).astype(float)
        at_half = (self.score >= 0.5).astype(float)
        if self.decision is None:
            return at_half
        return np.where(self.decision < 0, at_half, self.decision).astype(float)


def network_of(
    table: Table,
    columns: Columns,
    method: str,
    outputs: tuple[str, ...],
    pairs: dict[str, tuple[str, str]],
    notes: list[str],
    *,
    of_healthy: bool = False,
) -> Network:
    """The network of a method whose `outputs` are one column, or two: of sick, then of healthy.

    `pairs`: all such pairs of the table by what is common in their names. `notes` gets what was made of the columns;
    `of_healthy`: the chance is one of healthy. Raises `PredictionError` for a value that is none.
    """
    values = [_finite(table, column) for column in outputs]
    if len(outputs) == 2:
        sick, healthy = values
        if PAIR.match(outputs[0])["kind"].lower().startswith("logit"):
            score = expit(sick - healthy)
        else:
            with np.errstate(invalid="ignore", divide="ignore"):
                score = _bounded(table, outputs[0], sick) / (sick + _bounded(table, outputs[1], healthy))
        if bare(outputs[0]) != "predslogit0":
            notes.append(f"{table.path.name}: {outputs[0]!r} is taken for sick and {outputs[1]!r} for healthy.")
    else:
        score = _chances(table, outputs[0], values[0], notes)
    if of_healthy:
        score = 1 - score
    decision = _decision(table, columns, outputs, score, pairs)
    if decision is not None and "confidence" in bare(outputs[0]) and _of_decision(score, decision):
        score = np.where(decision == 1, score, 1 - score)
        notes.append(
            f"{table.path.name}: {outputs[0]!r} is taken for the confidence in the decision, not for the chance of sick."
        )
    known = score[np.isfinite(score)]
    return Network(method, score, decision, bool(((known != 0) & (known != 1)).any()), outputs[0])


def _chances(table: Table, column: str, values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Values of one column as chances in 0 to 1, from logits or percent, too, where there is no doubt that they are."""
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    if "logit" in bare(column) or (high > 0 and (known < 0).mean() >= MANY):
        notes.append(
            f"{table.path.name}: {column!r} ({low:.3g} to {high:.3g}) is turned from logits of sick into chances."
        )
        return expit(values)
    if low >= 0 and 50 < high <= 100 and (known > 1).mean() >= 0.5:
        notes.append(f"{table.path.name}: {column!r} ({low:.3g} to {high:.3g}) is taken for percent.")
        return values / 100
    return _bounded(table, column, values)


def _of_decision(score: np.ndarray, decision: np.ndarray) -> bool:
    known = np.isfinite(score) & (decision >= 0)
    return bool(known.any() and score[known].min() >= 0.5 and 0 < decision[known].mean() < 1)


def _decision(
    table: Table, columns: Columns, outputs: tuple[str, ...], score: np.ndarray, pairs: dict[str, tuple[str, str]]
) -> np.ndarray | None:
    """The decisions that go with a score, 1 = called sick; where they are 0 and 1, the one with higher scores is sick."""
    stem = next((stem for stem, pair in pairs.items() if pair == outputs), None)
    column = columns.find(table, DECISION)
    if DECISION in columns.given and column is None:
        raise PredictionError(missing(table, DECISION, columns.given[DECISION]))
    if stem and DECISION not in columns.given:
        column = named(table, stem)
    if column is None or column in outputs or not is_classes(table, column):
        if DECISION in columns.given:
            classes(table, column)
        return None
    values, words = classes(table, column)
    decision = values.fill_null(-1).to_numpy().copy()
    known = np.isfinite(score) & (decision >= 0)
    if not words and known.any():
        sick, healthy = (score[known & (decision == called)] for called in (1, 0))
        higher = (
            sick.mean() >= healthy.mean()
            if len(sick) and len(healthy)
            else (score[known].mean() >= 0.5) == (len(sick) > 0)
        )
        decision = decision if higher else np.where(decision < 0, -1, 1 - decision)
    return decision


def _finite(table: Table, column: str) -> np.ndarray:
    """The numbers of a column, NaN where nothing is written. Raises `PredictionError` for what is no finite number."""
    written, values = table.frame[column], numbers(table.frame[column])
    floats = values.cast(pl.Float64).to_numpy().astype(float)
    wrong = np.isinf(floats) | (values.is_null() & text(written).is_not_null()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise PredictionError(
            f"{table.path}, column {column!r}, row {row + 2}: {written[row]!r} is not a finite number ({wrong.sum()} such rows)."
        )
    return floats


def _bounded(table: Table, column: str, values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    if known.size and (known.min() < 0 or known.max() > 1):
        raise PredictionError(
            f"{table.path}, column {column!r}: values from {known.min():g} to {known.max():g}; allowed is 0 to 1, the chance of "
            "sick."
        )
    return values
