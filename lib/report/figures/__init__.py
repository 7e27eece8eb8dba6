"""Figures of the report: results in, one chart out, its title the finding and its description the text for readers
who cannot see it. Every figure takes `size`: "page" (700 pixels wide) or "slide" (1,130 pixels, larger type, fewer marks).
"""

from lib.report.figures import pictures, rules, whatif
from lib.report.figures.amplification import amplification
from lib.report.figures.baseline import baseline_gaps, baseline_groups, interval_levels
from lib.report.figures.calibration import calibration
from lib.report.figures.changes import catalogue, postprocessing_changes, weighting_changes
from lib.report.figures.cohort import ages, prevalence
from lib.report.figures.front import front
from lib.report.figures.gains import who_gains
from lib.report.figures.relations import associations, crossing, exposure
from lib.report.figures.simpson import simpson
from lib.report.figures.weightings import history, seed_spread, weights

__all__ = [
    "pictures",
    "ages",
    "amplification",
    "associations",
    "baseline_gaps",
    "baseline_groups",
    "catalogue",
    "calibration",
    "crossing",
    "exposure",
    "front",
    "history",
    "interval_levels",
    "postprocessing_changes",
    "prevalence",
    "rules",
    "seed_spread",
    "simpson",
    "weighting_changes",
    "weights",
    "whatif",
    "who_gains",
]
