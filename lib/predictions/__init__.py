"""The audit of predictions made elsewhere: files in, tables out; no image is read and nothing is trained."""

from lib.predictions.engine import audit_predictions
from lib.predictions.export import save_bundle
from lib.predictions.question import Audited
from lib.predictions.summary import summary
from lib.tabular import TableError as PredictionError

__all__ = ["Audited", "PredictionError", "audit_predictions", "save_bundle", "summary"]
