"""Tables of the report, by name (`lib.report.registry`). Every cell is text in the language of the study."""

from lib.report.tables import account, methods, study

__all__ = ["account", "methods", "study"]
