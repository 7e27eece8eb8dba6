"""Tables of the report: results in, one great-tables table out.

Every cell is text made by `words`, so that a number reads alike in tables and in sentences; great-tables escapes it.
Rates are in percent and differences in points, as the headings say; what has no value is "not estimable", never 0.
"""

from lib.report.tables import cohort, options, study
from lib.report.tables.audit import intersections, parity, probes
from lib.report.tables.data import weightings
from lib.report.tables.methods import performance, thresholds
from lib.report.tables.preferences import recommendation

__all__ = [
    "cohort",
    "intersections",
    "options",
    "parity",
    "performance",
    "probes",
    "recommendation",
    "study",
    "thresholds",
    "weightings",
]
