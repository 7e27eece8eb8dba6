"""The report: results in; figures, tables and sentences out, in the language of the study that `load` returns."""

from lib.report.exhibits import chart, heading, load, read, say, show, slide

__all__ = ["chart", "heading", "load", "read", "say", "show", "slide"]
