"""Tables of the report, by name (`lib.report.registry`). Every cell is text in the language of the study."""

from lib.report.tables import baseline, cohort, effects, options, recommendation, rules, study, trust, weightings

__all__ = ["baseline", "cohort", "effects", "options", "recommendation", "rules", "study", "trust", "weightings"]
