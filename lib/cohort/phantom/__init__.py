"""Synthetic chest radiographs in the course's layout, where every bias is planted and known."""

from lib.cohort.phantom.dials import DEFAULT, EFFECTS, NULL, Dials, Effect, read_dials
from lib.cohort.phantom.write import draw_phantom

__all__ = ["DEFAULT", "EFFECTS", "NULL", "Dials", "Effect", "draw_phantom", "read_dials"]
