"""Figures of the report, by name: see `lib.report.registry`. Every figure has two sizes: "page" (700 pixels wide) and "slide" (1,130 pixels, larger type, fewer marks)."""

from lib.report.figures import (
    baseline,
    causes,
    choice,
    cohort,
    curves,
    effects,
    pictures,
    principles,
    relations,
    simpson,
)
from lib.report.figures.changes import optimism
from lib.report.figures.grid import grid
from lib.report.figures.relaxation import relaxation
from lib.report.figures.weightings import seed_spread
from lib.report.figures.wrong_groups import wrong_groups

__all__ = [
    "baseline",
    "causes",
    "choice",
    "cohort",
    "curves",
    "effects",
    "grid",
    "optimism",
    "pictures",
    "principles",
    "relations",
    "relaxation",
    "seed_spread",
    "simpson",
    "wrong_groups",
]
