"""Moved to `lib.audit.inference.population`."""

from lib.audit.inference.population import Cell, Codes, Population

__all__ = ["Cell", "Codes", "Population"]
