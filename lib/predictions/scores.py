"""Outputs of a network as chances of sick.

Logits and percent become chances in 0 to 1 where there is no doubt what they are.
"""

import re

import polars as pl
from scipy.special import expit

from lib.tabular import Table
from lib.tabular import TableError as PredictionError
from lib.tabular.values import bare, numbers

PAIR = re.compile(r"^(?P<stem>.*?)[ _.-]?(?P<kind>logits?|probas?|probs?|scores?)[ _.-]?(?P<k>[01])$", re.IGNORECASE)
"""Two columns, of class 0 (malade, in the alphabetical order of the course's folders) and of class 1 (sain)."""
MANY = 0.1
"""Share of values below 0 from which on they are logits, and no slips of the pen."""


def chances(table: Table, outputs: tuple[str, ...], notes: list[str]) -> pl.Series:
    """The chance of sick in 0 to 1 (n,), null where nothing is written, of `outputs`: one column, or those of sick and healthy.

    `notes` gets what was made of the columns. Raises `PredictionError` for a value that is no chance.
    """
    name, values = table.path.name, [_finite(table, column) for column in outputs]
    if len(values) == 1:
        return _of_one(table, outputs[0], values[0], notes)
    if bare(outputs[0]) != "predslogit0":
        notes.append(f"{name}: {outputs[0]!r} is taken for sick and {outputs[1]!r} for healthy.")
    if PAIR.match(outputs[0])["kind"].lower().startswith("logit"):
        return _logistic(values[0] - values[1])
    sick, healthy = (_bounded(table, *pair) for pair in zip(outputs, values, strict=True))
    return (sick / (sick + healthy)).fill_nan(None)


def _of_one(table: Table, column: str, values: pl.Series, notes: list[str]) -> pl.Series:
    """Values of one column as chances, from logits or percent, too, where there is no doubt that they are."""
    known = values.drop_nulls()
    low, high = known.min() or 0.0, known.max() or 0.0
    said = f"{table.path.name}: {column!r} ({low:.3g} to {high:.3g})"
    if "logit" in bare(column) or (high > 0 and (known < 0).mean() >= MANY):
        notes.append(f"{said} is turned from logits of sick into chances.")
        return _logistic(values)
    if low >= 0 and 50 < high <= 100 and (known > 1).mean() >= 0.5:
        notes.append(f"{said} is taken for percent.")
        return values / 100
    return _bounded(table, column, values)


def _logistic(logits: pl.Series) -> pl.Series:
    return pl.Series(expit(logits.to_numpy())).fill_nan(None)


def _finite(table: Table, column: str) -> pl.Series:
    """The numbers of a column, null where nothing is written. Raises `PredictionError` for what is no finite number."""
    values = numbers(table.frame[column])
    values = values.set(values.is_infinite().fill_null(False), None)
    if wrong := table.unread(column, values):
        raise PredictionError(f"{table.path}, column {column!r}, row {wrong[0]}: {wrong[1]!r} is not a finite number.")
    return values


def _bounded(table: Table, column: str, values: pl.Series) -> pl.Series:
    if not values.drop_nulls().is_between(0, 1).all():
        raise PredictionError(
            f"{table.path}, column {column!r}: values from {values.min():g} to {values.max():g}; allowed is 0 to 1, the chance of "
            "sick."
        )
    return values
