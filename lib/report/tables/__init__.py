"""Tables of the report, by name (`lib.report.registry`). Every cell is text in the language of the study."""

from lib.report.tables import methods, study

__all__ = ["methods", "study"]
