"""The five words that a figure earns, and what it is about: fixed once, used everywhere."""

from enum import StrEnum

ALPHA = 0.05
POWER = 0.8


class Verdict(StrEnum):
    """What is said of a figure. Nothing else is said."""

    SHOWN = "shown"
    """The simultaneous interval of its family leaves 0 out."""
    SUGGESTED = "suggested"
    """Only the single interval does."""
    AT_MOST = "at most"
    """Equivalence: both one-sided tests within the margin."""
    NOT_TOLD = "not told"
    """To be said with the gap that could have been seen."""
    NOT_ESTIMABLE = "not estimable"


class Estimand(StrEnum):
    """What an interval is about."""

    PROCEDURE = "procedure"
    """The mean over networks that the training procedure would give."""
    NETWORKS = "networks"
    """These very networks: nothing is known about retraining, so nothing may be said of a method."""
