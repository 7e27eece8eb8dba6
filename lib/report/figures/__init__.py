"""Figures of the report, by name (`lib.report.registry`), in two sizes: "page" (700 pixels wide) and "slide" (1,130 pixels, larger type, fewer marks)."""

from lib.report.figures import cohort, drawings, methods, pictures, whatif

__all__ = ["cohort", "drawings", "methods", "pictures", "whatif"]
