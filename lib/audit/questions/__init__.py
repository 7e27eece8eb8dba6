"""Every question of the audit, one module each: `name`, `schema`, `compute`, and what it `needs` and `reads`.

A module of this folder or of `lib.audit.decisions` is a question; those that begin with `_` are not. Adding a file is
all that is needed: bundle, study, predictions and fixtures take their tables from here.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import polars as pl

from lib.audit.context import Context

ROOMS = ("lib.audit.questions", "lib.audit.decisions")


@dataclass(frozen=True)
class Question:
    """A table of the bundle: `schema` in order, `compute(context)`, inputs it `needs`, tables it `reads`, what it `asks`.

    `compute` gives a table or several, to be put below each other, none where there is nothing to tell. Columns that are not of the
    schema are left out, those that the parts lack are null.
    """

    name: str
    schema: Mapping[str, Any]
    compute: Callable[[Context], pl.DataFrame | Iterable[pl.DataFrame]]
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    asks: str

    def answer(self, context: Context) -> pl.DataFrame:
        """Its table; empty where an input is lacking."""
        found = self.compute(context) if all(context.has(need) for need in self.needs) else ()
        parts = [found] if isinstance(found, pl.DataFrame) else list(found)
        if not parts:
            return pl.DataFrame(schema=dict(self.schema))
        table = pl.concat(parts, how="diagonal_relaxed")
        columns = (pl.col(key) if key in table.columns else pl.lit(None).alias(key) for key in self.schema)
        return table.select(columns).cast(dict(self.schema)).with_columns(pl.selectors.float().fill_nan(None))


def _found() -> dict[str, Question]:
    questions = {}
    for room in ROOMS:
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__):
            if not module.name.startswith("_"):
                own = importlib.import_module(f"{room}.{module.name}")
                needs, reads = getattr(own, "needs", ()), getattr(own, "reads", ())
                questions[own.name] = Question(own.name, own.schema, own.compute, needs, reads, own.__doc__ or "")
    order = TopologicalSorter({name: own.reads for name, own in sorted(questions.items())}).static_order()
    return {name: questions[name] for name in order}


QUESTIONS: dict[str, Question] = _found()
"""Every question by name, each after those that it reads."""
SCHEMAS: dict[str, dict[str, Any]] = {name: dict(own.schema) for name, own in QUESTIONS.items()}


def answer(
    context: Context, only: Iterable[str] | None = None, progress: Callable[[str], object] | None = None
) -> dict[str, pl.DataFrame]:
    """Tables by question: all, or those named in `only` and what they read. `progress(name)` is called after each."""
    wanted = set(QUESTIONS if only is None else only)
    for name in reversed(QUESTIONS):
        if name in wanted:
            wanted |= set(QUESTIONS[name].reads)
    for name in (name for name in QUESTIONS if name in wanted):
        context.tables[name] = QUESTIONS[name].answer(context)
        if progress is not None:
            progress(name)
    return {name: context.tables[name] for name in QUESTIONS if name in wanted}
