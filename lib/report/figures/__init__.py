"""Figures of the report: results in, one chart out, its title the finding and its description the text for readers
who cannot see it. Every figure takes `size`: "page" (700 pixels wide) or "slide" (1,000 x 480, larger type).
"""

from lib.report.figures.baseline import baseline_groups
from lib.report.figures.data_analysis import prevalence

__all__ = ["baseline_groups", "prevalence"]
