"""A number with what is known of it, and the rows of a bundle that hold it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lib.names import SHOWN, SUGGESTED
from lib.results import Results


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and its verdict (`lib.names.VERDICTS`); None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None
    verdict: str | None = None

    @property
    def shown(self) -> bool:
        return self.verdict == SHOWN

    @property
    def seen(self) -> bool:
        """Whether anything may be said of its sign, surely or not."""
        return self.verdict in (SHOWN, SUGGESTED)

    def __neg__(self) -> "Estimate":
        low, high = (None if end is None else -end for end in (self.high, self.low))
        return Estimate(-self.value, low, high, self.verdict)

    def times(self, scale: float) -> "Estimate":
        """The same in another unit; `scale` is above 0."""
        low, high = (None if end is None else scale * end for end in (self.low, self.high))
        return Estimate(scale * self.value, low, high, self.verdict)


def estimate(row: Mapping[str, Any] | None) -> Estimate | None:
    """The figure of a row: its interval is the one that its verdict rests on, the simultaneous one where it is shown."""
    if row is None or row["estimate"] is None:
        return None
    verdict = row.get("verdict")
    ends = ("low_simultaneous", "high_simultaneous") if verdict == SHOWN else ("low", "high")
    low, high = (row.get(end) if row.get(end) is not None else row.get(end.split("_")[0]) for end in ends)
    return Estimate(row["estimate"], low, high, verdict)


def rows(results: Results, table: str, **keys: Any) -> pl.DataFrame:
    """Rows of a table, by equality; an empty frame where the bundle lacks the table. None means null."""
    found = results.tables.get(table)
    if found is None:
        return pl.DataFrame()
    for key, value in keys.items():
        found = found.filter(pl.col(key).is_null() if value is None else pl.col(key) == value)
    return found


def row(results: Results, table: str, **keys: Any) -> dict[str, Any] | None:
    """The one row of a table, None where there is none."""
    found = rows(results, table, **keys)
    return found.row(0, named=True) if found.height else None
