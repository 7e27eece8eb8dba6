"""Example weightings (pre-processing): a number per training image, mean 1."""

from lib.preprocessing.registry import WeightingError, example_weights, names
from lib.preprocessing.weightings import effective_share, inverse_class_frequency, kamiran_calders, uniform

__all__ = [
    "WeightingError",
    "effective_share",
    "example_weights",
    "inverse_class_frequency",
    "kamiran_calders",
    "names",
    "uniform",
]
