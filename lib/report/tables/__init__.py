"""Tables of the report: results in, one great-tables table out.

Every cell is text made by `words`, so that a number reads alike in tables and in sentences; great-tables escapes it.
Rates are in percent and differences in points, as the headings say; what has no value is "not estimable", never 0.
"""

from lib.report.tables.audit import (
    amplification,
    calibration,
    intersections,
    parity,
    probes,
    shares,
    simpson,
    visits,
)
from lib.report.tables.data import catalogue, checks, composition, pairs, weightings
from lib.report.tables.decision import decision
from lib.report.tables.methods import changes, gaps, groups, performance, thresholds
from lib.report.tables.options import options
from lib.report.tables.preferences import closures, gains, recommendation
from lib.report.tables.study import odd_networks, runs, settings

__all__ = [
    "catalogue",
    "amplification",
    "calibration",
    "changes",
    "checks",
    "closures",
    "composition",
    "decision",
    "gains",
    "gaps",
    "groups",
    "intersections",
    "odd_networks",
    "options",
    "pairs",
    "parity",
    "performance",
    "probes",
    "recommendation",
    "runs",
    "settings",
    "shares",
    "simpson",
    "thresholds",
    "visits",
    "weightings",
]
