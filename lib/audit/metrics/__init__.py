"""Metrics of decisions and scores as `Figures`: levels, and differences between groups."""

from lib.audit.metrics.gaps import differences, gaps
from lib.audit.metrics.ranking import auc
from lib.audit.metrics.rates import ABOUT, DESCRIBED, RATES, TESTED, check_rows, rates
from lib.audit.metrics.unit import Unit, image_weights

__all__ = [
    "ABOUT",
    "DESCRIBED",
    "RATES",
    "TESTED",
    "Unit",
    "auc",
    "check_rows",
    "differences",
    "gaps",
    "image_weights",
    "rates",
]
