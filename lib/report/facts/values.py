"""A number with what is known of it, and the rows of a bundle that hold it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from lib.names import BASELINE, ERRORS, NO_TARGET, OVERALL, PATIENT, SHOWN, SUGGESTED, Attribute, Method
from lib.results import Results

KEYS = ("weighting", "postprocessing", "target")
BALANCED = "balanced_accuracy"
KNOWN, BETWEEN = pl.col("estimate").is_not_null(), pl.col("contrast").is_not_null()
"""Rows with a figure; rows about a difference between groups, in tables that hold groups, too."""
WEIGHTED, RULED = pl.col("weighting") != BASELINE[0], pl.col("postprocessing") != BASELINE[1]
"""Rows of methods with another weighting, and with another rule, than the baseline."""
SEEN = (SHOWN, SUGGESTED)
"""Verdicts that say something of the sign, the surer first."""


def keys_of(method: Method) -> dict[str, str]:
    """Where tables have a method."""
    return dict(zip(KEYS, method, strict=True))


UNTREATED = keys_of(BASELINE)
Row = dict[str, Any]
"""A row of the bundle, or what is computed from some, by name."""


def acts_on(attribute: Attribute) -> pl.Expr:
    """Rows of methods that act on the attribute or on none."""
    return pl.col("target").is_in([NO_TARGET, attribute.name])


def error_gaps(attribute: Attribute) -> pl.Expr:
    """Rows by patient about the gaps in TPR and FPR by an attribute."""
    gaps = pl.col("metric").is_in(ERRORS) & pl.col("contrast").is_in(list(attribute.contrasts))
    return gaps & (pl.col("attribute") == attribute.name) & (pl.col("unit") == PATIENT)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and its verdict (`lib.names.VERDICTS`); None where there is none.

    `joint`: the interval holds for all comparisons of its family together.
    """

    value: float
    low: float | None = None
    high: float | None = None
    verdict: str | None = None
    joint: bool = False

    @property
    def shown(self) -> bool:
        return self.verdict == SHOWN

    @property
    def seen(self) -> bool:
        """Whether anything may be said of its sign, surely or not."""
        return self.verdict in SEEN

    def times(self, scale: float, plus: float = 0.0) -> "Estimate":
        """The same in another unit, or on another side: `plus + scale * value`."""
        low, high = (None if end is None else plus + scale * end for end in (self.low, self.high))
        low, high = (high, low) if scale < 0 else (low, high)
        return replace(self, value=plus + scale * self.value, low=low, high=high)

    def __neg__(self) -> "Estimate":
        return self.times(-1)

    @property
    def complement(self) -> "Estimate":
        """Of a share of found the share of missed, without verdict."""
        return replace(self.times(-1, plus=1), verdict=None, joint=False)


def estimate(row: Mapping[str, Any] | None) -> Estimate | None:
    """The figure of a row: its interval is the one that its verdict rests on, the simultaneous one where it is shown."""
    if row is None or row["estimate"] is None:
        return None
    verdict = row.get("verdict")
    ends = ("low_simultaneous", "high_simultaneous") if verdict == SHOWN else ("low", "high")
    low, high = (row.get(end) if row.get(end) is not None else row.get(end.split("_")[0]) for end in ends)
    return Estimate(row["estimate"], low, high, verdict, row.get(ends[0]) is not None and verdict == SHOWN)


def alone(row: Mapping[str, Any] | None) -> Estimate | None:
    """The figure of a row with the interval that holds for it alone, without verdict."""
    return None if row is None or row["estimate"] is None else Estimate(row["estimate"], row["low"], row["high"])


def turned(value: Estimate | None, sign: float) -> Estimate | None:
    """The figure, its sign changed where `sign` is below 0."""
    return value if value is None or sign >= 0 else -value


def rows(results: Results, table: str, *conditions: pl.Expr | str, **keys: Any) -> pl.DataFrame:
    """Rows of a table that meet the conditions and, by equality, the keys; an empty frame where the bundle lacks the table.

    A key of None means null.
    """
    frame = results.tables.get(table)
    if frame is None:
        return pl.DataFrame()
    equal = [pl.col(key).is_null() if value is None else pl.col(key) == value for key, value in keys.items()]
    return frame.filter(*equal, *conditions) if equal or conditions else frame


def row(results: Results, table: str, **keys: Any) -> dict[str, Any] | None:
    """The one row of a table, None where there is none."""
    return next(iter(rows(results, table, **keys).head(1).to_dicts()), None)


def figure(results: Results, table: str, **keys: Any) -> Estimate | None:
    """The figure of the one row of a table."""
    return estimate(row(results, table, **keys))


def rate(results: Results, metric: str, attribute: str = OVERALL, group: str = "all", **keys: Any) -> Estimate | None:
    """A rate of the untouched baseline by patient: everyone's, or that of a group; `keys` name another method, or unit."""
    place = {"attribute": attribute, "group": group, "metric": metric, "unit": PATIENT}
    return figure(results, "metrics", **(place | UNTREATED | keys))


def judged(results: Results, attribute: str = OVERALL) -> dict[str, dict[str, Any]]:
    """The patients to judge on by group, those of groups that have any: how many (`patients`), and their share of sick (`estimate`)."""
    place = {"split": "valid", "attribute": attribute, "unit": PATIENT}
    return {line["group"]: line for line in rows(results, "composition", KNOWN, **place).to_dicts()}


def by_finding(results: Results, attribute: Attribute) -> dict[str, dict[str, int]]:
    """Of each finding how many of the sick who are judged have it, by group of the attribute."""
    lines = parts(rows(results, "misses_by_finding", attribute=attribute.name, contrast=None), "finding")
    return {finding: {line["group"]: line["patients"] for line in of} for finding, of in lines.items()}


def parts(lines: pl.DataFrame | Iterable[Row], *columns: str) -> dict[Any, list[Row]]:
    """The rows by their values in the columns (of one column the value alone), in their order."""
    by: dict[Any, list[Row]] = {}
    for line in lines.to_dicts() if isinstance(lines, pl.DataFrame) else lines:
        key = tuple(line[column] for column in columns)
        by.setdefault(key if len(columns) > 1 else key[0], []).append(line)
    return by


def figures(frame: pl.DataFrame, *columns: str, read: Callable[..., Estimate | None] = estimate) -> dict[Any, Estimate]:
    """The figures by the values of their rows in the columns, those that are estimable; `read`: `estimate` or `alone`."""
    by = {key: read(lines[0]) for key, lines in parts(frame, *columns).items()}
    return {key: value for key, value in by.items() if value is not None}


def predictive_values(tpr: float, fpr: float, sick: float) -> tuple[float | None, float | None]:
    """Of those called sick the share who are, of those called healthy the share who are, where a share `sick` is; None where nobody is called so."""
    called, spared = sick * tpr + (1 - sick) * fpr, sick * (1 - tpr) + (1 - sick) * (1 - fpr)
    return (sick * tpr / called if called else None), ((1 - sick) * (1 - fpr) / spared if spared else None)
