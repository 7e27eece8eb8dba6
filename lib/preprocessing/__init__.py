"""Example weightings (pre-processing): a number per training image, mean 1."""

from lib.preprocessing.registry import catalogue, equivalents, example_weights, names
from lib.preprocessing.weightings import WeightingError, effective_share

__all__ = ["WeightingError", "catalogue", "effective_share", "equivalents", "example_weights", "names"]
