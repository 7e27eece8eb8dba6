"""Tables of the report: results in, one great-tables table out.

Every cell is text made by `words`, so that a number reads alike in tables and in sentences; great-tables escapes it.
Rates are in percent and differences in points, as the headings say; what has no value is "not estimable", never 0.
"""

from lib.report.tables import baseline, effects, options, trust, weightings
from lib.report.tables.audit import (
    visits,
)
from lib.report.tables.data import catalogue, checks, composition
from lib.report.tables.methods import thresholds
from lib.report.tables.preferences import recommendation
from lib.report.tables.study import odd_networks, runs, settings

__all__ = [
    "trust",
    "baseline",
    "effects",
    "catalogue",
    "checks",
    "composition",
    "odd_networks",
    "options",
    "recommendation",
    "runs",
    "settings",
    "thresholds",
    "visits",
    "weightings",
]
