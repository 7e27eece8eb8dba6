"""What cannot be audited is one sentence."""

from lib.tabular import TableError as PredictionError

__all__ = ["PredictionError"]
