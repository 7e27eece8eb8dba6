"""Tables of the report, by name: see `lib.report.registry`. Every cell is text in the language of the study."""

from lib.report.tables import baseline, cohort, effects, options, recommendation, study, weightings
from lib.report.tables.methods import thresholds

__all__ = ["baseline", "cohort", "effects", "options", "recommendation", "study", "thresholds", "weightings"]
