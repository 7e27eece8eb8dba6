"""The audit: rates, gaps and changes of a classifier's decisions, with intervals by patient and by network.

population = Population.from_frame(valid)                  # patient, label, one column per attribute
tables = audit(population, scores, decisions)              # metrics, gaps, changes, interval_levels
tables |= describe(cohort)                                 # composition, pairs, associations, ages
"""

from lib.audit.contrasts import point_values
from lib.audit.data import describe
from lib.audit.population import Population
from lib.audit.tables import BASELINE, audit

__all__ = ["BASELINE", "Population", "audit", "describe", "point_values"]
