"""Figures of the report: results in, one chart out, its title the finding and its description the text for readers
who cannot see it. Every figure takes `size`: "page" (700 pixels wide) or "slide" (1,130 pixels, larger type, fewer marks).
"""

from lib.report.figures import causes, cohort, pictures, relations, simpson
from lib.report.figures.amplification import amplification
from lib.report.figures.baseline import baseline_gaps, baseline_groups, interval_levels
from lib.report.figures.calibration import calibration
from lib.report.figures.changes import catalogue, optimism, postprocessing_changes, weighting_changes
from lib.report.figures.front import front
from lib.report.figures.gains import who_gains
from lib.report.figures.grid import grid
from lib.report.figures.relaxation import relaxation
from lib.report.figures.weightings import seed_spread, weights
from lib.report.figures.wrong_groups import wrong_groups

__all__ = [
    "causes",
    "cohort",
    "pictures",
    "relations",
    "amplification",
    "baseline_gaps",
    "baseline_groups",
    "catalogue",
    "calibration",
    "front",
    "grid",
    "interval_levels",
    "optimism",
    "postprocessing_changes",
    "relaxation",
    "seed_spread",
    "simpson",
    "weighting_changes",
    "weights",
    "who_gains",
    "wrong_groups",
]
