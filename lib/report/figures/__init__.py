"""Figures of the report: results in, one chart out, its title the finding and its description the text for readers
who cannot see it. Every figure takes `size`: "page" (700 pixels wide) or "slide" (1,130 pixels, larger type, fewer marks).
"""

from lib.report.figures import baseline, curves, effects, pictures, trust
from lib.report.figures.changes import optimism
from lib.report.figures.cohort import ages, prevalence
from lib.report.figures.front import front
from lib.report.figures.gains import who_gains
from lib.report.figures.grid import grid
from lib.report.figures.relations import associations, crossing, exposure
from lib.report.figures.relaxation import relaxation
from lib.report.figures.simpson import simpson
from lib.report.figures.weightings import history
from lib.report.figures.wrong_groups import wrong_groups

__all__ = [
    "trust",
    "baseline",
    "curves",
    "effects",
    "pictures",
    "ages",
    "associations",
    "crossing",
    "exposure",
    "front",
    "grid",
    "history",
    "optimism",
    "prevalence",
    "relaxation",
    "simpson",
    "who_gains",
    "wrong_groups",
]
